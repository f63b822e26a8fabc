import { expect } from 'chai';
import type { Principal, Release } from '../index.ts';
import { refusalOf, sampleRelease, type TestPublisher, type TestRegistry, testRegistry } from '../test-registry.ts';
import { chooseLatestIn } from './compose.ts';

describe('releases after they were published', () => {
  let test: TestRegistry;
  let acme: TestPublisher;
  let rival: TestPublisher;
  let operator: Principal;
  before(async () => {
    test = await testRegistry();
    acme = await test.publisher('acme');
    rival = await test.publisher('rival');
    operator = await test.organisation('arcade', 'operator', 'operator-owner');
  });
  after(() => test.database.close());
  const life = () => test.publishing.releaseLife;
  const publishAll = async (name: string, ...versions: string[]): Promise<Release[]> => {
    const all: Release[] = [];
    for (const version of versions) all.push(await test.published(acme, { name, version }));
    return all;
  };
  const resolved = async (plugin: string, version?: string) =>
    (await test.registry.resolveRelease(operator, { plugin, version })).release.version;

  describe('yank', () => {
    it('takes a release out of every choice for good, and leaves its reason and replacement for whoever asks', async () => {
      const [, , newest] = await publishAll('pulled', '1.0.0', '1.0.1', '1.1.0');
      await life().setTag(acme.principal, { plugin: 'acme/pulled', tag: 'beta', version: '1.1.0' });
      const yanked = await life().yank(acme.principal, newest!.id, { reason: 'Loses orders.', replacement: '1.0.1' });
      expect(yanked).to.include({ state: 'yanked' });
      expect(yanked.yanked).to.deep.include({ reason: 'Loses orders.', replacement: '1.0.1' });
      for (const wish of [undefined, '^1', 'latest']) expect(await resolved('acme/pulled', wish)).to.equal('1.0.1');
      expect((await refusalOf(resolved('acme/pulled', 'beta'))).code).to.equal('version-range-unsatisfied');
      const shown = await test.registry.resolveRelease(operator, { plugin: 'acme/pulled', version: '1.1.0' });
      expect(shown.release.yanked!.reason).to.equal('Loses orders.');
      // What runs goes on.
      expect((await test.registry.loadBundle(yanked.bundleDigest)).code).to.equal('export default 1;');
    });

    it('never frees the version for other bytes, and gives the yanked release for the same ones', async () => {
      const [only] = await publishAll('once', '1.0.0');
      await life().yank(acme.principal, only!.id, { reason: 'Broken.' });
      const other = await sampleRelease(acme, { name: 'once' }, 'export default 2;');
      expect((await refusalOf(test.registry.publishRelease(acme.principal, other))).code).to.equal(
        'release-version-taken',
      );
      const same = await sampleRelease(acme, { name: 'once' });
      expect((await test.registry.publishRelease(acme.principal, same)).state).to.equal('yanked');
    });

    it('decides on the newest after whoever decides at the same time', async () => {
      const [, newest] = await publishAll('raced', '1.0.0', '1.1.0');
      const { system } = test.database;
      const { plugin_id: pluginId } = await system('releases').where({ id: newest!.id }).first('plugin_id');
      const first = await system.transaction();
      await first('releases').where({ id: newest!.id }).update({ state: 'yanked' });
      await chooseLatestIn(first)(pluginId);
      const second = system.transaction((transaction) => chooseLatestIn(transaction)(pluginId));
      await test.database.untilLocked();
      await first.commit();
      await second;
      expect(await resolved('acme/raced')).to.equal('1.0.0');
    });

    it('is safe to repeat, and keeps the reason given first', async () => {
      const [only] = await publishAll('repeated', '1.0.0');
      const first = await life().yank(acme.principal, only!.id, { reason: 'First.' });
      expect(await life().yank(test.moderator, only!.id, { reason: 'Second.' })).to.deep.equal(first);
    });

    it('is for its publisher and for moderators, and others learn nothing of it', async () => {
      const [one, two] = await publishAll('guarded', '1.0.0', '1.0.1');
      for (const actor of [rival.principal, operator, test.admin]) {
        expect((await refusalOf(life().yank(actor, one!.id, { reason: 'x' }))).code).to.equal('release-unknown');
      }
      const other: Principal = { ...acme.principal, restrictions: { plugin: 'acme/other' } };
      expect((await refusalOf(life().yank(other, one!.id, { reason: 'x' }))).code).to.equal('token-restricted');
      expect((await life().yank(test.moderator, two!.id, { reason: 'x' })).state).to.equal('yanked');
    });

    it('refuses what is not published, and a replacement that cannot be taken', async () => {
      const [one, two] = await publishAll('checked', '1.0.0', '1.0.1');
      const waiting = await test.registry.publishRelease(
        acme.principal,
        await sampleRelease(acme, { name: 'checked', version: '2.0.0' }),
      );
      const yank = (id: string, replacement?: string) => life().yank(acme.principal, id, { reason: 'x', replacement });
      expect((await refusalOf(yank(waiting.id))).code).to.equal('release-state-invalid');
      expect((await refusalOf(yank(one!.id, '2.0.0'))).code).to.equal('release-state-invalid');
      expect((await refusalOf(yank(one!.id, '9.0.0'))).code).to.equal('release-unknown');
      expect((await refusalOf(yank(one!.id, '1.0.0'))).code).to.equal('release-unknown');
      await yank(two!.id);
      expect((await refusalOf(yank(one!.id, '1.0.1'))).code).to.equal('release-state-invalid');
    });

    it('is audited and in the transparency log', async () => {
      const [only] = await publishAll('noted', '1.0.0');
      await life().yank(acme.principal, only!.id, { reason: 'Noted.' });
      const { items } = await test.registry.listAudit(acme.principal, { action: 'release.yank', subject: only!.id });
      expect(items[0]!.after).to.deep.include({ plugin: 'acme/noted', version: '1.0.0', reason: 'Noted.' });
      const entries = await test.database.knex('transparency_entries').where('event', 'release.yank').pluck('content');
      expect(entries.some((text) => text.includes('acme/noted'))).to.equal(true);
    });
  });

  it('deprecates a release that is installed still, until that is taken back', async () => {
    const [one] = await publishAll('old', '1.0.0', '2.0.0');
    const deprecated = await life().deprecate(acme.principal, one!.id, { reason: 'Too old.', replacement: '2.0.0' });
    expect(deprecated.deprecated).to.deep.include({ reason: 'Too old.', replacement: '2.0.0' });
    const [shown] = await test.registry
      .publishedVersions([one!.plugin])
      .then((all) => all.filter(({ releaseId }) => releaseId === one!.id));
    expect(shown?.deprecated).to.deep.equal(deprecated.deprecated);
    expect(await life().deprecate(acme.principal, one!.id, { reason: 'Too old.', replacement: '2.0.0' })).to.deep.equal(
      deprecated,
    );
    expect(await resolved('acme/old', '^1')).to.equal('1.0.0');
    expect((await life().deprecate(acme.principal, one!.id, null)).deprecated).to.equal(null);
    expect((await refusalOf(life().deprecate(rival.principal, one!.id, null))).code).to.equal('release-unknown');
  });

  it('takes a plugin out of the catalogue and leaves it to be found by its name', async () => {
    await publishAll('shy', '1.0.0');
    const listed = async () => (await test.registry.listPlugins({ search: 'acme/shy' })).items.length;
    await life().setListed(acme.principal, 'acme/shy', false);
    expect(await listed()).to.equal(0);
    expect(await resolved('acme/shy')).to.equal('1.0.0');
    await life().setListed(acme.principal, 'acme/shy', true);
    expect(await listed()).to.equal(1);
    for (const plugin of ['acme/none', 'acme', 'nobody/shy'])
      expect((await refusalOf(life().setListed(acme.principal, plugin, false))).code).to.equal('plugin-unknown');
    expect((await refusalOf(life().setListed(rival.principal, 'acme/shy', false))).code).to.equal('plugin-unknown');
  });

  describe('channels', () => {
    const wish = (version: string, tag = 'beta', plugin = 'acme/channels') => ({ plugin, tag, version });
    before(() => publishAll('channels', '1.0.0', '2.0.0-beta.1', '2.0.0-beta.2'));

    it('point at published versions, move, and are version wishes of their own', async () => {
      await life().setTag(acme.principal, wish('2.0.0-beta.1'));
      expect(await resolved('acme/channels', 'beta')).to.equal('2.0.0-beta.1');
      const tags = await life().setTag(acme.principal, wish('2.0.0-beta.2'));
      expect(tags.map(({ tag, version }) => `${tag} ${version}`)).to.deep.equal(['latest 1.0.0', 'beta 2.0.0-beta.2']);
      const { range } = await test.registry.resolveRelease(operator, { plugin: 'acme/channels', version: 'beta' });
      expect(range).to.equal('beta');
      expect(await life().removeTag(acme.principal, wish('', 'beta'))).to.have.length(1);
      expect((await refusalOf(resolved('acme/channels', 'beta'))).code).to.equal('version-range-unsatisfied');
    });

    it('never have a name that means something else', async () => {
      for (const tag of ['latest', 'x', 'v1', 'Beta', 'be ta', '', '1.x']) {
        const refusal = await refusalOf(life().setTag(acme.principal, wish('1.0.0', tag)));
        expect(refusal.code, tag).to.equal('dist-tag-invalid');
      }
    });

    it("are their publisher's, and point at nothing that is not published", async () => {
      expect((await refusalOf(life().setTag(rival.principal, wish('1.0.0')))).code).to.equal('plugin-unknown');
      expect((await refusalOf(life().setTag(acme.principal, wish('9.0.0')))).code).to.equal('release-unknown');
      await test.registry.publishRelease(
        acme.principal,
        await sampleRelease(acme, { name: 'channels', version: '3.0.0' }),
      );
      expect((await refusalOf(life().setTag(acme.principal, wish('3.0.0')))).code).to.equal('release-state-invalid');
      const other: Principal = { ...acme.principal, restrictions: { plugin: 'acme/other' } };
      expect((await refusalOf(life().setTag(other, wish('1.0.0')))).code).to.equal('token-restricted');
      expect((await refusalOf(life().listTags('acme/none'))).code).to.equal('plugin-unknown');
    });
  });

  describe('names', () => {
    const publish = async (publisher: TestPublisher, name: string) =>
      test.registry.publishRelease(publisher.principal, await sampleRelease(publisher, { name }));

    it('refuses a name that looks like another plugin at a glance', async () => {
      await publish(acme, 'pay-portal');
      for (const squat of ['payportal', 'pay-p0rtal', 'pay-porta1', 'pay-portai']) {
        expect((await refusalOf(publish(acme, squat))).code, squat).to.equal('plugin-name-confusable');
      }
      const acrne = await test.publisher('a-cme');
      expect((await refusalOf(publish(acrne, 'pay-portal'))).code).to.equal('plugin-name-confusable');
    });

    it('refuses other letters and cases than those of names, which could look like anything', async () => {
      for (const name of ['Pay-Portal', 'pаy-portal', 'pay_portal', 'pay\u200bportal', 'pay-portal\u202e']) {
        expect((await refusalOf(publish(acme, name))).code, name).to.equal('release-manifest-invalid');
      }
    });

    it('leaves others their own plugin of the same name', async () => {
      await publish(acme, 'shared-name');
      expect((await publish(rival, 'shared-name')).plugin).to.equal('rival/shared-name');
    });

    it('lets one of two that look the same win a race', async () => {
      const outcomes = await Promise.allSettled([publish(acme, 'race-l'), publish(acme, 'race-1')]);
      expect(outcomes.map(({ status }) => status).sort()).to.deep.equal(['fulfilled', 'rejected']);
    });
  });
});
