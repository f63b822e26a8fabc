import { execFile } from 'node:child_process';
import { createPublicKey, generateKeyPairSync, randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { v7 as uuidv7 } from 'uuid';
import { createApiClient } from '../../plugins-sdk/cli/api-client.ts';
import { findWishes } from '../../plugins-sdk/cli/commands/install.ts';
import { registerKey } from '../../plugins-sdk/cli/commands/keygen.ts';
import { publishPlugin } from '../../plugins-sdk/cli/commands/publish.ts';
import { PART_BYTES } from '../../plugins-sdk/cli/upload-archive.ts';
import { keyIdOf } from '../../plugins-sdk/contract/index.ts';
import { OPERATOR_SLUG } from '../demo/people.ts';
import type { Installation } from '../installations/contract.ts';
import { type HostProcess, startHostProcess } from './another-process.ts';
import { callerRoutes, codeOf, startTestPlatform, type TestPlatform } from './test-platform.ts';

const SOURCE = `
import { definePlugin } from '@gatehouse/plugin-sdk';
export default definePlugin({
  routes: {
    'GET /hello': async () => ({ hello: true }),
    'GET /slow': async () => { await new Promise((resolve) => setTimeout(resolve, 50_000)); return {}; },
  },
});
`;
/** Far more than it takes, and far less than what is stopped would take. */
const SECONDS_MAX = 25;
const GATE = path.join(import.meta.dirname, '../../bin/gate.ts');

/** What was signed with a stolen key, or yanked, over two hosts in two processes. */
describe('releases that are taken back, over two host processes', () => {
  let platform: TestPlatform;
  let other: HostProcess;
  before(async () => {
    platform = await startTestPlatform();
    other = await startHostProcess(platform.database.appUrl, {
      GATEHOUSE_PORT: '0',
      GATEHOUSE_DATA: platform.folder,
      GATEHOUSE_LOG_LEVEL: 'silent',
      GATEHOUSE_SHED_DELAY_MS: '0',
    });
  });
  after(async () => {
    await other?.close();
    await platform.close();
  });

  const manifest = (name: string, version = '1.0.0') => ({
    ...callerRoutes('GET /hello', 'GET /slow'),
    name,
    version,
  });
  const callBoth = ({ slug }: Pick<Installation, 'slug'>, path: string) =>
    [platform.host.url, other.url].map((url) =>
      fetch(`${url}/run/${OPERATOR_SLUG}/${slug}${path}`, {
        headers: { authorization: `Bearer ${platform.credentials.caller}` },
      }),
    );
  const statuses = async (installation: Pick<Installation, 'slug'>) =>
    (await Promise.all(callBoth(installation, '/hello'))).map(({ status }) => status);

  it('stop running on every host within seconds when their key is revoked as stolen, and nothing else does', async () => {
    const { as } = platform;
    const good = await platform.install({ source: SOURCE, manifest: manifest('untouched') });
    const { privateKey } = generateKeyPairSync('ed25519');
    await registerKey(as.publisher)(privateKey, 'stolen');
    const since = new Date(Date.now() - 1_000).toISOString();
    // The same code as that of the other one: who signed it is what counts.
    const folder = await platform.writePlugin({ source: SOURCE, manifest: manifest('stolen') });
    const { release } = await publishPlugin(as.publisher)({ folder, privateKey });
    await as.moderator.approveRelease(release.id);
    const wish = { plugin: release.plugin, version: '^1', slug: 'stolen', grants: [] };
    const bad = await as.operator.install({ ...wish, id: uuidv7() });
    expect(await statuses(good)).to.deep.equal([200, 200]);
    expect(await statuses(bad)).to.deep.equal([200, 200]);
    const running = callBoth(bad, '/slow');
    // Both are inside by the time a later call has been answered.
    await statuses(bad);

    const keyId = keyIdOf(createPublicKey(privateKey as never));
    const from = performance.now();
    const { blockedReleaseIds } = await as.publisher.revokeKey(keyId, { compromisedSince: since });
    expect(blockedReleaseIds).to.deep.equal([release.id]);
    const ended = await Promise.all(running);
    const stoppedSeconds = (performance.now() - from) / 1_000;
    expect(ended.map(({ status }) => status)).to.not.include(200);
    expect(stoppedSeconds).to.be.below(SECONDS_MAX);
    console.log(`      stopped on both hosts after ${stoppedSeconds.toFixed(2)} s`);

    for (const answer of await Promise.all(callBoth(bad, '/hello'))) {
      expect(answer.status).to.equal(403);
      expect(await codeOf(answer)).to.equal('release-blocked');
    }
    expect(await statuses(good)).to.deep.equal([200, 200]);
    const again = await as.operator
      .install({ ...wish, slug: 'again', version: '1.0.0', id: uuidv7() })
      .catch((error) => error);
    expect(again.code).to.equal('release-blocked');
  });

  it('stop on every host within seconds when a moderator takes them down, and run again when they are restored', async () => {
    const { as } = platform;
    const source = SOURCE.replace('true', '"taken down"');
    const installation = await platform.install({ source, manifest: manifest('taken-down') });
    expect(await statuses(installation)).to.deep.equal([200, 200]);
    const running = callBoth(installation, '/slow');
    await statuses(installation);

    const from = performance.now();
    const reason = { code: 'malicious-behaviour' as const, message: 'It sends orders away.' };
    expect((await as.moderator.takeDown(installation.releaseId, reason)).state).to.equal('suspended');
    const ended = await Promise.all(running);
    const stoppedSeconds = (performance.now() - from) / 1_000;
    expect(ended.map(({ status }) => status)).to.not.include(200);
    expect(stoppedSeconds).to.be.below(SECONDS_MAX);
    console.log(`      taken down on both hosts after ${stoppedSeconds.toFixed(2)} s`);
    for (const answer of await Promise.all(callBoth(installation, '/hello'))) {
      expect(answer.status).to.equal(403);
      expect(await codeOf(answer)).to.equal('release-blocked');
    }
    const shown = async () => (await as.operator.findInstallation(installation.id)).blocked;
    expect((await shown())!.reason).to.equal('malicious-behaviour: It sends orders away.');
    const refused = await as.publisher.restoreRelease(installation.releaseId, 'x').catch((error) => error);
    expect(refused.code).to.equal('permission-denied');
    for (const client of [as.operator, as.publisher]) {
      const { items } = await client.listNotifications({ unread: true });
      expect(items.find(({ kind }) => kind === 'release-suspended')!.body).to.contain('It sends orders away.');
    }

    expect((await as.admin.restoreRelease(installation.releaseId, 'It was another one.')).state).to.equal('published');
    expect(await shown()).to.equal(null);
    const deadline = Date.now() + 30_000;
    while (!(await statuses(installation)).every((status) => status === 200)) expect(Date.now()).to.be.below(deadline);
  });

  it('are reviewed over HTTP: sent back with evidence, answered, appealed, held and published', async () => {
    const { as } = platform;
    const { id } = await platform.publish(
      await platform.writePlugin({ source: SOURCE, manifest: manifest('reviewed') }),
    );
    expect((await as.moderator.reviewQueue()).items.map(({ releaseId }) => releaseId)).to.include(id);
    await as.moderator.assignReview(id, 'me');
    const evidence = [{ file: 'gatehouse.json', line: 1 }];
    const reasons = [{ code: 'misleading-listing' as const, message: 'It says nothing.', evidence }];
    const wrong = { decision: 'reject', hold: true, reasons: [{ code: 'bad', message: 'x' }] } as never;
    const { facts } = await as.moderator.decideReview(id, wrong).catch((error) => error);
    expect(facts.faults.map(({ pointer }: { pointer: string }) => pointer)).to.have.members([
      '/reasons/0/code',
      '/hold',
    ]);
    expect(facts.advice).to.contain('faults');
    const mute = await as.moderator.decideReview(id, { decision: 'reject', reasons: [] }).catch((error) => error);
    expect(mute.facts.faults.map(({ pointer }: { pointer: string }) => pointer)).to.deep.equal(['/reasons']);
    await as.moderator.decideReview(id, { decision: 'request-changes', reasons });
    const { rounds } = await as.publisher.findReview(id);
    expect(rounds[0]!.reasons[0]!.evidence[0]).to.include({ file: 'gatehouse.json', line: 1 });
    expect((await as.publisher.resubmitRelease(id, 'It is a test.')).state).to.equal('in-review');
    await as.moderator.decideReview(id, { decision: 'reject', reasons });
    expect((await as.publisher.appealRelease(id, 'It is a test indeed.')).state).to.equal('in-review');
    const own = await as.moderator.decideReview(id, { decision: 'approve', reasons: [] }).catch((error) => error);
    expect(own.code).to.equal('review-conflict');
    const organisation = (await as.admin.whoami()).organisation.slug;
    const { secret } = await as.admin.issueToken({ organisation, role: 'moderator', label: 'second' });
    const second = createApiClient({ url: platform.host.url, token: secret });
    const held = await second.decideReview(id, { decision: 'approve', reasons: [], hold: true });
    expect(held.state).to.equal('approved');
    expect((await as.publisher.publishApproved(id)).state).to.equal('published');
    expect((await as.moderator.reviewFigures()).changesRequested).to.equal(1);
    const { items } = await as.publisher.listNotifications({ unread: true });
    expect(items.filter(({ kind }) => kind === 'release-reviewed')).to.have.length(3);
    await as.admin.trustPublisher('acme-labs', 'Known for years.');
    expect((await as.moderator.listTrusted()).items.map(({ publisher }) => publisher)).to.deep.equal(['acme-labs']);
    await as.admin.distrustPublisher('acme-labs');
  });

  it('are rejected over HTTP while they are held', async () => {
    const { as } = platform;
    const { id } = await platform.publish(
      await platform.writePlugin({ source: SOURCE, manifest: manifest('held-back') }),
    );
    await as.moderator.decideReview(id, { decision: 'approve', reasons: [], hold: true });
    const reasons = [{ code: 'malicious-behaviour' as const, message: 'It sends orders away.' }];
    expect((await as.moderator.decideReview(id, { decision: 'reject', reasons })).state).to.equal('rejected');
    const { items } = await as.publisher.listNotifications({ unread: true });
    expect(items[0]!.body).to.contain('It sends orders away.');
    expect((await as.publisher.appealRelease(id, 'It is a test.')).state).to.equal('in-review');
  });

  it('are verified again at every load: what was changed behind the back of the registry does not run', async () => {
    const installation = await platform.install({
      // Other releases with the same code would be as good.
      source: SOURCE.replace('true', '"forged"'),
      manifest: manifest('forged'),
    });
    expect(await statuses(installation)).to.deep.equal([200, 200]);
    const { knex } = platform.database;
    const { envelope } = await knex('releases').where({ id: installation.releaseId }).first('envelope');
    const signatures = envelope.signatures.map((each: { sig: string }) => ({ ...each, sig: 'AAAA' }));
    await knex('releases')
      .where({ id: installation.releaseId })
      .update({ envelope: { ...envelope, signatures } });
    await knex('installations').where({ id: installation.id }).update({ enabled: true });
    const deadline = Date.now() + 30_000;
    // Isolates are made anew as soon as the change of the installation has arrived.
    while ((await statuses(installation)).includes(200)) expect(Date.now()).to.be.below(deadline);
  });

  it('go on where they run when they are yanked, and are not installed anew; their operators are told', async () => {
    const { as } = platform;
    const installation = await platform.install({ source: SOURCE, manifest: manifest('yanked') });
    const publish = async (version: string) => {
      const source = SOURCE;
      const release = await platform.publish(
        await platform.writePlugin({ source, manifest: manifest('yanked', version) }),
      );
      return as.moderator.approveRelease(release.id);
    };
    await publish('1.0.1');
    await publish('2.0.0');
    const reach = await as.publisher.reach(installation.releaseId);
    expect(reach).to.deep.include({ installations: 1, operatorCount: 1, suggestedReplacement: '1.0.1' });
    expect(reach.operators).to.deep.equal([{ slug: OPERATOR_SLUG, installations: 1, enabled: 1, following: 0 }]);
    const command = { reason: 'Loses orders.', replacement: '1.0.1' };
    const unseen = await as.publisher
      .yank(installation.releaseId, { ...command, reach: 'a'.repeat(64) })
      .catch((error) => error);
    expect(unseen.code).to.equal('reach-changed');
    expect((await as.operator.reach(installation.releaseId).catch((error) => error)).code).to.equal(
      'permission-denied',
    );

    await as.publisher.yank(installation.releaseId, { ...command, reach: reach.digest });
    expect(await statuses(installation)).to.deep.equal([200, 200]);
    const wish = { plugin: installation.plugin, grants: [], id: uuidv7() };
    const refused = await as.operator.install({ ...wish, version: '1.0.0', slug: 'anew' }).catch((error) => error);
    expect(refused.code).to.equal('release-not-installable');
    expect(refused.message).to.match(/@1\.0\.0 was yanked: .*Loses orders\..* 1\.0\.1\.$/);
    const { items } = await as.operator.listNotifications({ unread: true });
    const told = items.find(({ kind }) => kind === 'release-yanked');
    expect(told!.body).to.contain('Loses orders.').and.contain('Take 1.0.1 instead.');
    const outdated = await as.operator.listOutdated();
    const own = outdated.items.find((each) => each.installation.id === installation.id);
    expect(own).to.include({ releaseState: 'yanked', latest: '2.0.0' });
    // Repeated, it is the same, whatever was looked at, and tells nobody twice.
    const again = () => as.publisher.yank(installation.releaseId, { ...command, reach: 'b'.repeat(64) });
    expect((await again()).state).to.equal('yanked');
    const notices = () => platform.database.knex('notifications').where({ kind: 'release-yanked' });
    expect((await notices()).map(({ id }) => id)).to.deep.equal([told!.id]);
    // As where the host died before it could tell anybody.
    await notices().delete();
    await again();
    expect((await notices()).map(({ id }) => id)).to.deep.equal([told!.id]);
  });

  it('is followed by installations where a channel moves', async () => {
    const { as } = platform;
    const publish = async (version: string) => {
      const place = await platform.writePlugin({
        source: SOURCE,
        manifest: manifest('channel', version),
      });
      return as.moderator.approveRelease((await platform.publish(place)).id);
    };
    const first = await publish('1.0.0-beta.1');
    await as.publisher.setTag(first.plugin, 'beta', '1.0.0-beta.1');
    const id = uuidv7();
    const installation = await as.operator.install({
      id,
      plugin: first.plugin,
      version: 'beta',
      slug: 'channel',
      grants: [],
    });
    expect(installation).to.include({ version: '1.0.0-beta.1' });
    expect(installation.updates.follows).to.equal('beta');
    await publish('1.0.0-beta.2');
    await as.publisher.setTag(first.plugin, 'beta', '1.0.0-beta.2');
    expect((await as.operator.updateInstallation(id, { version: 'beta' })).version).to.equal('1.0.0-beta.2');
  });

  it('are published in parts, listed, tagged, yanked and revoked from the terminal', async () => {
    const gate = async (token: string, ...args: string[]): Promise<string> => {
      const env = { PATH: process.env.PATH, GATEHOUSE_URL: other.url, GATEHOUSE_TOKEN: token, HOME: platform.folder };
      return (await promisify(execFile)(process.execPath, [GATE, ...args], { env })).stdout;
    };
    const { publisher } = platform.credentials;
    const { privateKey } = generateKeyPairSync('ed25519');
    const keyFile = path.join(platform.folder, 'terminal.pem');
    await writeFile(keyFile, privateKey.export({ type: 'pkcs8', format: 'pem' }));
    const keyId = keyIdOf(createPublicKey(privateKey as never)).slice(0, 12);
    expect(await gate(publisher, 'keys', 'register', '--key', keyFile, '--label', 'terminal')).to.contain('signs');
    const source = `${SOURCE}\nconsole.log(${JSON.stringify(randomBytes(200_000).toString('base64'))}.length);`;
    const folder = await platform.writePlugin({ source, manifest: manifest('terminal') });
    const release = JSON.parse(await gate(publisher, 'publish', folder, '--key', keyFile, '--json'));
    expect(await platform.database.knex('uploads').select('id')).to.deep.equal([]);
    await platform.as.moderator.approveRelease(release.id);
    const name = 'acme-labs/terminal';
    expect(await gate(publisher, 'dist-tag', 'set', `${name}@1.0.0`, 'beta')).to.match(/beta +1\.0\.0/);
    expect(await gate(publisher, 'deprecate', `${name}@1.0.0`, '--reason', 'Old.')).to.contain('deprecated');
    expect(await gate(publisher, 'versions', name)).to.match(/1\.0\.0 .*latest.*deprecated: Old\./);
    expect(await gate(publisher, 'unlist', name)).to.contain('by its name alone');
    expect(await findWishes(platform.as.operator)(name)).to.deep.equal([]);
    expect(await gate(publisher, 'yank', `${name}@1.0.0`)).to.contain('Nothing was changed');
    expect(await gate(publisher, 'yank', `${name}@1.0.0`, '--reason', 'Bad.', '--yes')).to.contain('yanked');
    const next = path.join(platform.folder, 'next.pem');
    const rotated = await gate(publisher, 'keys', 'rotate', keyId, '--out', next, '--overlap', '1');
    expect(rotated)
      .to.contain('signs until')
      .and.contain(`gate publish --key ${next}\nWithout --key, gate publish goes on`);
    const revoked = await gate(publisher, 'keys', 'revoke', keyId, '--compromised-since', '5m', '--yes');
    expect(revoked).to.contain('1 release is blocked');
    expect(await gate(publisher, 'versions', name)).to.contain('blocked');
    const later = await platform.writePlugin({ source: SOURCE, manifest: manifest('terminal', '1.0.1') });
    const refused = await gate(publisher, 'publish', later, '--key', keyFile).catch(({ stderr }) => stderr);
    expect(refused).to.match(/Yours, \w+…, is compromised since .+ Sign with another: gate publish --key <file>/);
    expect(await gate(publisher, 'publish', later, '--key', next)).to.contain('acme-labs/terminal@1.0.1 is');
  });

  it('lets a token that is restricted to one plugin publish that one from CI, and no other', async () => {
    const { as, signingKey } = platform;
    const { secret } = await as.publisher.issueToken({
      organisation: 'acme-labs',
      role: 'developer',
      label: 'ci',
      plugin: 'acme-labs/from-ci',
      scopes: ['release:publish'],
    });
    const ci = createApiClient({ url: platform.host.url, token: secret });
    const publish = async (name: string, version = '1.0.0', source = SOURCE) => {
      const folder = await platform.writePlugin({ source, manifest: { ...manifest(name), version } });
      return publishPlugin(ci)({ folder, privateKey: signingKey });
    };
    // More than goes at once.
    const noise = `${SOURCE}\nconsole.log('${randomBytes(300 * 1024).toString('base64')}');`;
    expect((await publish('from-ci', '1.1.0', noise)).packed.archive.length).to.be.above(PART_BYTES);
    const foreign = await publish('not-from-ci', '1.1.0', noise).catch((error) => error);
    expect(foreign.code).to.equal('token-restricted');
    expect((await publish('from-ci')).release.state).to.be.oneOf(['in-review', 'scanning']);
    expect((await publish('not-from-ci').catch((error) => error)).code).to.equal('token-restricted');
    const revoked = await ci.revokeKey('a'.repeat(64), {}).catch((error) => error);
    expect(revoked.code).to.equal('permission-denied');
  });
});
