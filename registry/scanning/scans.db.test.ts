import { expect } from 'chai';
import { v7 } from 'uuid';
import { createAuditIn } from '../audit/audit-store.ts';
import { createRegistry } from '../compose.ts';
import type { Principal, Registry } from '../contract.ts';
import { refusalOf, sampleRelease, type TestPublisher, type TestRegistry, testRegistry } from '../test-registry.ts';
import { createScans } from './compose.ts';
import type { Scans } from './contract.ts';
import type { ScanReport } from './rules/scan-report.ts';

const LEASE_MS = 60_000;
const CLEAN: ScanReport = { verdict: 'clean', findings: [], omitted: 0, dynamic: null };
const DOUBTFUL: ScanReport = {
  ...CLEAN,
  verdict: 'second-look',
  findings: [{ family: 'mining', severity: 'blocking', place: null, explanation: 'x.', fix: 'y.', evidence: '' }],
};

describe('scans of releases', () => {
  let test: TestRegistry;
  let acme: TestPublisher;
  let registry: Registry;
  let scans: Scans;
  before(async () => {
    test = await testRegistry();
    acme = await test.publisher('acme');
    const { system } = test.database;
    const ports = { database: system, system, signingKey: test.signingKey, nowMs: () => test.clock.nowMs, newId: v7 };
    registry = createRegistry({ ...ports, scans: true });
    scans = createScans({ ...ports, auditIn: createAuditIn({ ...ports, origin: () => null }) });
  });
  after(() => test.database.close());
  const publish = async (name: string) =>
    registry.publishRelease(acme.principal, await sampleRelease(acme, { name, version: '1.0.0' }));

  it('are taken by one host each, the longest waiting first, and come back from a host that died', async () => {
    const [first, second] = [await publish('first'), await publish('second')];
    const claimed = await Promise.all([scans.claim(LEASE_MS), scans.claim(LEASE_MS)]);
    expect(claimed.map((each) => each?.releaseId).sort()).to.deep.equal([first.id, second.id].sort());
    expect(await scans.claim(LEASE_MS)).to.equal(null);
    test.clock.nowMs += LEASE_MS + 1;
    const again = await scans.claim(LEASE_MS);
    expect(again).to.deep.include({ attempt: 2, report: null });
    expect(again!.archive.length).to.be.greaterThan(0);
    for (const { id } of [first, second]) await scans.finish(id, CLEAN);
    expect(await scans.claim(LEASE_MS)).to.equal(null);
  });

  it('end in review, and are audited', async () => {
    const { id } = await publish('reviewed');
    await scans.progress(id, { stage: 'static', percent: 30 }, LEASE_MS);
    expect(await scans.find(test.moderator, id)).to.deep.include({ stage: 'static', percent: 30, report: null });
    expect((await refusalOf(scans.acknowledge(test.moderator, id, 'early'))).code).to.equal('scan-running');
    expect((await refusalOf(scans.requireSettled(id))).code).to.equal('scan-running');
    await scans.finish(id, CLEAN);
    expect((await registry.releaseById(id))!.state).to.equal('in-review');
    await scans.requireSettled(id);
    const { items } = await registry.listAudit(test.admin, { action: 'scan.', subject: id });
    expect(items.map(({ action }) => action)).to.deep.equal(['scan.finish']);
  });

  it('hold an approval until a moderator has seen what asks for a second look; the first reason stays', async () => {
    const { id } = await publish('doubtful');
    await scans.finish(id, DOUBTFUL);
    const refusal = await refusalOf(scans.requireSettled(id));
    expect(refusal.code).to.equal('scan-unacknowledged');
    expect(refusal.facts).to.deep.equal({ families: ['mining'] });
    expect((await refusalOf(scans.acknowledge(acme.principal, id, 'mine'))).code).to.equal('scan-unknown');
    await scans.acknowledge(test.moderator, id, 'seen');
    expect((await scans.acknowledge(test.moderator, id, 'later')).acknowledged?.reason).to.equal('seen');
    await scans.requireSettled(id);
  });

  it('are acknowledged by nobody who belongs to the publisher', async () => {
    const { id } = await publish('own-release');
    await scans.finish(id, DOUBTFUL);
    const accountId = v7();
    const { knex } = test.database;
    await knex('accounts').insert({ id: accountId, username: 'mole', state: 'active', person_key: Buffer.alloc(100) });
    const membership = { id: v7(), account_id: accountId, organisation_id: acme.principal.organisation.id };
    await knex('memberships').insert({ ...membership, role: 'developer', created_at: new Date() });
    const mole: Principal = { ...test.moderator, via: 'session', account: { id: accountId, username: 'mole' } };
    expect((await refusalOf(scans.acknowledge(mole, id, 'fine'))).code).to.equal('review-conflict');
    expect((await refusalOf(scans.requireSettled(id))).code).to.equal('scan-unacknowledged');
  });

  it('keep the report that let a release into review, whatever a host that lost its claim brings later', async () => {
    const { id } = await publish('late');
    expect(await scans.finish(id, DOUBTFUL)).to.equal(true);
    expect(await scans.finish(id, CLEAN)).to.equal(false);
    expect((await scans.find(test.moderator, id)).report).to.deep.equal(DOUBTFUL);
    expect((await refusalOf(scans.requireSettled(id))).code).to.equal('scan-unacknowledged');
  });

  it('know the plugins of others, and not those of the publisher', async () => {
    const brightworks = await test.publisher('brightworks');
    await test.published(brightworks, { name: 'hello-there' });
    await test.published(acme, { name: 'own-one' });
    const { id } = await publish('third');
    const claimed = await scans.claim(LEASE_MS);
    expect(claimed).to.deep.include({ releaseId: id, otherPlugins: ['brightworks/hello-there'] });
  });

  it('refuse what does not exist', async () => {
    for (const id of ['nonsense', v7()]) {
      expect((await refusalOf(scans.find(test.moderator, id))).code).to.equal('scan-unknown');
      await scans.requireSettled(id);
    }
  });
});
