import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import type { PluginFault } from '../../plugins-sdk/contract/index.ts';
import { RegistryRefusal } from '../../registry/index.ts';
import { SandboxRefusal } from '../../sandbox/index.ts';
import { HostRefusal } from '../errors.ts';
import { PluginFaultError } from '../invocations/contract.ts';
import { adviceFor, errorGuide } from './error-guide.ts';
import { errorTable, problemOf } from './problems.ts';

/** Callers program against these: a change here is a change of the interface. */
const PROMISED: Record<string, number | null> = {
  'request-malformed': 400,
  'headers-too-large': 431,
  'target-too-long': 414,
  'request-timeout': 408,
  'body-invalid': 422,
  'query-invalid': 400,
  'body-too-large': 413,
  'body-malformed': 400,
  'content-type-unsupported': 415,
  'token-missing': 401,
  'token-invalid': 401,
  'session-needed': 403,
  'organisation-needed': 403,
  'membership-missing': 403,
  'request-cross-site': 403,
  'factor-required': 403,
  'step-up-required': 403,
  'permission-denied': 403,
  'route-unknown': 404,
  'method-not-allowed': 405,
  'upgrade-unsupported': 501,
  'plugin-route-unknown': 404,
  'installation-unknown': 404,
  'installation-disabled': 403,
  'installation-suspended': 403,
  'installation-slug-taken': 409,
  'installation-id-taken': 409,
  'installation-saturated': 429,
  'cpu-budget-exhausted': 429,
  'tails-saturated': 429,
  'capability-undeclared': 422,
  'grant-missing': 422,
  'config-invalid': 422,
  'release-not-installable': 409,
  'release-blocked': 403,
  'reach-changed': 409,
  'engine-incompatible': 409,
  'consent-needed': 409,
  'signing-weaker': 409,
  'requirements-unmet': 409,
  'requirements-conflict': 409,
  'required-by-others': 409,
  'staging-unknown': 404,
  'staging-invalid': 422,
  'staging-state-invalid': 409,
  'rollout-running': 409,
  'rollout-unknown': 409,
  'rollback-target-unknown': 409,
  'installation-busy': 409,
  'recording-unknown': 404,
  'recordings-not-shared': 403,
  'queue-message-unknown': 404,
  'secret-unknown': 404,
  'webhook-unknown': 404,
  'webhook-id-taken': 409,
  'webhook-url-refused': 422,
  'webhooks-exceeded': 409,
  'webhook-inactive': 409,
  'webhook-backlog-exceeded': 429,
  'delivery-unknown': 404,
  'notification-unknown': 404,
  'export-unknown': 404,
  'erasure-unconfirmed': 422,
  'hook-undeclared': 404,
  'hook-payload-invalid': 422,
  'rate-limited': 429,
  'host-overloaded': 503,
  'host-shutting-down': 503,
  'database-unavailable': 503,
  'internal-error': 500,
  'organisation-id-taken': 409,
  'cursor-invalid': 400,
  'slug-taken': 409,
  'organisation-unknown': 404,
  'organisation-foreign': 403,
  'role-not-allowed': 422,
  'organisations-too-many': 409,
  'member-unknown': 404,
  'member-already': 409,
  'last-owner': 409,
  'invitation-unknown': 404,
  'invitation-for-another': 403,
  'invitations-too-many': 409,
  'ownership-offer-unknown': 404,
  'ownership-offer-pending': 409,
  'token-unknown': 404,
  'device-code-unknown': 404,
  'device-code-pending': 400,
  'device-code-slow-down': 400,
  'device-code-denied': 400,
  'device-code-expired': 400,
  'token-restricted': 403,
  'token-restriction-invalid': 422,
  'token-rotated': 409,
  'account-invalid': 422,
  'username-taken': 409,
  'credentials-invalid': 401,
  'password-wrong': 403,
  'email-unverified': 403,
  'login-locked': 429,
  'login-busy': 503,
  'code-invalid': 422,
  'refresh-invalid': 401,
  'session-unknown': 404,
  'account-unknown': 404,
  'confirmation-needed': 403,
  'factor-unknown': 404,
  'factor-invalid': 403,
  'login-outdated': 401,
  'challenge-invalid': 403,
  'passkeys-unavailable': 501,
  'passkeys-full': 409,
  'passkey-taken': 409,
  'last-way-in': 409,
  'telegram-unavailable': 501,
  'telegram-data-invalid': 403,
  'telegram-data-stale': 403,
  'telegram-data-used': 409,
  'telegram-taken': 409,
  'telegram-unlinked': 404,
  'key-invalid': 422,
  'key-taken': 409,
  'publisher-foreign': 403,
  'release-archive-invalid': 422,
  'release-manifest-invalid': 422,
  'release-signature-invalid': 422,
  'dependency-unknown': 422,
  'release-version-taken': 409,
  'release-unknown': 404,
  'plugin-name-confusable': 409,
  'plugin-unknown': 404,
  'upload-unknown': 404,
  'upload-conflict': 409,
  'upload-part-misplaced': 409,
  'uploads-too-many': 409,
  'dist-tag-invalid': 422,
  'key-unknown': 404,
  'key-state-invalid': 409,
  'version-range-invalid': 422,
  'version-range-unsatisfied': 409,
  'release-not-logged': 409,
  'review-conflict': 403,
  'review-assigned': 409,
  'review-checklist-open': 409,
  'review-evidence-invalid': 422,
  'appeal-spent': 409,
  'listing-image-unknown': 404,
  'plugin-unlisted': 404,
  'rating-not-installed': 403,
  'rating-own-plugin': 403,
  'statistics-range-invalid': 400,
  'rating-own': 403,
  'rating-unknown': 404,
  'log-entry-unknown': 404,
  'log-inconsistent': 500,
  'import-untrusted': 409,
  'import-unproven': 422,
  'import-publisher-taken': 409,
  'import-stopped': 409,
  'signing-key-retired': 500,
  'release-state-invalid': 409,
  'scan-unknown': 404,
  'scan-running': 409,
  'scan-unacknowledged': 409,
  'sandbox-saturated': 503,
  'sandbox-interrupted': 503,
  'sandbox-closed': 503,
  'invocation-aborted': 499,
  'plugin-threw': 502,
  'plugin-start-failed': 502,
  'plugin-answer-invalid': 502,
  'plugin-never-answered': 502,
  'handler-missing': 502,
  'cpu-limit': 502,
  'startup-cpu-limit': 502,
  'wall-limit': 504,
  'heap-limit': 502,
  'output-too-large': 502,
  'host-call-limit': 502,
  'sandbox-killed': 502,
  'capability-denied': null,
  'capability-unknown': null,
  'capability-arguments-invalid': null,
  'kv-version-conflict': null,
  'kv-value-too-large': null,
  'kv-quota-exceeded': null,
  'kv-read-too-large': null,
  'event-topic-undeclared': null,
  'event-too-large': null,
  'event-rate-exceeded': null,
  'event-backlog-full': null,
  'dependency-undeclared': null,
  'dependency-missing': null,
  'call-depth-exceeded': null,
  'call-cycle': null,
  'callee-refused': null,
  'callee-failed': null,
  'notify-rate-exceeded': null,
  'notify-link-unknown': null,
  'fetch-url-refused': null,
  'fetch-host-undeclared': null,
  'fetch-address-refused': null,
  'fetch-failed': null,
  'fetch-timeout': null,
  'fetch-redirects-exceeded': null,
  'fetch-request-too-large': null,
  'fetch-response-too-large': null,
  'fetch-limit': null,
  'queue-undeclared': null,
  'queue-message-too-large': null,
  'queue-full': null,
  'crypto-cpu-exhausted': null,
  'crypto-key-refused': null,
  'secret-undeclared': null,
  'secret-missing': null,
  'capability-unavailable': null,
  'body-unreadable': null,
  'invocation-over': null,
};

