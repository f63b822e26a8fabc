import { readdir, readFile } from 'node:fs/promises';
import { expect } from 'chai';
import { createApiClient } from '../../plugins-sdk/cli/api-client.ts';
import type { AuditRecord } from '../../registry/index.ts';
import { checkAudit } from '../audit/check-audit.ts';
import { fakePorts } from '../http/fake-ports.ts';
import { allRoutes } from '../routes/index.ts';
import { KV, startTestPlatform, type TestPlatform } from './test-platform.ts';

/** What each state-changing route writes; `-` and a reason where it writes nothing. */
const AUDITED: Record<string, string> = {
  'POST /v1/organisations': 'organisation.create',
  'POST /v1/tokens': 'token.issue',
  'DELETE /v1/tokens/:id': 'token.revoke',
  'POST /v1/keys': 'key.register',
  'POST /v1/releases': 'release.publish',
  'POST /v1/releases/:id/approval': 'release.approve',
  'POST /v1/releases/:id/rejection': 'release.reject',
  'POST /v1/installations': 'installation.installed',
  'PATCH /v1/installations/:id': 'installation.disabled',
  'DELETE /v1/installations/:id': 'installation.uninstalled',
  'POST /v1/installations/:id/restoration': 'installation.restored',
  'POST /v1/installations/:id/resume': 'installation.resume',
  'POST /v1/installations/:id/promotion': 'installation.canary-promoted',
  'POST /v1/installations/:id/rollback': 'installation.rolled-back',
  'POST /v1/installations/:id/hooks/:hook': '- an event for the plugin, like an invocation: metered and logged',
  'PUT /v1/installations/:id/grants/:capability': 'installation.grant',
  'DELETE /v1/installations/:id/grants/:capability': 'installation.revoke',
  'PUT /v1/installations/:id/secrets/:secret': 'secret.set',
  'DELETE /v1/installations/:id/secrets/:secret': 'secret.remove',
  'PATCH /v1/installations/:id/recording-settings': 'recording.configure',
  'DELETE /v1/recordings/:id': 'recording.remove',
  'POST /v1/installations/:id/queue/:message/retry':
    '- work, not rights: the message itself says how often it was tried',
  'DELETE /v1/installations/:id/queue/:message': '- work, not rights: messages of a plugin to itself',
  'POST /v1/notifications/:id/read': '- says only that somebody read it',
  'POST /v1/accounts': 'account.register',
  'POST /v1/accounts/verification': 'account.verify',
  'POST /v1/accounts/verification-mails': '- sends a mail, and says to nobody whether there is such an account',
  'POST /v1/accounts/password-resets': '- sends a mail, and says to nobody whether there is such an account',
  'POST /v1/accounts/password-resets/confirmation': 'account.reset-password',
  'PUT /v1/account/password': 'account.change-password',
  'POST /v1/account/deactivation': 'account.deactivate',
  'DELETE /v1/accounts/:username/lockout': 'account.unlock',
  'PUT /v1/accounts/:username/deactivation': 'account.deactivate',
  'DELETE /v1/accounts/:username/deactivation': 'account.reactivate',
  'POST /v1/sessions': 'session.open',
  'POST /v1/sessions/refresh': 'session.reuse',
  'DELETE /v1/sessions/current': 'session.end',
  'DELETE /v1/sessions/:id': 'session.end',
  'DELETE /v1/sessions': 'session.end-all',
  'POST /v1/sessions/second-factor': 'factor.confirm',
  'POST /v1/sessions/passkey/challenge': '- a question to a device, forgotten within minutes',
  'POST /v1/sessions/passkey': 'session.open',
  'POST /v1/sessions/telegram': 'session.open',
  'POST /v1/account/totp': '- counts from its confirmation on',
  'POST /v1/account/totp/confirmation': 'totp.enrol',
  'DELETE /v1/account/totp': 'totp.remove',
  'POST /v1/account/recovery-codes': 'recovery-codes.renew',
  'POST /v1/account/passkeys/challenge': '- a question to a device, forgotten within minutes',
  'POST /v1/account/passkeys': 'passkey.enrol',
  'DELETE /v1/account/passkeys/:id': 'passkey.remove',
  'POST /v1/sessions/current/step-up/challenge': '- a question to a device, forgotten within minutes',
  'POST /v1/sessions/current/step-up': 'session.step-up',
  'DELETE /v1/accounts/:username/factors': 'factor.reset',
  'PUT /v1/account/telegram': 'telegram.link',
  'DELETE /v1/account/telegram': 'telegram.unlink',
  'DELETE /v1/memberships/:slug': 'member.leave',
  'POST /v1/account/organisations': 'organisation.register',
  'PATCH /v1/organisations/:slug': 'organisation.rename',
  'PATCH /v1/members/:id': 'member.change-role',
  'DELETE /v1/members/:id': 'member.remove',
  'POST /v1/ownership-offers': 'organisation.offer',
  'POST /v1/ownership-offers/:id/acceptance': 'organisation.transfer',
  'DELETE /v1/ownership-offers/:id': 'organisation.end-offer',
  'POST /v1/invitations': 'member.invite',
  'DELETE /v1/invitations/:id': 'invitation.revoke',
  'POST /v1/invitations/reading': '- reads; the secret of the invitation belongs into no address',
  'POST /v1/invitations/acceptance': 'invitation.accept',
  'POST /v1/invitations/refusal': 'invitation.decline',
  'POST /v1/tokens/:id/rotation': 'token.rotate',
  'POST /v1/tokens/:id/adoption': 'token.adopt',
  'POST /v1/device-codes': '- asks for something that a person then approves or not',
  'POST /v1/device-codes/claim': '- hands out what was approved, once',
  'POST /v1/device-codes/reading': '- reads; the code belongs into no address',
  'POST /v1/device-codes/approval': 'device.approve',
  'POST /v1/device-codes/refusal': '- nobody got anything',
  'POST /v1/account/exports': 'account.export',
  'POST /v1/account/erasure': 'account.erase',
  'POST /v1/keys/:keyId/rotation': 'key.rotate',
  'POST /v1/keys/:keyId/revocation': 'key.revoke',
  'POST /v1/releases/:id/scan/acknowledgement': 'scan.acknowledge',
  'PUT /v1/releases/:id/review/assignment': 'release.assign-review',
  'PATCH /v1/releases/:id/review/checklist': '- notes of a review; the decision says what they led to',
  'POST /v1/releases/:id/review/decision': 'release.request-changes',
  'POST /v1/releases/:id/review/resubmission': 'release.resubmit',
  'POST /v1/releases/:id/review/appeal': 'release.appeal',
  'POST /v1/releases/:id/publication': 'release.publish-approved',
  'POST /v1/releases/:id/takedown': 'release.takedown',
  'POST /v1/releases/:id/restoration': 'release.restore',
  'PUT /v1/trusted-publishers/:publisher': 'publisher.trust',
  'DELETE /v1/trusted-publishers/:publisher': 'publisher.distrust',
  'POST /v1/releases/:id/yank': 'release.yank',
  'PUT /v1/releases/:id/deprecation': 'release.deprecate',
  'DELETE /v1/releases/:id/deprecation': 'release.undeprecate',
  'PUT /v1/installations/:id/accepted-signing': 'installation.signing-accepted',
  'PUT /v1/plugins/:publisher/:name/stagings/:version': 'staging.plan',
  'POST /v1/plugins/:publisher/:name/stagings/:version/decision': 'staging.halt',
  'POST /v1/imports': 'release.import',
  'PUT /v1/plugins/:publisher/:name/listing': 'plugin.unlist',
  'PUT /v1/plugins/:publisher/:name/dist-tags/:tag': 'dist-tag.set',
  'DELETE /v1/plugins/:publisher/:name/dist-tags/:tag': 'dist-tag.remove',
  'POST /v1/uploads': '- bytes on their way; the release that they become is audited',
  'POST /v1/uploads/:id/parts': '- bytes on their way; the release that they become is audited',
  'POST /v1/uploads/:id/release': 'release.publish',
  'POST /v1/webhooks': 'webhook.add',
  'PATCH /v1/webhooks/:id': 'webhook.change',
  'DELETE /v1/webhooks/:id': 'webhook.remove',
  'POST /v1/webhooks/:id/rotation': 'webhook.rotate',
  'POST /v1/webhooks/:id/replay': 'webhook.replay',
  'POST /v1/webhooks/:id/deliveries/:delivery/replay': 'webhook.replay',
  'POST /v1/webhooks/:id/ping': 'webhook.ping',
  'PUT /v1/catalogue/:publisher/:name/ratings/own': 'rating.write',
  'DELETE /v1/catalogue/:publisher/:name/ratings/own': '- an opinion, taken back',
  'PUT /v1/ratings/:id/vote': '- an opinion of an opinion',
  'PUT /v1/ratings/:id/reply': 'rating.reply',
  'PUT /v1/ratings/:id/report': '- asks a moderator to look',
  'PUT /v1/ratings/:id/moderation': 'rating.hide',
};

