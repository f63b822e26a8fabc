import { createPublicKey, generateKeyPairSync } from 'node:crypto';
import { expect } from 'chai';
import { v7 as uuidv7 } from 'uuid';
import { createApiClient } from '../../plugins-sdk/cli/api-client.ts';
import { registerKey } from '../../plugins-sdk/cli/commands/keygen.ts';
import { publishPlugin } from '../../plugins-sdk/cli/commands/publish.ts';
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
    'GET /slow': async () => { await new Promise((resolve) => setTimeout(resolve, 20_000)); return {}; },
  },
});
`;
const SECONDS_MAX = 5;

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
    limits: { wallMs: 25_000 },
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
    const { items } = await as.operator.listNotifications({ unread: true });
    const told = items.find(({ kind }) => kind === 'release-yanked');
    expect(told!.body).to.contain('Loses orders.').and.contain('Take 1.0.1 instead.');
    const outdated = await as.operator.listOutdated();
    const own = outdated.items.find((each) => each.installation.id === installation.id);
    expect(own).to.include({ releaseState: 'yanked', latest: '2.0.0' });
    // Repeated, it is the same, whatever was looked at.
    expect((await as.publisher.yank(installation.releaseId, { ...command, reach: 'b'.repeat(64) })).state).to.equal(
      'yanked',
    );
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
    const publish = async (name: string) => {
      const folder = await platform.writePlugin({ source: SOURCE, manifest: manifest(name) });
      return publishPlugin(ci)({ folder, privateKey: signingKey });
    };
    expect((await publish('from-ci')).release.state).to.be.oneOf(['in-review', 'scanning']);
    expect((await publish('not-from-ci').catch((error) => error)).code).to.equal('token-restricted');
    const revoked = await ci.revokeKey('a'.repeat(64), {}).catch((error) => error);
    expect(revoked.code).to.equal('permission-denied');
  });
});