describe('errorTable', () => {
  it('keeps the status of every code', () => {
    expect(Object.fromEntries(errorTable().map(({ code, status }) => [code, status]))).to.deep.equal(PROMISED);
  });

  it('names no code twice', () => {
    const codes = errorTable().map(({ code }) => code);
    expect(codes).to.have.length(new Set(codes).size);
  });

  it('says for every code what it means and what to do', () => {
    for (const row of errorTable()) expect(`${row.title} ${adviceFor(row)}`).to.match(/^[A-Z].+\. [A-Z].+\.$/s);
  });
});

describe('docs/errors.md', () => {
  it('is what the tables say; write it again with `node host/http/error-guide.ts > docs/errors.md`', () => {
    const written = readFileSync(join(import.meta.dirname, '../../docs/errors.md'), 'utf8');
    expect(written).to.equal(errorGuide());
  });
});

describe('problemOf', () => {
  it('tells a refusal with its code, its sentence and its facts', () => {
    const { problem, unexpected } = problemOf(
      new HostRefusal('body-too-large', 'At most 10 bytes.', { bytesMax: 10 }),
      'r1',
    );
    expect(problem).to.deep.equal({
      type: '/problems/body-too-large',
      title: 'The body is larger than this route allows.',
      status: 413,
      detail: 'At most 10 bytes.',
      instance: 'urn:request:r1',
      code: 'body-too-large',
      advice: 'Send at most `bytesMax` bytes.',
      bytesMax: 10,
    });
    expect(unexpected).to.equal(false);
  });

  it('lets no fact replace a standard member', () => {
    const { problem } = problemOf(new RegistryRefusal('slug-taken', undefined, { status: 200, type: 'x' }), 'r1');
    expect(problem).to.include({ status: 409, type: '/problems/slug-taken' });
  });

  it('says when to come back for outages and saturation', () => {
    const retryAfter = (error: unknown) => problemOf(error, 'r1').headers['Retry-After'];
    expect(retryAfter(new SandboxRefusal('sandbox-saturated'))).to.equal('1');
    expect(retryAfter(new HostRefusal('installation-saturated'))).to.equal('1');
    expect(retryAfter(Object.assign(new Error(), { code: 'ECONNREFUSED' }))).to.equal('5');
    expect(retryAfter(new HostRefusal('host-overloaded'))).to.equal('1');
    expect(retryAfter(new HostRefusal('body-invalid'))).to.equal(undefined);
  });

  it('says when to come back in whole seconds, rounded up, where that is known exactly', () => {
    const retryAfter = (retryAfterMs: number) =>
      problemOf(new HostRefusal('cpu-budget-exhausted', undefined, { retryAfterMs }), 'r1').headers['Retry-After'];
    expect([1, 1_000, 1_001, 61_500].map(retryAfter)).to.deep.equal(['1', '1', '2', '62']);
  });

  it('names the methods that are allowed', () => {
    const refusal = new HostRefusal('method-not-allowed', undefined, { allowed: ['GET', 'POST'] });
    expect(problemOf(refusal, 'r1').headers).to.include({ Allow: 'GET, POST' });
  });

  it("hides what a plugin threw from its callers, and shows the invocation's id", () => {
    const fault: PluginFault = {
      code: 'plugin-threw',
      message: 'key sk-123',
      name: 'TypeError',
      stack: 'at secret.ts',
    };
    const { problem, headers, unexpected } = problemOf(new PluginFaultError(fault, 'i1'), 'r1');
    expect(JSON.stringify(problem)).not.to.match(/sk-123|TypeError|secret\.ts/);
    expect(problem).to.include({
      status: 502,
      invocationId: 'i1',
      detail: 'The plugin threw, or its promise rejected.',
    });
    expect(headers).to.include({ 'X-Gatehouse-Invocation': 'i1' });
    expect(unexpected).to.equal(false);
  });

  it('shows which limit a plugin hit', () => {
    const fault: PluginFault = { code: 'wall-limit', message: 'x', limit: 'wallMs', allowed: 10_000, used: 10_004 };
    const { problem } = problemOf(new PluginFaultError(fault, 'i1'), 'r1');
    expect(problem).to.include({ status: 504, limit: 'wallMs', allowed: 10_000, used: 10_004 });
    expect(problem.detail).to.equal('The invocation did not answer in time. wallMs: 10000 allowed, 10004 used.');
  });

  it('says nothing about what the host did not expect', () => {
    for (const thrown of [
      new TypeError('password=1'),
      'password=1',
      null,
      { code: 'slug-taken', message: 'password=1' },
    ]) {
      const { problem, unexpected } = problemOf(thrown, 'r1');
      expect(problem).to.include({ status: 500, code: 'internal-error' });
      expect(JSON.stringify(problem)).not.to.include('password');
      expect(unexpected).to.equal(true);
    }
  });
});