/** What `doEverything` below does. The others are found in the code; tests of their features bring them about. */
const DONE = new Set(Object.keys(AUDITED).slice(0, 24));
const ELSEWHERE = [
  'installation.resume',
  'installation.canary-promoted',
  'installation.rolled-back',
  'installation.signing-accepted',
  'recording.remove',
];

describe('the audit trail of a whole platform', () => {
  let platform: TestPlatform;
  let entries: AuditRecord[];
  let auditorSecret: string;
  before(async () => {
    platform = await startTestPlatform({ GATEHOUSE_CORDONS: '1' });
    const auditor = { organisation: 'gatehouse', role: 'finance-auditor', label: 'auditor' } as const;
    auditorSecret = (await platform.as.admin.issueToken(auditor)).secret;
    await doEverything(platform);
    entries = (await platform.as.admin.listAudit({ limit: 100 })).items;
  });
  after(() => platform.close());

  it('says of every state-changing route what it writes, or why nothing', () => {
    const changing = allRoutes(fakePorts()).filter(({ method }) => method !== 'GET');
    const unsaid = changing.map(({ method, path }) => `${method} ${path}`).filter((name) => !(name in AUDITED));
    expect(unsaid).to.deep.equal([]);
  });

  it('has an entry for everything that was done', () => {
    const written = new Set(entries.map(({ action }) => action));
    const wanted = Object.entries(AUDITED)
      .filter(([name, action]) => DONE.has(name) && !action.startsWith('-') && !ELSEWHERE.includes(action))
      .map(([, action]) => action);
    expect(wanted.filter((action) => !written.has(action))).to.deep.equal([]);
  });

  it('names only actions that the code writes', async () => {
    const files = await Promise.all(['registry', 'host'].map((folder) => readdir(folder, { recursive: true })));
    const sources = files.flatMap((names, index) =>
      names
        .filter((name) => /^(?!.*\.test\.ts$).*\.ts$/.test(name))
        .map((name) => readFile(`${['registry', 'host'][index]}/${name}`, 'utf8')),
    );
    const code = (await Promise.all(sources)).join('\n');
    const written = (action: string) => code.includes(`'${action}'`) || code.includes(`'${action.split('.')[1]}'`);
    expect(Object.values(AUDITED).filter((action) => !action.startsWith('-') && !written(action))).to.deep.equal([]);
  });

  it('says who, from where and by which request, and never a secret', () => {
    const set = entries.find(({ action }) => action === 'secret.set')!;
    expect(set.actor).to.include({ via: 'token', role: 'operator-owner' });
    expect(set.address).to.equal('127.0.0.1');
    expect(set.requestId).to.match(/^[0-9a-f-]{36}$/);
    expect(set.after).to.deep.equal({ name: 'API_KEY' });
    expect(JSON.stringify(entries)).not.to.include('key-value-123').and.not.to.include('gh_call_');
  });

  it('shows organisations what concerns them alone, and not where staff of the platform sat', async () => {
    const seen = async (who: 'operator' | 'publisher') => (await platform.as[who].listAudit({ limit: 100 })).items;
    const [operator, publisher] = [await seen('operator'), await seen('publisher')];
    expect(new Set(operator.map(({ organisationId }) => organisationId)).size).to.equal(1);
    expect(operator.map(({ id }) => id).filter((id) => publisher.some((each) => each.id === id))).to.deep.equal([]);
    expect(publisher.find(({ action }) => action === 'release.approve')).to.include({ address: null });
    expect(entries.find(({ action }) => action === 'release.approve')).to.include({ address: '127.0.0.1' });
    const auditor = createApiClient({ url: platform.host.url, token: auditorSecret });
    const all = (await auditor.listAudit({ limit: 100, to: entries[0]!.at })).items.map(({ id }) => id);
    expect(all.length).to.be.greaterThan(operator.length);
    const foreign = await platform.as.operator.listAudit({ organisation: 'acme-labs' }).catch((error) => error.code);
    expect(foreign).to.equal('organisation-foreign');
  });

  it('is found by action, subject, actor, time and outcome, and read in pages', async () => {
    const { as } = platform;
    const one = entries.find(({ action }) => action === 'token.issue')!;
    const found = async (filter: object) => (await as.admin.listAudit(filter)).items.map(({ action }) => action);
    expect(await found({ action: 'token.issue', limit: 1 })).to.deep.equal(['token.issue']);
    expect(new Set(await found({ action: 'secret.' }))).to.deep.equal(new Set(['secret.set', 'secret.remove']));
    expect(await found({ subject: one.subject.id })).to.include('token.issue');
    expect(await found({ actor: one.actor.credentialId, action: 'key.' })).to.deep.equal([]);
    expect(await found({ to: '2001-01-01T00:00:00Z' })).to.deep.equal([]);
    expect(await found({ outcome: 'refused' })).to.deep.equal([]);
    const paged: string[] = [];
    for (let cursor: string | undefined, more = true; more; ) {
      const page = await as.admin.listAudit({ limit: 7, cursor });
      paged.push(...page.items.map(({ id }) => id));
      cursor = page.nextCursor ?? undefined;
      more = cursor !== undefined;
    }
    expect(paged).to.deep.equal(entries.map(({ id }) => id));
  });

  it('leaves as lines of JSON and as CSV', async () => {
    const lines = (await platform.as.admin.exportAudit()).trimEnd().split('\n');
    expect(lines.map((line) => JSON.parse(line).sequence)).to.deep.equal(entries.map(({ sequence }) => sequence));
    const csv = (await platform.as.operator.exportAudit({ format: 'csv' })).trimEnd().split('\r\n');
    expect(csv[0]).to.match(/^sequence,at,action/);
    expect(csv.length - 1).to.equal((await platform.as.operator.listAudit({ limit: 100 })).items.length);
  });

  it('is found whole by the doctor, and broken once a row was touched', async () => {
    const { database } = platform;
    const signingKeyFile = `${platform.folder}/registry-key.pem`;
    const whole = await checkAudit({ signingKeyFile }, database.appUrl);
    expect(whole.faults).to.deep.equal([]);
    expect(whole.entries).to.be.at.least(entries.length);
    const { sequence, id } = entries[3]!;
    await database.asOwner(async (owner) => {
      await owner.raw('alter table audit_entries disable trigger user');
      await owner.raw(`update audit_entries set content = replace(content, '127.0.0.1', '127.0.0.2') where id = ?`, [
        id,
      ]);
    });
    const { faults } = await checkAudit({ signingKeyFile }, database.appUrl);
    expect(faults.map((fault) => [fault.kind, Number(fault.sequence)])).to.deep.equal([['edited', sequence]]);
  });
});

