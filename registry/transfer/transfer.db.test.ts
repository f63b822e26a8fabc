import { createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { gunzipSync, gzipSync } from 'node:zlib';
import { expect } from 'chai';
import { v7 } from 'uuid';
import {
  keyIdOf,
  type ReleaseExport,
  type ReleaseStatus,
  readStatus,
  sha256Hex,
  signKeyLink,
  signRelease,
  signStatus,
} from '../../plugins-sdk/contract/index.ts';
import { createRegistry, createTransferring, createTransparency, type Release, type Transfers } from '../index.ts';
import { refusalOf, sampleRelease, type TestPublisher, type TestRegistry, testRegistry } from '../test-registry.ts';

interface Brought {
  exported: ReleaseExport;
  archive: Buffer;
}

/** Two registries that never meet. */
describe('a release that is carried from one registry to another', () => {
  let home: TestRegistry;
  let away: TestRegistry;
  let acme: TestPublisher;
  before(async () => {
    [home, away] = [await testRegistry(), await testRegistry()];
    for (const each of [home, away]) each.clock.nowMs = Date.now();
    acme = await home.publisher('acme');
  });
  after(async () => {
    for (const each of [home, away]) await each.database.close();
  });
  const portsOf = ({ database: { system }, signingKey, clock }: TestRegistry, trusted: KeyObject[] = []) => ({
    database: system,
    system,
    signingKey,
    nowMs: () => clock.nowMs,
    newId: v7,
    trustRoots: trusted.map((key) => createPublicKey(key as never)),
  });
  const transfersOf = (test: TestRegistry, trusted: KeyObject[] = []): Transfers => {
    const ports = portsOf(test, trusted);
    const transparency = createTransparency({ ...ports, keptHead: async () => null, keepHead: async () => {} });
    return createTransferring({ ...ports, transparency });
  };
  const bring = (brought: Brought, trusted = [home.signingKey], dryRun = false) =>
    transfersOf(away, trusted).importRelease(away.admin, { ...brought, dryRun });
  const take = ({ plugin, version }: Release): Promise<Brought> => {
    home.clock.nowMs += 1_000;
    return transfersOf(home).exportRelease(acme.principal, { plugin, version });
  };
  const published = (name: string, version = '1.0.0', publisher = acme) => home.published(publisher, { name, version });
  const load = ({ bundleDigest, id }: Release, trusted = [home.signingKey]) =>
    createRegistry(portsOf(away, trusted)).loadBundle(bundleDigest, id);
  /** The version that is installed where none is named. */
  const latestOf = async (name: string): Promise<string> =>
    (
      await away.database
        .knex('plugins')
        .join('releases', 'releases.id', 'plugins.latest_release_id')
        .where('plugins.name', name)
        .first('releases.version')
    )?.version;
  const statusOf = ({ exported }: Brought) => readStatus(exported.status)!;
  /** As the registry itself would, had it said this. */
  const saying = (brought: Brought, change: Partial<ReleaseStatus>, key = home.signingKey): Brought => ({
    ...brought,
    exported: { ...brought.exported, status: signStatus({ ...statusOf(brought), ...change }, key) },
  });
  const partsAt = async (work: Promise<unknown>) => {
    const { code, facts } = await refusalOf(work);
    expect(code).to.equal('import-unproven');
    return (facts.faults as { part: string }[]).map(({ part }) => part);
  };

  it('is published there, says where it is from, is in the log there, and loads', async () => {
    const brought = await take(await published('carried'));
    const { outcome, event, release, steps } = await bring(brought);
    expect([outcome, event]).to.deep.equal(['imported', 'release.import']);
    expect(release).to.include({ plugin: 'acme/carried', version: '1.0.0', state: 'published' });
    expect(release.origin!.registryKeyId).to.equal(keyIdOf(createPublicKey(home.signingKey as never)));
    expect(release.envelope.signatures, 'publisher, home, away').to.have.length(3);
    expect(steps.every(({ passed }) => passed)).to.equal(true);
    await load(release);
    const ports = portsOf(away);
    const log = createTransparency({ ...ports, keptHead: async () => null, keepHead: async () => {} });
    await log.requireLogged(statusOf(brought).release);
    expect((await log.verify(null)).faults).to.deep.equal([]);
    const { items } = await away.registry.listAudit(away.admin, { action: 'release.import' });
    expect(items[0]).to.deep.include({ outcome: 'done' });
  });

  it('is taken once, and nothing is kept of a dry run', async () => {
    const brought = await take(await published('twice'));
    const before = await away.database.knex('audit_entries').count();
    expect(await bring(brought, [home.signingKey], true)).to.deep.include({ outcome: 'imported', dryRun: true });
    expect(await away.database.knex('audit_entries').count()).to.deep.equal(before);
    const [first, second] = [await bring(brought), await bring(brought)];
    expect([first.outcome, second.outcome]).to.deep.equal(['imported', 'unchanged']);
    expect(second.release).to.deep.equal(first.release);
    const again = await transfersOf(away).exportRelease(away.admin, { plugin: 'acme/twice', version: '1.0.0' });
    expect(again.exported, 'it leaves as it came').to.deep.equal(brought.exported);
  });

  it('is taken once by two who bring it at the same time, with its publisher and key', async () => {
    const late = await home.publisher('latecomer');
    const brought = await take(await published('raced', '1.0.0', late));
    const next = await take(await published('raced', '1.0.1', late));
    const reports = await Promise.all([bring(brought), bring(brought), bring(next), bring(next)]);
    expect(reports.map(({ outcome }) => outcome).sort()).to.deep.equal([
      ...['imported', 'imported'],
      ...['unchanged', 'unchanged'],
    ]);
  });

  it('is refused where no registry is trusted, or another one', async () => {
    const brought = await take(await published('untrusted'));
    expect((await refusalOf(bring(brought, []))).code).to.equal('import-untrusted');
    const stranger = generateKeyPairSync('ed25519').privateKey;
    expect(await partsAt(bring(brought, [stranger]))).to.include.members(['status', 'countersignature', 'head']);
    await bring(brought, [stranger, home.signingKey]);
  });

  it('stops loading when its registry is trusted no more, or its evidence is gone', async () => {
    const { release } = await bring(await take(await published('distrusted')));
    await load(release);
    const stranger = generateKeyPairSync('ed25519').privateKey;
    for (const trusted of [[], [stranger]]) {
      expect((await refusalOf(load(release, trusted))).code).to.equal('release-signature-invalid');
    }
    await away.database.knex('release_imports').where('release_id', release.id).update({ evidence: '{}' });
    expect((await refusalOf(load(release))).code).to.equal('release-signature-invalid');
  });

  it('is refused with any part exchanged, and the refusal names the part', async () => {
    const [brought, other] = [await take(await published('whole')), await take(await published('other'))];
    const withProof = (change: object): Brought => ({
      ...brought,
      exported: { ...brought.exported, proof: { ...brought.exported.proof, ...change } },
    });
    const { proof } = brought.exported;
    const thief = generateKeyPairSync('ed25519').privateKey;
    const forgedKey = createPublicKey(thief as never).export({ type: 'spki', format: 'pem' }) as string;
    const cases: [string, Brought, string][] = [
      [
        'status of another',
        { ...brought, exported: { ...brought.exported, status: other.exported.status } },
        'archive-bytes',
      ],
      ['status by a thief', saying(brought, {}, thief), 'status'],
      [
        'status edited',
        {
          ...brought,
          exported: {
            ...brought.exported,
            status: {
              ...brought.exported.status,
              payload: saying(brought, { state: 'yanked' }).exported.status.payload,
            },
          },
        },
        'status',
      ],
      ['envelope of another', withProof({ envelope: other.exported.proof.envelope }), 'statement'],
      [
        'no countersignature',
        withProof({ envelope: { ...proof.envelope, signatures: proof.envelope.signatures.slice(0, 1) } }),
        'countersignature',
      ],
      [
        'no publisher signature',
        withProof({ envelope: { ...proof.envelope, signatures: proof.envelope.signatures.slice(1) } }),
        'publisher-signature',
      ],
      [
        'key of a thief',
        withProof({ publisherKey: { ...proof.publisherKey, publicKeyPem: forgedKey } }),
        'publisher-key',
      ],
      [
        'registration of nothing',
        withProof({ publisherKey: { ...proof.publisherKey, proof: proof.approval } }),
        'publisher-key',
      ],
      ['proof for the wrong leaf', withProof({ approval: other.exported.proof.approval }), 'approval'],
      ['leaf elsewhere', withProof({ approval: { ...proof.approval, index: proof.approval.index + 1 } }), 'approval'],
      ['path cut', withProof({ approval: { ...proof.approval, path: proof.approval.path.slice(1) } }), 'approval'],
      ['head of another size', withProof({ head: { ...proof.head, size: proof.head.size + 1 } }), 'head'],
      ['no proof', withProof({ approval: null }), 'approval'],
    ];
    for (const [what, bad, part] of cases) expect(await partsAt(bring(bad)), what).to.include(part);
    const recompressed = gzipSync(gunzipSync(brought.archive), { level: 1 });
    expect(await partsAt(bring({ ...brought, archive: recompressed })), 'other bytes').to.deep.equal(['archive-bytes']);
    expect(await partsAt(bring({ ...brought, archive: other.archive })), 'digest confusion').to.include('statement');
    const cut = brought.archive.subarray(0, 100);
    expect((await refusalOf(bring({ ...brought, archive: cut }))).code).to.equal('release-archive-invalid');
    expect(await away.registry.listReleases(away.moderator, { plugin: 'acme/whole' })).to.have.property('items').that.is
      .empty;
  });

  it('is refused over a version that is there with other contents, and over a publisher who is from here', async () => {
    const brought = await take(await published('immutable'));
    await bring(brought);
    await away.database.asOwner(async (owner) => {
      await owner.raw('alter table releases disable trigger user');
      await owner('releases')
        .where({ digest: statusOf(brought).release.digest })
        .update({ digest: 'd'.repeat(64) });
      await owner.raw('alter table releases enable trigger user');
    });
    expect((await refusalOf(bring(brought))).code).to.equal('release-version-taken');
    await away.publisher('native');
    const namesake = await home.publisher('native');
    const confusing = await take(await published('plugin', '1.0.0', namesake));
    expect((await refusalOf(bring(confusing))).code).to.equal('import-publisher-taken');
  });

  it('is refused under a publisher of a third registry, and one that looks like another plugin', async () => {
    const third = await testRegistry();
    try {
      const namesake = await third.publisher('acme');
      const command = await sampleRelease(namesake, { name: 'foreign' });
      const { id } = await third.registry.publishRelease(namesake.principal, command);
      await third.registry.approveRelease(third.moderator, id);
      await bring(await take(await published('first-of-acme')));
      const foreign = await transfersOf(third).exportRelease(third.admin, { plugin: 'acme/foreign', version: '1.0.0' });
      const refused = await refusalOf(bring(foreign, [home.signingKey, third.signingKey]));
      expect(refused.code).to.equal('import-publisher-taken');
      expect(refused.message).to.contain('another registry');
    } finally {
      await third.database.close();
    }
    // Where it came from names may look alike; here they may not.
    await bring(await take(await published('look')));
    const alike = await take(await published('alike'));
    await away.database.asOwner(async (owner) => {
      const { look } = await owner('plugins').where({ name: 'look' }).first('look');
      await owner('plugins')
        .where({ name: 'look' })
        .update({ look: look.replace('look', 'alike').replaceAll('i', 'l') });
    });
    expect((await refusalOf(bring(alike))).code).to.equal('plugin-name-confusable');
  });

  it('brings along what its registry says later, and never takes a stop back', async () => {
    const release = await published('stopped');
    const early = await take(release);
    const { release: taken } = await bring(early);
    await home.publishing.releaseLife.yank(acme.principal, release.id, { reason: 'It loses orders.' });
    const yanked = await bring(await take(release));
    expect([yanked.outcome, yanked.event]).to.deep.equal(['updated', 'release.yank']);
    expect(yanked.release.state).to.equal('yanked');
    await load(taken);
    const down = saying(await take(release), {
      state: 'suspended',
      blocked: { at: new Date().toISOString(), reason: 'Malicious.' },
    });
    const stopped = await bring(down);
    expect(stopped.release).to.include({ state: 'suspended' });
    expect((await refusalOf(load(taken))).code).to.match(/^release-/);
    expect((await bring(early)).outcome, 'an older export').to.equal('unchanged');
    expect((await bring(await take(release))).release.state, 'a newer one').to.equal('suspended');
  });

  it('can still be installed and yanked when its registry deprecates it later', async () => {
    const release = await published('old-fashioned');
    await bring(await take(release));
    await home.publishing.releaseLife.deprecate(acme.principal, release.id, { reason: 'Use something else.' });
    const { outcome, release: taken } = await bring(await take(release));
    expect(outcome).to.equal('updated');
    expect(taken).to.deep.include({ state: 'published' });
    expect(taken.deprecated).to.include({ reason: 'Use something else.' });
    expect(await bring(await take(release)), 'said once').to.deep.include({ outcome: 'unchanged', event: null });
    expect(await latestOf('old-fashioned')).to.equal('1.0.0');
    await away.publishing.releaseLife.yank(away.moderator, taken.id, { reason: 'It loses orders.' });
  });

  describe('whose key was stolen', () => {
    /** Two releases, of which the second came when the key was somebody else's. */
    const twoReleases = async (name: string) => {
      const publisher = await home.publisher(`${name}-makers`);
      const good = await published(name, '1.0.0', publisher);
      const evil = await published(name, '1.1.0', publisher);
      for (const { clock } of [home, away]) clock.nowMs = Math.max(Date.now(), home.clock.nowMs) + 60_000;
      const { keyId } = statusOf(await take(good)).publisherKey;
      const since = evil.createdAt;
      expect(good.createdAt < since).to.equal(true);
      return { good, evil, since, keyId, revoke: { compromisedSince: since }, publisher };
    };

    it('is not taken from an export of before that was known, once it is known here', async () => {
      const { good, evil, keyId, revoke, publisher } = await twoReleases('stolen-a');
      const old = await take(evil);
      await bring(await take(good));
      await home.publishing.keyLife.revoke(publisher.principal, keyId, revoke);
      await bring(await take(good));
      expect((await refusalOf(bring(old))).code).to.equal('import-stopped');
      expect(await latestOf('stolen-a')).to.equal('1.0.0');
    });

    it('is not taken where the theft was reported here alone', async () => {
      const { good, evil, keyId, revoke } = await twoReleases('stolen-b');
      await bring(await take(good));
      await away.publishing.keyLife.revoke(away.moderator, keyId, revoke);
      expect((await refusalOf(bring(await take(evil)))).code).to.equal('import-stopped');
    });

    it('is blocked where it is already, as soon as an export of another release tells', async () => {
      const { good, evil, keyId, revoke, publisher, since } = await twoReleases('stolen-c');
      await bring(await take(good));
      const { release } = await bring(await take(evil));
      expect(await latestOf('stolen-c')).to.equal('1.1.0');
      await home.publishing.keyLife.revoke(publisher.principal, keyId, revoke);
      await bring(await take(good));
      expect((await away.registry.releaseById(release.id))!.blocked).to.not.equal(null);
      expect(await latestOf('stolen-c')).to.equal('1.0.0');
      const entries = await away.database.knex('transparency_entries').pluck('content');
      const told = entries.map((content) => JSON.parse(content)).filter((entry) => entry.event === 'key.revoke');
      expect(told.at(-1)).to.include({ keyId, compromisedSince: since });
    });
  });

  it('does not begin where it was stopped: yanked, taken down, or signed with a key that had ended', async () => {
    const brought = await take(await published('never'));
    const notice = { at: new Date().toISOString(), reason: 'Bad.', replacement: null };
    const { publisherKey, createdAt } = statusOf(brought);
    for (const change of [
      { state: 'yanked' as const, yanked: notice },
      { state: 'suspended' as const, blocked: notice },
      { publisherKey: { ...publisherKey, revokedAt: createdAt, compromisedSince: createdAt } },
    ]) {
      expect((await refusalOf(bring(saying(brought, change)))).code).to.equal('import-stopped');
    }
    await bring(brought);
  });

  it('follows its registry from key to key, with either of them trusted', async () => {
    const brought = await take(await published('followed'));
    const next = generateKeyPairSync('ed25519').privateKey;
    const at = new Date(home.clock.nowMs - 60_000).toISOString();
    const link = signKeyLink(home.signingKey, next, {
      at,
      retiresAt: new Date(home.clock.nowMs + 60_000).toISOString(),
    });
    const linked = { ...brought, exported: { ...brought.exported, keys: [link] } };
    expect((await bring(saying(linked, {}, next), [home.signingKey])).outcome).to.equal('imported');
    expect((await bring(linked, [next], true)).outcome).to.equal('unchanged');
    expect(await partsAt(bring(brought, [next], true)), 'without the link').to.include('status');
    // Whoever stole the old key could set a clock back to when it was good.
    away.clock.nowMs = home.clock.nowMs + 60_000;
    for (const root of [home.signingKey, next]) {
      expect(await partsAt(bring(linked, [root], true)), 'retired').to.deep.equal(['status']);
      expect((await bring(saying(linked, {}, next), [root], true)).outcome).to.equal('unchanged');
    }
  });

  it('never takes one key of a publisher for another, whoever holds that one', async () => {
    const stolen = generateKeyPairSync('ed25519');
    const publicKeyPem = stolen.publicKey.export({ type: 'spki', format: 'pem' }) as string;
    await home.registry.registerKey(acme.principal, { publicKeyPem, label: 'stolen' });
    const release = await published('swapped');
    const theirs = await sampleRelease({ ...acme, privateKey: stolen.privateKey }, { name: 'by-stolen' });
    const { id } = await home.registry.publishRelease(acme.principal, theirs);
    const other = await take(await home.registry.approveRelease(home.moderator, id));
    const brought = await take(release);
    const { proof } = brought.exported;
    const signed = signRelease(statusOf(brought).release, stolen.privateKey, proof.envelope);
    const { publisherKey, head } = other.exported.proof;
    expect(head.size, 'both proofs are of one log').to.equal(proof.head.size);
    const forged = { ...proof, envelope: signed, publisherKey };
    const refusal = await refusalOf(bring({ ...brought, exported: { ...brought.exported, proof: forged } }));
    expect(refusal.code).to.equal('import-unproven');
    const { release: taken } = await bring(brought);
    await load(taken);
  });

  it('is refused and never a fault of the host, whatever its parts are', async () => {
    const brought = await take(await published('malformed'));
    const { exported } = brought;
    for (const bad of [
      { ...exported, status: { ...exported.status, signatures: [null] } },
      { ...exported, status: { ...exported.status, signatures: [{ keyid: 1, sig: {} }] } },
      { ...exported, status: null },
      { ...exported, proof: null },
      { ...exported, keys: [null, {}, { version: 1 }], status: null },
    ])
      expect((await refusalOf(bring({ ...brought, exported: bad as never }))).code).to.equal('import-unproven');
  });

  it('never takes the key of a publisher who is from here', async () => {
    const local = await away.publisher('keyholder');
    const { archive } = await sampleRelease(acme, { name: 'borrowed' });
    const statement = { publisher: 'acme', name: 'borrowed', version: '1.0.0', digest: sha256Hex(gunzipSync(archive)) };
    await home.registry.registerKey(acme.principal, { publicKeyPem: local.publicKeyPem, label: 'same' });
    const envelope = signRelease(statement, local.privateKey);
    const { id } = await home.registry.publishRelease(acme.principal, { archive, envelope });
    const release = await home.registry.approveRelease(home.moderator, id);
    expect((await refusalOf(bring(await take(release)))).code).to.equal('key-taken');
  });
});
