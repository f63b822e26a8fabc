import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { expect } from 'chai';
import { v7 as uuidv7 } from 'uuid';
import { createApiClient } from '../../plugins-sdk/cli/api-client.ts';
import { registerKey } from '../../plugins-sdk/cli/commands/keygen.ts';
import { publishPlugin } from '../../plugins-sdk/cli/commands/publish.ts';
import { keyIdOf, type Manifest } from '../../plugins-sdk/contract/index.ts';
import type { Provenance, Release } from '../../registry/index.ts';
import type { Installation } from '../installations/contract.ts';
import { callerRoutes, startTestPlatform, type TestPlatform } from './test-platform.ts';

const DEADLINE_MS = 60_000;
const DAY_MS = 86_400_000;
const PROVENANCE: Provenance = {
  repository: 'https://example.com/acme/shop',
  commit: 'a'.repeat(40),
  builder: 'gate 0.1.0',
};

const sourceOf = (version: string, broken = '') => `
import { definePlugin } from '@gatehouse/plugin-sdk';
export default definePlugin({ routes: { 'GET /version': () => { ${broken} return { version: '${version}' }; } } });
`;

describe('releases on their way to operators', () => {
  let platform: TestPlatform;
  before(async () => {
    platform = await startTestPlatform({ GATEHOUSE_CORDONS: '1' });
  });
  after(() => platform.close());

  interface Publishing {
    key?: KeyObject;
    provenance?: Provenance;
    manifest?: Partial<Manifest>;
    broken?: string;
  }
  const publish = async (
    name: string,
    version: string,
    { key = platform.signingKey, provenance, manifest = {}, broken }: Publishing = {},
  ): Promise<Release> => {
    const whole = { name, version, ...callerRoutes('GET /version'), ...manifest };
    const folder = await platform.writePlugin({ source: sourceOf(version, broken), manifest: whole });
    const source = { folder, privateKey: key, ...(provenance && { provenance }) };
    const { release } = await publishPlugin(platform.as.publisher)(source);
    return platform.as.moderator.approveRelease(release.id);
  };
  const install = (name: string, version: string, more = {}): Promise<Installation> =>
    platform.as.operator.install({
      id: uuidv7(),
      plugin: `acme-labs/${name}`,
      version,
      slug: name,
      grants: [],
      ...more,
    });
  const find = ({ id }: Pick<Installation, 'id'>) => platform.as.operator.findInstallation(id);
  const refusalOf = (
    call: Promise<unknown>,
  ): Promise<{ code: string; message: string; facts: Record<string, unknown> }> =>
    call.then(
      () => ({ code: 'accepted', message: '', facts: {} }),
      (error) => error,
    );
  async function until<Value>(look: () => Promise<Value>, done: (value: Value) => boolean): Promise<Value> {
    for (const endMs = Date.now() + DEADLINE_MS; ; ) {
      const value = await look();
      if (done(value)) return value;
      if (Date.now() > endMs) throw new Error(`not reached: ${JSON.stringify(value)}`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
  const runs = (installation: Installation, version: string) =>
    until(
      () => find(installation),
      (found) => found.version === version,
    );
  const waits = (installation: Installation, version: string) =>
    until(
      () => find(installation),
      (found) => found.updates.waiting?.version === version,
    );
  /** Any change of a release of the plugin makes hosts look. */
  const outSince = ({ id }: Release, daysAgo: number) =>
    platform.database
      .knex('releases')
      .where({ id })
      .update({ reviewed_at: new Date(Date.now() - daysAgo * DAY_MS) });

  describe('a delay', () => {
    it('lets a release arrive only when it has been out for so long', async () => {
      await publish('patient', '1.0.0');
      const installation = await install('patient', '^1', { updates: { delaySeconds: 3 * 86_400 } });
      const newer = await publish('patient', '1.1.0');
      const older = await publish('patient', '1.0.1');
      await outSince(older, 4);
      await runs(installation, '1.0.1');
      expect((await find(installation)).updates.delaySeconds).to.equal(3 * 86_400);
      await outSince(newer, 2);
      await outSince(newer, 3.1);
      await runs(installation, '1.1.0');
    });

    it('never takes what was yanked meanwhile, and holds nobody back who updates by hand', async () => {
      await publish('cautious', '1.0.0');
      const installation = await install('cautious', '^1');
      await platform.as.operator.updateInstallation(installation.id, { updates: { delaySeconds: 86_400 } });
      const yanked = await publish('cautious', '1.1.0');
      const good = await publish('cautious', '1.0.1');
      await platform.database.knex('releases').where({ id: yanked.id }).update({ state: 'yanked' });
      await outSince(yanked, 9);
      await outSince(good, 2);
      await runs(installation, '1.0.1');
      await publish('cautious', '1.2.0');
      const updated = await platform.as.operator.updateInstallation(installation.id, { version: '1.2.0' });
      expect(updated.version).to.equal('1.2.0');
    });
  });

  describe('a release that is signed more weakly', () => {
    it('does not arrive by itself nor by hand until whoever owns the operator has accepted it', async () => {
      const { operator } = platform.as;
      await publish('proven', '1.0.0', { provenance: PROVENANCE });
      const installation = await install('proven', '^1');
      await publish('proven', '1.1.0');
      const { updates } = await waits(installation, '1.1.0');
      expect(updates.waiting!.reason).to.equal(
        'It is signed more weakly: 1.0.0 said where it was built, and 1.1.0 does not.',
      );
      const told = (await operator.listNotifications()).items.find(({ kind }) => kind === 'update-waiting')!;
      expect(told.subject).to.equal('acme-labs/proven at arcade-one/proven does not take 1.1.0 by itself');
      expect((await operator.previewUpdate(installation.id)).weaknesses.map(({ kind }) => kind)).to.deep.equal([
        'provenance-gone',
      ]);
      const refusal = await refusalOf(operator.updateInstallation(installation.id, { version: '1.1.0' }));
      expect(refusal.code).to.equal('signing-weaker');
      expect((refusal.facts.weaknesses as unknown[]).length).to.equal(1);

      const manager = await operator.issueToken({
        organisation: 'arcade-one',
        role: 'operator-manager',
        label: 'manager',
      });
      const accepted = { version: '1.1.0', reason: 'Its publisher changed its CI.' };
      const asManager = createApiClient({ url: platform.host.url, token: manager.secret });
      expect((await refusalOf(asManager.acceptSigning(installation.id, accepted))).code).to.equal('permission-denied');
      await operator.acceptSigning(installation.id, accepted);
      await operator.acceptSigning(installation.id, accepted);
      const { items } = await operator.listAudit({ action: 'installation.signing-accepted' });
      expect(items.map(({ after }) => (after as { weaknesses: string[] }).weaknesses)).to.deep.equal([
        ['provenance-gone'],
      ]);
      expect((await operator.updateInstallation(installation.id, { version: '^1' })).version).to.equal('1.1.0');
      // What ran here before may come back, however it is signed.
      await operator.updateInstallation(installation.id, { version: '1.0.0' });
      expect((await operator.rollBack(installation.id, { version: '1.1.0' })).version).to.equal('1.1.0');
    });

    it('leaves room for an older one that is signed as before', async () => {
      await publish('overtaken', '1.0.0', { provenance: PROVENANCE });
      const installation = await install('overtaken', '^1');
      await publish('overtaken', '1.2.0');
      await waits(installation, '1.2.0');
      await publish('overtaken', '1.1.0', { provenance: PROVENANCE });
      await runs(installation, '1.1.0');
    });

    it('is one whose key did not overlap with that of the one before', async () => {
      const { operator, publisher } = platform.as;
      const [first, second, third] = [1, 2, 3].map(() => generateKeyPairSync('ed25519').privateKey) as [
        KeyObject,
        KeyObject,
        KeyObject,
      ];
      await registerKey(publisher)(first, 'first');
      await publish('rotated', '1.0.0', { key: first });
      const installation = await install('rotated', '^1');
      await registerKey(publisher)(second, 'second');
      await publish('rotated', '1.1.0', { key: second });
      await runs(installation, '1.1.0');
      // Everything is revoked, and whoever has the account makes a key of their own.
      for (const key of [first, second, platform.signingKey]) await publisher.revokeKey(keyIdOf(key), {});
      await registerKey(publisher)(third, 'third');
      await publish('rotated', '1.2.0', { key: third });
      const { updates } = await waits(installation, '1.2.0');
      expect(updates.waiting!.reason).to.include('it did not come by a rotation');
      const refusal = await refusalOf(operator.updateInstallation(installation.id, { version: '1.2.0' }));
      expect([refusal.code, (refusal.facts.weaknesses as { kind: string }[])[0]!.kind]).to.deep.equal([
        'signing-weaker',
        'signer-new',
      ]);
    });
  });
});