async function doEverything({ as, install, publish, writePlugin }: TestPlatform): Promise<void> {
  const source = `
    import { definePlugin } from '@gatehouse/plugin-sdk';
    export default definePlugin({ routes: {} });`;
  const manifest = {
    capabilities: [
      { ...KV, optional: true },
      { name: 'secret-values' as const, reason: 'Signs what it sends.', optional: true },
    ],
    secrets: [{ name: 'API_KEY', reason: 'Signs what it sends.' }],
  };
  const { id } = await install({ source, manifest });
  await as.operator.grant(id, 'kv').catch(() => {});
  await as.operator.revoke(id, 'kv');
  await as.operator.grant(id, 'kv');
  await as.operator.setSecret(id, 'API_KEY', 'key-value-123');
  await as.operator.removeSecret(id, 'API_KEY');
  await as.operator.configureRecordings(id, { sampleRate: 0.5 });
  await as.operator.updateInstallation(id, { enabled: false });
  await as.operator.uninstall(id);
  await as.operator.restore(id);
  const rejected = await publish(await writePlugin({ source }));
  await as.moderator.rejectRelease(rejected.id, ['For the test.']);
  const { token } = await as.operator.issueToken({ organisation: 'arcade-one', role: 'caller', label: 'x' });
  await as.operator.revokeToken(token.id);
}
