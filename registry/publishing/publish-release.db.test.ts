import { generateKeyPairSync } from 'node:crypto';
import { gunzipSync, gzipSync } from 'node:zlib';
import { expect } from 'chai';
import { sha256Hex, signRelease } from '../../plugins-sdk/contract/index.ts';
import {
  envelopeOf,
  refusalOf,
  sampleManifest,
  sampleRelease,
  type TestPublisher,
  type TestRegistry,
  testRegistry,
} from '../test-registry.ts';

describe('publishRelease', () => {
  let test: TestRegistry;
  let acme: TestPublisher;
  let rival: TestPublisher;
  before(async () => {
    test = await testRegistry();
    acme = await test.publisher('acme');
    rival = await test.publisher('rival');
  });
  after(() => test.database.close());
  const publish = (publisher: TestPublisher, command: Awaited<ReturnType<typeof sampleRelease>>) =>
    test.registry.publishRelease(publisher.principal, command);
  const countOf = async (table: string) => Number((await test.database.knex(table).count())[0]!.count);

  it('stores a release in review, with its digests and the signature of its publisher', async () => {
    const command = await sampleRelease(acme, { name: 'first' });
    const release = await publish(acme, command);
    expect(release).to.deep.include({
      plugin: 'acme/first',
      version: '1.0.0',
      state: 'in-review',
      manifest: sampleManifest({ name: 'first' }),
      digest: sha256Hex(gunzipSync(command.archive)),
      bundleDigest: sha256Hex('export default 1;'),
      bundleBytes: 17,
      envelope: command.envelope,
      reasons: [],
      reviewedAt: null,
    });
    expect(await test.registry.releaseById(release.id)).to.deep.equal(release);
  });

  it('gives the stored release when the same bytes come again, however they are compressed', async () => {
    const command = await sampleRelease(acme, { name: 'again' });
    const first = await publish(acme, command);
    expect(await publish(acme, command)).to.deep.equal(first);
    const archive = gzipSync(gunzipSync(command.archive), { level: 1 });
    expect(await publish(acme, { ...command, archive })).to.deep.equal(first);
  });

  it('refuses a version already published with other contents', async () => {
    await publish(acme, await sampleRelease(acme, { name: 'taken' }));
    const other = await sampleRelease(acme, { name: 'taken' }, 'export default 2;');
    const refusal = await refusalOf(publish(acme, other));
    expect(refusal.code).to.equal('release-version-taken');
    expect(refusal.facts).to.include({ plugin: 'acme/taken', version: '1.0.0' });
  });

  it('refuses a manifest of another publisher', async () => {
    const manifest = sampleManifest({ publisher: 'rival' });
    const { archive } = await sampleRelease(acme, { publisher: 'rival' });
    const envelope = envelopeOf(manifest, archive, acme.privateKey);
    expect((await refusalOf(publish(acme, { archive, envelope }))).code).to.equal('publisher-foreign');
  });

  it('refuses to operators, whatever their slug', async () => {
    const operator = await test.organisation('shop', 'operator', 'operator-owner');
    const command = await sampleRelease({ ...acme, principal: operator });
    expect((await refusalOf(test.registry.publishRelease(operator, command))).code).to.equal('publisher-foreign');
  });

  describe('signature', () => {
    const refused = async (command: Awaited<ReturnType<typeof sampleRelease>>) => {
      const refusal = await refusalOf(publish(acme, command));
      expect(refusal.code).to.equal('release-signature-invalid');
      return refusal.message;
    };

    it('refuses an envelope of the wrong shape', async () => {
      const { archive, envelope } = await sampleRelease(acme, { name: 'shape' });
      const broken = [
        null,
        {},
        { ...envelope, payloadType: 'text/plain' },
        { ...envelope, payload: 'not base64!' },
        { ...envelope, signatures: [] },
        { ...envelope, signatures: [{ keyid: '\0', sig: 'AA==' }] },
        { ...envelope, signatures: [null] },
        { ...envelope, signatures: Array.from({ length: 9 }, () => envelope.signatures[0]) },
      ];
      for (const each of broken) expect(await refused({ archive, envelope: each as never })).to.contain('not a DSSE');
    });

    it('refuses a key that is not registered, is revoked, or belongs to another publisher', async () => {
      const stranger = { ...acme, privateKey: generateKeyPairSync('ed25519').privateKey };
      expect(await refused(await sampleRelease(stranger, { name: 'stranger' }))).to.contain('not registered');
      const foreign = { ...acme, privateKey: rival.privateKey };
      expect(await refused(await sampleRelease(foreign, { name: 'foreign' }))).to.contain('not registered');
      const { publicKey, privateKey } = generateKeyPairSync('ed25519');
      const publicKeyPem = publicKey.export({ type: 'spki', format: 'pem' }) as string;
      const { keyId } = await test.registry.registerKey(acme.principal, { publicKeyPem, label: 'lost' });
      await test.database.knex('publisher_keys').where('key_id', keyId).update({ revoked_at: new Date() });
      expect(await refused(await sampleRelease({ ...acme, privateKey }, { name: 'revoked' }))).to.contain('is revoked');
    });

    it('refuses a signature with a changed byte', async () => {
      const { archive, envelope } = await sampleRelease(acme, { name: 'flipped' });
      const sig = Buffer.from(envelope.signatures[0]!.sig, 'base64');
      sig[5]! ^= 1;
      const signatures = [{ ...envelope.signatures[0]!, sig: sig.toString('base64') }];
      expect(await refused({ archive, envelope: { ...envelope, signatures } })).to.contain('does not fit its key');
    });

    it('refuses a statement about other bytes, another name or another version', async () => {
      const { archive } = await sampleRelease(acme, { name: 'stated' });
      const statement = { publisher: 'acme', name: 'stated', version: '1.0.0', digest: sha256Hex(gunzipSync(archive)) };
      for (const change of [
        { digest: sha256Hex('x') },
        { name: 'other' },
        { version: '2.0.0' },
        { publisher: 'rival' },
      ]) {
        const envelope = signRelease({ ...statement, ...change }, acme.privateKey);
        expect(await refused({ archive, envelope })).to.contain(`${Object.keys(change)[0]} "`);
      }
    });

    it('keeps only the signature that it has verified', async () => {
      const command = await sampleRelease(acme, { name: 'kept' });
      const [good] = command.envelope.signatures;
      const junk = { keyid: sha256Hex('junk'), sig: 'AAAA' };
      const sameKey = { keyid: good!.keyid, sig: Buffer.alloc(64, 1).toString('base64') };
      const envelope = { ...command.envelope, signatures: [junk, sameKey, good!] };
      expect((await publish(acme, { ...command, envelope })).envelope).to.deep.equal(command.envelope);
    });
  });

  it('stores nothing at all of a release that it refuses', async () => {
    const tables = ['plugins', 'releases', 'release_artifacts'];
    const before = await Promise.all(tables.map(countOf));
    const command = await sampleRelease({ ...acme, privateKey: rival.privateKey }, { name: 'nothing' });
    await refusalOf(publish(acme, command));
    expect(await Promise.all(tables.map(countOf))).to.deep.equal(before);
  });

  it('lets the same bytes that come many times at once become one release', async () => {
    const command = await sampleRelease(acme, { name: 'race-same' });
    const releases = await Promise.all(Array.from({ length: 8 }, () => publish(acme, command)));
    expect(new Set(releases.map(({ id }) => id)).size).to.equal(1);
  });

  it('lets exactly one of many different bytes for one version win', async () => {
    const commands = await Promise.all(
      Array.from({ length: 8 }, (_, at) => sampleRelease(acme, { name: 'race-other' }, `export default ${at};`)),
    );
    const outcomes = await Promise.allSettled(commands.map((command) => publish(acme, command)));
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).to.have.length(1);
    for (const outcome of outcomes) {
      if (outcome.status === 'rejected') expect(outcome.reason.code).to.equal('release-version-taken');
    }
  });
});
