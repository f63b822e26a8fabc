import { expect } from 'chai';
import type { Principal } from '../contract.ts';
import { refusalOf, sampleRelease, type TestPublisher, type TestRegistry, testRegistry } from '../test-registry.ts';

describe('resolveRelease', () => {
  let test: TestRegistry;
  let acme: TestPublisher;
  let operator: Principal;
  before(async () => {
    test = await testRegistry();
    acme = await test.publisher('acme');
    operator = await test.organisation('shop', 'operator', 'operator-owner');
    for (const version of ['1.0.0', '1.2.0', '1.10.1', '2.0.0', '2.1.0-rc.1']) await test.published(acme, { version });
    await test.registry.publishRelease(acme.principal, await sampleRelease(acme, { version: '1.99.0' }));
    await test.registry.publishRelease(acme.principal, await sampleRelease(acme, { name: 'unseen' }));
    const { id } = await test.published(acme, { version: '1.50.0' });
    await test.database.knex('releases').where({ id }).update({ state: 'yanked' });
  });
  after(() => test.database.close());
  const resolved = async (version?: string) => {
    const { release, range } = await test.registry.resolveRelease(operator, { plugin: 'acme/greeter', version });
    return `${release.version} ${release.state} ${range}`;
  };
  const refused = (version: string, plugin = 'acme/greeter') =>
    refusalOf(test.registry.resolveRelease(operator, { plugin, version }));

  it('takes the newest published release that fits, and says which range it fits', async () => {
    expect(await resolved('^1')).to.equal('1.10.1 published ^1');
    expect(await resolved('~1.2.0')).to.equal('1.2.0 published ~1.2.0');
    expect(await resolved('latest')).to.equal('2.0.0 published latest');
    expect(await resolved('^2.1.0-rc')).to.equal('2.1.0-rc.1 published ^2.1.0-rc');
  });

  it('takes a version as it is, and without one the newest', async () => {
    expect(await resolved('1.0.0')).to.equal('1.0.0 published null');
    expect(await resolved()).to.equal('2.0.0 published null');
  });

  it('tells that a version was yanked, and never chooses one', async () => {
    expect(await resolved('1.50.0')).to.equal('1.50.0 yanked null');
    expect((await refused('>=1.40.0 <2')).code).to.equal('version-range-unsatisfied');
  });

  it('refuses what is unknown, in review or of no plugin', async () => {
    expect((await refused('3.0.0')).code).to.equal('release-unknown');
    expect((await refused('1.99.0')).code).to.equal('release-unknown');
    expect((await refused('^1', 'acme/unseen')).code).to.equal('release-unknown');
    expect((await refused('^1', 'nobody/nothing')).code).to.equal('release-unknown');
    expect((await refused('^1', 'no plugin')).code).to.equal('release-unknown');
  });

  it('refuses a range that nothing fits, with what there is', async () => {
    const refusal = await refused('^3');
    expect(refusal.code).to.equal('version-range-unsatisfied');
    expect(refusal.message).to.include('fits ^3; there are: 2.1.0-rc.1, 2.0.0, 1.10.1, 1.2.0, 1.0.0.');
    expect(refusal.facts.published).to.deep.equal(['2.1.0-rc.1', '2.0.0', '1.10.1', '1.2.0', '1.0.0']);
  });

  it('refuses what is no range', async () => {
    for (const bad of ['Newest', '', '1.2.3+build'])
      expect((await refused(bad)).code, bad).to.equal('version-range-invalid');
  });
});
