import { createPublicKey, generateKeyPairSync } from 'node:crypto';
import { expect } from 'chai';
import { keyIdOf } from '../../plugins-sdk/contract/index.ts';
import { type Principal, RegistryRefusal, type Release } from '../index.ts';
import { refusalOf, sampleRelease, type TestPublisher, type TestRegistry, testRegistry } from '../test-registry.ts';

const pair = () => {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  const publicKeyPem = publicKey.export({ type: 'spki', format: 'pem' }) as string;
  return { privateKey, publicKeyPem, keyId: keyIdOf(publicKey) };
};
const keyIdFor = ({ publicKeyPem }: TestPublisher) => keyIdOf(createPublicKey(publicKeyPem));

describe('the life of a key', () => {
  let test: TestRegistry;
  before(async () => {
    test = await testRegistry();
    // Releases get their time from the database; the registry's clock has to be beside it.
    test.clock.nowMs = Date.now();
  });
  after(() => test.database.close());
  const keys = () => test.publishing.keyLife;
  const publish = async (publisher: TestPublisher, name: string, version = '1.0.0') => {
    const code = `export default "${publisher.principal.organisation.slug} ${name} ${version}";`;
    const command = await sampleRelease(publisher, { name, version }, code);
    return test.registry.publishRelease(publisher.principal, command);
  };
  const published = async (publisher: TestPublisher, name: string, version?: string) => {
    const { id } = await publish(publisher, name, version);
    return test.registry.approveRelease(test.moderator, id);
  };
  const load = (release: Release) => test.registry.loadBundle(release.bundleDigest);
  const now = () => {
    test.clock.nowMs = Date.now();
    return new Date(test.clock.nowMs).toISOString();
  };
  const pause = () => new Promise((resolve) => setTimeout(resolve, 20));

  it('rotates with an overlap in which both sign, and leaves good what the old one signed', async () => {
    const acme = await test.publisher('acme');
    const old = await published(acme, 'rotated');
    const next = pair();
    const command = { publicKeyPem: next.publicKeyPem, label: 'next', overlapSeconds: 60 };
    now();
    const rotated = await keys().rotate(acme.principal, keyIdFor(acme), command);
    expect(rotated.key).to.include({ successorId: next.keyId, revokedAt: null });
    expect(Date.parse(rotated.key.retiresAt!)).to.equal(test.clock.nowMs + 60_000);
    expect(await keys().rotate(acme.principal, keyIdFor(acme), command)).to.deep.equal(rotated);
    const successor = { ...acme, privateKey: next.privateKey };
    await published(acme, 'rotated', '1.0.1');
    await published(successor, 'rotated', '1.0.2');
    const waiting = await publish(acme, 'rotated', '1.0.3');
    await test.database.knex('publisher_keys').where('key_id', keyIdFor(acme)).update({ retires_at: new Date() });
    expect((await refusalOf(publish(acme, 'rotated', '1.0.4'))).code).to.equal('release-signature-invalid');
    await published(successor, 'rotated', '1.0.5');
    // What came in time is reviewed and run as if nothing had been.
    await load(await test.registry.approveRelease(test.moderator, waiting.id));
    await load(old);
  });

  it('refuses to rotate to itself, twice, or what belongs to others', async () => {
    const acme = await test.publisher('twice');
    const rival = await test.publisher('twice-rival');
    const rotate = (by: TestPublisher, publicKeyPem: string) =>
      keys().rotate(by.principal, keyIdFor(acme), { publicKeyPem, label: 'x', overlapSeconds: 0 });
    expect((await refusalOf(rotate(rival, pair().publicKeyPem))).code).to.equal('key-unknown');
    expect((await refusalOf(rotate(acme, rival.publicKeyPem))).code).to.equal('key-taken');
    expect((await refusalOf(rotate(acme, acme.publicKeyPem))).code).to.equal('key-state-invalid');
    await rotate(acme, pair().publicKeyPem);
    expect((await refusalOf(rotate(acme, pair().publicKeyPem))).code).to.equal('key-state-invalid');
  });

  it('revokes: nothing is signed any more, and what was published before goes on', async () => {
    const acme = await test.publisher('plain');
    const before = await published(acme, 'plain');
    const waiting = await publish(acme, 'plain', '1.0.1');
    await pause();
    now();
    const { key, blockedReleaseIds } = await keys().revoke(acme.principal, keyIdFor(acme), {});
    expect(key.revokedAt).to.be.a('string');
    expect(blockedReleaseIds).to.deep.equal([]);
    expect((await refusalOf(publish(acme, 'plain', '1.0.2'))).code).to.equal('release-signature-invalid');
    expect((await refusalOf(test.registry.approveRelease(test.moderator, waiting.id))).code).to.equal(
      'release-signature-invalid',
    );
    await load(before);
    expect(await keys().revoke(acme.principal, keyIdFor(acme), {})).to.deep.equal({ key, blockedReleaseIds });
  });

  it('blocks what a stolen key signed from a time on with one command, and nothing else', async () => {
    const acme = await test.publisher('stolen');
    const second = pair();
    await test.registry.registerKey(acme.principal, { publicKeyPem: second.publicKeyPem, label: 'second' });
    const before = await published(acme, 'stolen', '1.0.0');
    await pause();
    const compromisedSince = now();
    await pause();
    const after = await published(acme, 'stolen', '1.0.1');
    const yanked = await published(acme, 'stolen', '1.0.2');
    await test.publishing.releaseLife.yank(acme.principal, yanked.id, { reason: 'x' });
    const others = await published({ ...acme, privateKey: second.privateKey }, 'stolen', '1.0.3');
    await pause();
    now();
    const { blockedReleaseIds } = await keys().revoke(acme.principal, keyIdFor(acme), { compromisedSince });
    expect(blockedReleaseIds).to.have.members([after.id, yanked.id]);
    for (const release of [before, others]) await load(release);
    for (const release of [after, yanked]) expect((await refusalOf(load(release))).code).to.match(/^release-/);
    const found = await test.registry.releaseById(after.id);
    expect(found!.blocked!.reason).to.contain('stolen');
    const versions = await test.registry.publishedVersions(['stolen/stolen']);
    expect(versions.map(({ version }) => version).sort()).to.deep.equal(['1.0.0', '1.0.3']);
  });

  it('is reported stolen while its releases are published, approved and yanked, and nobody waits for ever', async () => {
    for (const slug of ['raced-a', 'raced-b', 'raced-c']) {
      const acme = await test.publisher(slug);
      const compromisedSince = now();
      const out = await Promise.all(['one', 'two', 'three'].map((name) => test.published(acme, { name })));
      const versions = ['one', 'two'].map((name) => sampleRelease(acme, { name, version: '1.1.0' }));
      const sent = await Promise.all(
        versions.map(async (each) => test.registry.publishRelease(acme.principal, await each)),
      );
      const later = await sampleRelease(acme, { name: 'three', version: '1.1.0' });
      await pause();
      now();
      const results = await Promise.allSettled([
        ...sent.map(({ id }) => test.registry.approveRelease(test.moderator, id)),
        test.publishing.releaseLife.yank(acme.principal, out[0]!.id, { reason: 'x' }),
        test.registry.publishRelease(acme.principal, later),
        keys().revoke(acme.principal, keyIdFor(acme), { compromisedSince }),
      ]);
      const failures = results.flatMap((result) => (result.status === 'rejected' ? [result.reason] : []));
      // Whoever came after the report learns that the key is none any more.
      for (const failure of failures) expect(failure, String(failure)).to.be.instanceOf(RegistryRefusal);
      expect(results.at(-1)!.status).to.equal('fulfilled');
    }
  });

  it('does not believe the flag alone: the time of the key decides at every load', async () => {
    const acme = await test.publisher('flagless');
    const release = await published(acme, 'flagless');
    now();
    await keys().revoke(acme.principal, keyIdFor(acme), { compromisedSince: release.createdAt });
    await test.database.knex('releases').where({ id: release.id }).update({ blocked: null });
    expect((await refusalOf(load(release))).code).to.equal('release-signature-invalid');
  });

  it('moves the time back when more becomes known, and never forward', async () => {
    const acme = await test.publisher('earlier');
    const first = await published(acme, 'earlier', '1.0.0');
    await pause();
    const between = now();
    await pause();
    const second = await published(acme, 'earlier', '1.0.1');
    await pause();
    now();
    const revoke = (compromisedSince?: string) =>
      keys().revoke(acme.principal, keyIdFor(acme), { ...(compromisedSince && { compromisedSince }) });
    expect((await revoke()).blockedReleaseIds).to.deep.equal([]);
    expect((await revoke(between)).blockedReleaseIds).to.deep.equal([second.id]);
    expect((await revoke(first.createdAt)).blockedReleaseIds).to.deep.equal([first.id]);
    expect((await revoke(between)).key.compromisedSince).to.equal(first.createdAt);
    const later = new Date(test.clock.nowMs + 60_000).toISOString();
    expect((await refusalOf(revoke(later))).code).to.equal('key-state-invalid');
  });

  it('is for its publisher and for moderators', async () => {
    const acme = await test.publisher('owned');
    const rival = await test.publisher('owned-rival');
    const operator: Principal = await test.organisation('owned-op', 'operator', 'operator-owner');
    for (const actor of [rival.principal, operator, test.admin]) {
      expect((await refusalOf(keys().revoke(actor, keyIdFor(acme), {}))).code).to.equal('key-unknown');
    }
    expect((await keys().revoke(test.moderator, keyIdFor(acme), {})).key.revokedAt).to.be.a('string');
    const { items } = await test.registry.listAudit(acme.principal, { action: 'key.revoke' });
    expect(items).to.have.length(1);
  });
});
