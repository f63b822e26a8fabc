import { CAPABILITY_REFUSALS, PLUGIN_FAULTS } from '../../plugins-sdk/contract/index.ts';
import { REGISTRY_REFUSALS, RegistryRefusal } from '../../registry/index.ts';
import { SANDBOX_REFUSALS, SandboxRefusal } from '../../sandbox/index.ts';
import { HOST_REFUSALS, HostRefusal } from '../errors.ts';
import { PluginFaultError } from '../invocations/contract.ts';
import { ADVICE } from './advice.ts';
import { isDatabaseOutage } from './outages.ts';
import type { ProblemCode } from './problem-codes.ts';

/** The only place where a code becomes a status. A code without a status does not compile. */
const STATUS: Readonly<Record<ProblemCode, number>> = {
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
  // Not 503: nothing that the caller could wait for ends it.
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
  'version-range-invalid': 422,
  'version-range-unsatisfied': 409,

  'sandbox-saturated': 503,
  'sandbox-interrupted': 503,
  'sandbox-closed': 503,
  // Nobody is left to read it; nginx uses the same number for this in its log.
  'invocation-aborted': 499,

  // The plugin stands behind the host as an upstream server does (RFC 9110, 15.6.3 and 15.6.5).
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
};

/** Where the facts do not say `retryAfterMs`. */
const RETRY_AFTER_SECONDS: Partial<Record<ProblemCode, number>> = {
  'installation-saturated': 1,
  'installation-busy': 2,
  'login-locked': 30,
  'login-busy': 1,
  'cpu-budget-exhausted': 1,
  'rate-limited': 1,
  'host-overloaded': 1,
  'sandbox-saturated': 1,
  'sandbox-interrupted': 1,
  'sandbox-closed': 5,
  'host-shutting-down': 5,
  'database-unavailable': 5,
};

const TITLES: Readonly<Record<ProblemCode, string>> = {
  ...HOST_REFUSALS,
  ...REGISTRY_REFUSALS,
  ...SANDBOX_REFUSALS,
  ...PLUGIN_FAULTS,
};

export const statusOf = (code: ProblemCode): number => STATUS[code];

export interface ErrorRow {
  code: string;
  /** null where only a plugin meets the code, as the `code` of an Error. */
  status: number | null;
  title: string;
}

/** Every permanent code of every table, in the order of the tables; `docs/errors.md` is checked against it. */
export function errorTable(): ErrorRow[] {
  const refusals = Object.entries(TITLES).map(([code, title]) => ({
    code,
    status: STATUS[code as ProblemCode],
    title,
  }));
  const capability = Object.entries(CAPABILITY_REFUSALS).map(([code, title]) => ({ code, status: null, title }));
  return [...refusals, ...capability];
}

/** RFC 9457 problem details, with the facts of the occurrence as further members. */
export interface Problem {
  type: string;
  title: string;
  status: number;
  detail: string;
  instance: string;
  code: ProblemCode;
  /** What its reader can do about it. */
  advice: string;
  [fact: string]: unknown;
}

export interface ProblemAnswer {
  problem: Problem;
  /** Further headers of the answer: Retry-After, Allow, WWW-Authenticate, X-Gatehouse-Invocation. */
  headers: Record<string, string>;
  /** True for a failure of the host itself, which is logged with its stack. */
  unexpected: boolean;
}

export const PROBLEM_MEDIA_TYPE = 'application/problem+json';

/** Turns whatever was thrown into an answer. What the host did not mean to say is not said: it becomes `internal-error`. */
export function problemOf(error: unknown, requestId: string): ProblemAnswer {
  if (error instanceof PluginFaultError) return faultAnswer(error, requestId);
  if (error instanceof HostRefusal || error instanceof RegistryRefusal) {
    return answer(error.code, error.message, error.facts, requestId);
  }
  if (error instanceof SandboxRefusal) return answer(error.code, error.message, {}, requestId);
  if (isDatabaseOutage(error)) return { ...answer('database-unavailable', '', {}, requestId), unexpected: true };
  return { ...answer('internal-error', '', {}, requestId), unexpected: true };
}

/** The caller learns which limit was hit; what the plugin threw is for its publisher and operator, in their log. */
function faultAnswer({ fault, invocationId }: PluginFaultError, requestId: string): ProblemAnswer {
  const { code, limit, allowed, used } = fault;
  const detail = limit === undefined ? '' : `${PLUGIN_FAULTS[code]} ${limit}: ${allowed} allowed, ${used} used.`;
  const facts = { invocationId, ...(limit === undefined ? {} : { limit, allowed, used }) };
  const { problem, headers, unexpected } = answer(code, detail, facts, requestId);
  return { problem, headers: { ...headers, 'X-Gatehouse-Invocation': invocationId }, unexpected };
}

function answer(code: ProblemCode, detail: string, facts: Record<string, unknown>, requestId: string): ProblemAnswer {
  const members: Problem = {
    type: `/problems/${code}`,
    title: TITLES[code],
    status: STATUS[code],
    detail: detail || TITLES[code],
    instance: `urn:request:${requestId}`,
    code,
    advice: ADVICE[code],
  };
  // The standard members come first for readers, and last so that no fact replaces one.
  const problem: Problem = { ...members, ...facts, ...members };
  return { problem, headers: headersFor(code, facts), unexpected: false };
}

/** Whole seconds, at least 1 (RFC 9110, 10.2.3). */
function retryAfterSeconds(code: ProblemCode, { retryAfterMs }: Record<string, unknown>): number | undefined {
  if (typeof retryAfterMs === 'number') return Math.max(1, Math.ceil(retryAfterMs / 1_000));
  return RETRY_AFTER_SECONDS[code];
}

function headersFor(code: ProblemCode, facts: Record<string, unknown>): Record<string, string> {
  const headers: Record<string, string> = {};
  const retryAfter = retryAfterSeconds(code, facts);
  if (retryAfter !== undefined) headers['Retry-After'] = String(retryAfter);
  // RFC 6750, section 3: no error code where no credentials were sent.
  if (code === 'token-missing') headers['WWW-Authenticate'] = 'Bearer realm="gatehouse"';
  if (code === 'token-invalid') headers['WWW-Authenticate'] = 'Bearer realm="gatehouse", error="invalid_token"';
  if (code === 'permission-denied') {
    headers['WWW-Authenticate'] = 'Bearer realm="gatehouse", error="insufficient_scope"';
  }
  // RFC 9110, 15.5.6 and 15.5.16.
  if (code === 'method-not-allowed' && Array.isArray(facts.allowed)) headers.Allow = facts.allowed.join(', ');
  if (code === 'content-type-unsupported') headers['Accept-Encoding'] = 'identity';
  return headers;
}
