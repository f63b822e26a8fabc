import { expect } from 'chai';
import { v7 } from 'uuid';
import { createReviewing, type Principal, type Reviews } from '../index.ts';
import { refusalOf, sampleRelease, type TestPublisher, type TestRegistry, testRegistry } from '../test-registry.ts';
import type { ScanFinding } from './rules/compare-with-previous.ts';

const FINE = { verdict: 'fine' as const };
const MESSAGE = [{ code: 'other' as const, message: 'No.' }];

describe('reviews', () => {
  let test: TestRegistry;
  let reviews: Reviews;
  let acme: TestPublisher;
  let second: Principal;
  const findings = new Map<string, ScanFinding[]>();
  before(async () => {
    test = await testRegistry();
    const { system } = test.database;
    const { signingKey, clock } = test;
    const ports = { database: system, system, signingKey, nowMs: () => clock.nowMs, newId: v7 };
    reviews = createReviewing({ ...ports, findingsOf: async (id) => findings.get(id) ?? null });
    acme = await test.publisher('acme');
    second = { ...test.moderator, credentialId: v7() };
  });
  after(() => test.database.close());

  const publish = async (name: string, version = '1.0.0', code?: string, publisher = acme) =>
    test.registry.publishRelease(publisher.principal, await sampleRelease(publisher, { name, version }, code));
  const decide = (id: string, decision: 'approve' | 'reject' | 'request-changes', as = test.moderator) =>
    reviews.decide(as, id, { decision, reasons: decision === 'approve' ? [] : MESSAGE });
  const codeOf = async (work: Promise<unknown>) => (await refusalOf(work)).code;
  const logged = async (id: string) => {
    const { digest } = (await test.registry.releaseById(id))!;
    const rows = await test.database.knex('transparency_entries').whereRaw('content like ?', [`%${digest}%`]);
    return rows.map(({ event }: { event: string }) => event);
  };
  const audited = async (id: string) => {
    const { items } = await test.registry.listAudit(test.admin, { subject: id, limit: 100 });
    return items.map(({ action }) => action).reverse();
  };

  it('queue what was published, the longest waiting first, page by page', async () => {
    const one = await publish('queue-one');
    const two = await publish('queue-two');
    const first = await reviews.queue(test.moderator, { limit: 1 });
    const rest = await reviews.queue(test.moderator, { limit: 100, cursor: first.nextCursor! });
    expect([...first.items, ...rest.items].map(({ releaseId }) => releaseId)).to.deep.equal([one.id, two.id]);
    expect(first.items[0]).to.deep.include({ plugin: 'acme/queue-one', version: '1.0.0', round: 1, kind: 'first' });
    expect(await codeOf(reviews.queue(test.moderator, { cursor: 'bm8' }))).to.equal('cursor-invalid');
    await decide(one.id, 'approve');
    await decide(two.id, 'reject');
    expect((await reviews.queue(test.moderator, {})).items).to.deep.equal([]);
  });

  it('belong to whoever took them, until they are given back', async () => {
    const { id } = await publish('taken');
    await reviews.assign(test.moderator, id, 'me');
    expect((await reviews.queue(test.moderator, { assigned: 'me' })).items[0]).to.deep.include({ mine: true });
    expect((await reviews.queue(second, { assigned: 'nobody' })).items).to.deep.equal([]);
    for (const work of [
      () => reviews.assign(second, id, 'me'),
      () => reviews.check(second, id, { code: FINE }),
      () => reviews.decide(second, id, { decision: 'approve', reasons: [] }),
      () => test.registry.approveRelease(second, id),
      () => test.registry.rejectRelease(second, id, ['no']),
    ])
      expect(await codeOf(work())).to.equal('review-assigned');
    await reviews.assign(test.moderator, id, 'nobody');
    expect((await decide(id, 'approve', second)).state).to.equal('published');
  });

  it('are not approved while the checklist is open', async () => {
    const { id } = await publish('checked');
    await reviews.check(test.moderator, id, { code: FINE, hosts: { verdict: 'fault', note: 'Why a bank?' } });
    const refusal = await refusalOf(decide(id, 'approve'));
    expect(refusal.code).to.equal('review-checklist-open');
    expect(refusal.facts.open).to.include('hosts').and.not.include('code');
    const rest = ['listing', 'capabilities', 'hosts', 'changes', 'scan', 'personal-data', 'licence'];
    const round = await reviews.check(test.moderator, id, Object.fromEntries(rest.map((item) => [item, FINE])));
    expect(Object.keys(round.checklist)).to.have.length(8);
    expect((await decide(id, 'approve')).state).to.equal('published');
  });

  it('give reasons with the very lines of the archive, and refuse evidence that is not there', async () => {
    const { id } = await publish('evident', '1.0.0', 'const a = 1;\neval(a);\nexport default a;');
    const reject = (evidence: { file: string; line?: number }[]) =>
      reviews.decide(test.moderator, id, {
        decision: 'reject',
        reasons: [{ code: 'obfuscated-code', message: 'It evaluates text.', evidence }],
      });
    const refusal = await refusalOf(reject([{ file: 'bundle.js', line: 4 }, { file: 'nowhere.js' }]));
    expect(refusal.code).to.equal('review-evidence-invalid');
    expect(refusal.facts.faults).to.have.length(2);
    expect((await reject([{ file: 'bundle.js', line: 2 }])).reasons).to.deep.equal(['It evaluates text.']);
    const { rounds } = await reviews.find(acme.principal, id);
    expect(rounds[0]!.reasons).to.deep.equal([
      {
        code: 'obfuscated-code',
        message: 'It evaluates text.',
        evidence: [{ file: 'bundle.js', line: 2, text: 'eval(a);' }],
      },
    ]);
    expect(await audited(id)).to.deep.equal(['release.publish', 'release.reject']);
  });

  it('ask for changes, and are opened again by an answer', async () => {
    const { id } = await publish('changed');
    expect((await decide(id, 'request-changes')).state).to.equal('draft');
    expect(await codeOf(decide(id, 'approve'))).to.equal('release-state-invalid');
    expect((await reviews.resubmit(acme.principal, id, 'It is needed for taxes.')).state).to.equal('in-review');
    expect(await codeOf(reviews.resubmit(acme.principal, id, 'Again.'))).to.equal('release-state-invalid');
    const { rounds } = await reviews.find(test.moderator, id);
    expect(rounds.map(({ kind, statement, decision }) => ({ kind, statement, decision }))).to.deep.equal([
      { kind: 'resubmission', statement: 'It is needed for taxes.', decision: null },
      { kind: 'first', statement: null, decision: 'request-changes' },
    ]);
    expect((await decide(id, 'approve')).state).to.equal('published');
    expect(await audited(id)).to.deep.equal([
      ...['release.publish', 'release.request-changes', 'release.resubmit', 'release.approve'],
    ]);
  });

  it('let a publisher appeal once, to another moderator', async () => {
    const { id } = await publish('appealed');
    await decide(id, 'reject');
    expect((await reviews.appeal(acme.principal, id, 'It is a test.')).state).to.equal('in-review');
    expect(await codeOf(decide(id, 'approve'))).to.equal('review-conflict');
    expect((await decide(id, 'reject', second)).state).to.equal('rejected');
    expect(await codeOf(reviews.appeal(acme.principal, id, 'Please.'))).to.equal('appeal-spent');
  });

  it('are for nobody who belongs to the publisher, by whatever organisation they come', async () => {
    const { id } = await publish('own-release');
    const accountId = v7();
    const { knex } = test.database;
    await knex('accounts').insert({ id: accountId, username: 'mole', state: 'active', person_key: Buffer.alloc(100) });
    const membership = { id: v7(), account_id: accountId, organisation_id: acme.principal.organisation.id };
    await knex('memberships').insert({ ...membership, role: 'developer', created_at: new Date() });
    const mole: Principal = { ...test.moderator, via: 'session', account: { id: accountId, username: 'mole' } };
    for (const work of [
      () => decide(id, 'approve', mole),
      () => decide(id, 'reject', mole),
      () => reviews.assign(mole, id, 'me'),
      () => test.registry.approveRelease(mole, id),
    ])
      expect(await codeOf(work())).to.equal('review-conflict');
    expect((await test.registry.releaseById(id))!.state).to.equal('in-review');
    await knex('memberships').where({ id: membership.id }).delete();
    expect((await decide(id, 'approve', mole)).state).to.equal('published');
  });

  it('are unknown to those who may neither review nor own them', async () => {
    const { id } = await publish('unknown');
    const stranger = await test.publisher('stranger');
    const as = stranger.principal;
    for (const work of [
      () => reviews.find(as, id),
      () => reviews.assign(as, id, 'me'),
      () => reviews.resubmit(as, id, 'x'),
      () => reviews.appeal(as, id, 'x'),
      () => reviews.publishApproved(as, id),
      () => reviews.takeDown(as, id, MESSAGE[0]!),
      () => reviews.takeDown(acme.principal, id, MESSAGE[0]!),
      () => reviews.restore(acme.principal, id, 'x'),
      () => reviews.decide(acme.principal, id, { decision: 'approve', reasons: [] }),
      () => reviews.find(test.moderator, v7()),
      () => reviews.find(test.moderator, 'nonsense'),
    ])
      expect(await codeOf(work())).to.equal('release-unknown');
    const other = { ...acme.principal, restrictions: { plugin: 'acme/other' } };
    expect(await codeOf(reviews.resubmit(other, id, 'x'))).to.equal('token-restricted');
  });

  it('hold what was approved until its publisher publishes it, and log it then', async () => {
    const { id } = await publish('held');
    const held = await reviews.decide(test.moderator, id, { decision: 'approve', reasons: [], hold: true });
    expect(held.state).to.equal('approved');
    expect(await logged(id)).to.deep.equal([]);
    expect(await codeOf(test.registry.findRelease(second, { plugin: 'acme/held' }))).to.equal('release-unknown');
    expect((await reviews.publishApproved(acme.principal, id)).state).to.equal('published');
    expect((await reviews.publishApproved(acme.principal, id)).state).to.equal('published');
    expect(await logged(id)).to.deep.equal(['release.approve']);
    expect((await test.registry.findRelease(acme.principal, { plugin: 'acme/held' })).id).to.equal(id);
  });

  it('reject what is held, by either way, with a round of its own and an appeal', async () => {
    const hold = async (name: string, as = test.moderator) => {
      const { id } = await publish(name);
      await reviews.decide(as, id, { decision: 'approve', reasons: [], hold: true });
      return id;
    };
    const id = await hold('held-back');
    expect(await codeOf(decide(id, 'request-changes'))).to.equal('release-state-invalid');
    expect(await decide(id, 'reject')).to.deep.include({ state: 'rejected', reasons: ['No.'] });
    expect(await codeOf(reviews.publishApproved(acme.principal, id))).to.equal('release-state-invalid');
    const { rounds } = await reviews.find(acme.principal, id);
    expect(rounds.map(({ round, kind, decision }) => ({ round, kind, decision }))).to.deep.equal([
      { round: 2, kind: 'resubmission', decision: 'reject' },
      { round: 1, kind: 'first', decision: 'approve' },
    ]);
    expect(rounds[0]!.reasons).to.deep.equal([{ ...MESSAGE[0], evidence: [] }]);
    expect((await reviews.appeal(acme.principal, id, 'It is a test.')).state).to.equal('in-review');
    expect(await codeOf(decide(id, 'approve'))).to.equal('review-conflict');
    expect((await decide(id, 'approve', second)).state).to.equal('published');
    expect(await audited(id)).to.deep.equal([
      ...['release.publish', 'release.approve', 'release.reject', 'release.appeal', 'release.approve'],
    ]);
    const other = await hold('held-back-too');
    expect((await test.registry.rejectRelease(second, other, ['No.'])).state).to.equal('rejected');
    expect((await test.registry.rejectRelease(second, other, ['No.'])).state).to.equal('rejected');
  });

  it('let nobody reject what is held because another moderator granted the appeal against them', async () => {
    const { id } = await publish('held-on-appeal');
    await decide(id, 'reject');
    await reviews.appeal(acme.principal, id, 'It is a test.');
    await reviews.decide(second, id, { decision: 'approve', reasons: [], hold: true });
    expect(await codeOf(decide(id, 'reject'))).to.equal('review-conflict');
    expect((await decide(id, 'reject', second)).state).to.equal('rejected');
  });

  it('count how long a release is out from when its publisher published it, not from when it was approved', async () => {
    const { id } = await publish('kept-back');
    await reviews.decide(test.moderator, id, { decision: 'approve', reasons: [], hold: true });
    const was = test.clock.nowMs;
    test.clock.nowMs += 30 * 86_400_000;
    const outAt = new Date(test.clock.nowMs).toISOString();
    await reviews.publishApproved(acme.principal, id);
    test.clock.nowMs += 1_000;
    await reviews.publishApproved(acme.principal, id);
    test.clock.nowMs = was;
    const [version] = await test.registry.publishedVersions(['acme/kept-back']);
    expect(version!.publishedAt).to.equal(outAt);
  });

  it('show moderators what changed since the release before, and publishers who judged them not', async () => {
    await test.published(acme, { name: 'compared', version: '1.0.0' });
    const { id } = await publish('compared', '1.1.0', 'export default 2;');
    await reviews.assign(test.moderator, id, 'me');
    const { comparison, notAutomatic } = await reviews.find(test.moderator, id);
    expect(comparison).to.deep.include({ previousVersion: '1.0.0', findings: null });
    expect(comparison!.files.map(({ name }) => name)).to.deep.equal(['bundle.js', 'gatehouse.json']);
    expect(notAutomatic.join(' ')).to.match(/not trusted.*no patch.*not been scanned/);
    const seen = await reviews.find(acme.principal, id);
    expect([seen.comparison, seen.notAutomatic, seen.rounds[0]!.assignedTo]).to.deep.equal([null, [], null]);
  });

  describe('of trusted publishers', () => {
    it('are done by the rule for clean patches, and for nothing else', async () => {
      const tess = await test.publisher('tess');
      await test.published(tess, { name: 'patched', version: '1.0.0' });
      const patch = async (version: string) => {
        const { id } = await publish('patched', version, `export default '${version}';`, tess);
        findings.set(id, []);
        return id;
      };
      const before = await patch('1.0.1');
      expect(await reviews.considerAutomatic(before)).to.equal(false);
      await reviews.trust(test.admin, 'tess', 'Two years without a fault.');
      expect(await reviews.listTrusted(test.admin)).to.have.length(1);
      expect(await reviews.considerAutomatic(before)).to.equal(true);
      expect((await test.registry.releaseById(before))!.state).to.equal('published');
      expect((await reviews.find(test.moderator, before)).rounds[0]).to.deep.include({
        ...{ automatic: true, decision: 'approve', decidedBy: 'reviews' },
      });
      expect(await logged(before)).to.deep.equal(['release.approve']);

      const minor = await patch('1.1.0');
      expect(await reviews.considerAutomatic(minor)).to.equal(false);
      const unscanned = await patch('1.0.2');
      findings.delete(unscanned);
      expect(await reviews.considerAutomatic(unscanned)).to.equal(false);
      const found = await patch('1.0.3');
      findings.set(found, [{ id: 'redos', severity: 'high', message: 'slow', file: null, line: null }]);
      expect(await reviews.considerAutomatic(found)).to.equal(false);
      const taken = await patch('1.0.4');
      await reviews.assign(test.moderator, taken, 'me');
      expect(await reviews.considerAutomatic(taken)).to.equal(false);
      await reviews.distrust(test.admin, 'tess');
      expect(await reviews.considerAutomatic(await patch('1.0.5'))).to.equal(false);
      expect(await codeOf(reviews.trust(test.admin, 'nobody', 'x'))).to.equal('organisation-unknown');
    });
  });

  describe('takeDown', () => {
    it('suspends what is published until it is restored to what it was', async () => {
      const { id, bundleDigest } = await test.published(acme, { name: 'fallen', version: '1.0.0' });
      const reason = { code: 'malicious-behaviour' as const, message: 'It sends orders away.' };
      const down = await reviews.takeDown(test.moderator, id, reason);
      expect(down.state).to.equal('suspended');
      expect(down.blocked!.reason).to.equal('malicious-behaviour: It sends orders away.');
      expect(await reviews.takeDown(test.admin, id, MESSAGE[0]!)).to.deep.equal(down);
      expect(await codeOf(test.registry.loadBundle(bundleDigest, id))).to.equal('release-unknown');
      expect(await codeOf(test.registry.findRelease(acme.principal, { plugin: 'acme/fallen' }))).to.equal(
        'release-unknown',
      );
      expect((await reviews.restore(test.admin, id, 'It was another one.')).state).to.equal('published');
      expect(await codeOf(reviews.restore(test.admin, id, 'x'))).to.equal('release-state-invalid');
      expect((await test.registry.findRelease(acme.principal, { plugin: 'acme/fallen' })).blocked).to.equal(null);
      expect(await logged(id)).to.deep.equal(['release.approve', 'release.takedown', 'release.restore']);
      expect(await audited(id)).to.deep.equal([
        ...['release.publish', 'release.approve', 'release.takedown', 'release.restore'],
      ]);
    });

    it('does not take for published what is not', async () => {
      const { id } = await publish('never-published');
      expect(await codeOf(reviews.takeDown(test.moderator, id, MESSAGE[0]!))).to.equal('release-state-invalid');
    });
  });

  it('are counted, with how long publishers waited', async () => {
    const from = new Date(Date.now() + 3_600_000).toISOString();
    const to = new Date(Date.now() + 10_800_000).toISOString();
    const was = test.clock.nowMs;
    test.clock.nowMs = Date.now() + 7_200_000;
    const { id } = await publish('counted');
    await decide(id, 'approve');
    test.clock.nowMs = was;
    const figures = await reviews.figures(test.moderator, { from, to });
    expect(figures).to.deep.include({ decided: 1, approved: 1, rejected: 0, automatic: 0, appeals: 0 });
    expect(figures.turnaroundSecondsP50).to.be.within(7_190, 7_210);
    expect(figures.oldestWaitingSince).to.be.a('string');
  });
});
