import { createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { expect } from 'chai';
import fc from 'fast-check';
import { keyIdOf, type ReleaseProof, sha256Hex, signRelease, statementDigest } from '../../contract/index.ts';
import { gzipTar, writeTar } from '../write-archive.ts';
import { fakeLog, keyEntry } from './fake-log.ts';
import { verifyArchive } from './verify-archive.ts';

const pair = () => generateKeyPairSync('ed25519');
const pemOf = (key: KeyObject) => key.export({ type: 'spki', format: 'pem' }) as string;

describe('verifyArchive', () => {
  const publisher = pair();
  const registry = pair();
  let archive: Buffer;
  let proof: ReleaseProof;

  /** An archive and its proof, in a log with other entries around; `as` is whose names are in the manifest. */
  async function released(as = { publisher: 'acme', name: 'hello', version: '1.0.0' }, signer = publisher) {
    const tar = await writeTar({ 'gatehouse.json': JSON.stringify(as), 'bundle.js': 'export default 1;' });
    const statement = { ...as, digest: sha256Hex(tar) };
    const log = fakeLog(5, registry.privateKey);
    const at = '2030-01-01T00:00:00.000Z';
    const keyId = keyIdOf(signer.publicKey);
    log.entries.push(
      JSON.stringify({ at, event: 'key.register', keyId, publisher: as.publisher, v: 1 }),
      keyEntry('z'),
    );
    log.entries.push(JSON.stringify({ at, event: 'release.approve', release: statementDigest(statement), v: 1 }));
    log.entries.push(keyEntry('after'));
    const made: ReleaseProof = {
      version: 1,
      envelope: signRelease(statement, registry.privateKey, signRelease(statement, signer.privateKey)),
      publisherKey: { publicKeyPem: pemOf(signer.publicKey), proof: log.proof(5) },
      approval: log.proof(7),
      head: log.head(),
    };
    return { archive: gzipTar(tar), proof: made, log };
  }
  beforeEach(async () => {
    ({ archive, proof } = await released());
  });
  const failed = async (changed: Partial<ReleaseProof> = {}, key = registry.publicKey, bytes = archive) =>
    (await verifyArchive(bytes, { ...proof, ...changed }, key)).steps
      .filter(({ passed }) => !passed)
      .map(({ step }) => step);

  it('passes what was signed twice, registered and approved in public, and says each step', async () => {
    const verified = await verifyArchive(archive, proof, registry.publicKey);
    expect(verified.passed, JSON.stringify(verified.steps)).to.equal(true);
    expect(verified.steps.map(({ step }) => step)).to.deep.equal([
      'archive',
      'statement',
      'publisher-signature',
      'publisher-key',
      'countersignature',
      'approval',
      'head',
    ]);
    expect(verified.statement).to.include({ publisher: 'acme', name: 'hello', version: '1.0.0' });
  });

  it('refuses another archive, even of the same plugin', async () => {
    const other = await released({ publisher: 'acme', name: 'hello', version: '1.0.1' });
    expect(await failed({}, registry.publicKey, other.archive)).to.deep.equal(['statement', 'approval']);
    expect(await failed({}, registry.publicKey, Buffer.from('nonsense'))).to.deep.equal(['archive']);
  });

  it('refuses a key of the registry that is not the one that is trusted', async () => {
    const { publicKey } = pair();
    expect(await failed({}, publicKey)).to.deep.equal(['countersignature', 'head']);
  });

  it('refuses a release that only its publisher signed, and one that only the registry did', async () => {
    const [first, second] = proof.envelope.signatures;
    expect(await failed({ envelope: { ...proof.envelope, signatures: [first!] } })).to.deep.equal(['countersignature']);
    expect(await failed({ envelope: { ...proof.envelope, signatures: [second!] } })).to.deep.equal([
      'publisher-signature',
    ]);
  });

  it("refuses a foreign key under the publisher's name, though the registry countersigned", async () => {
    const thief = pair();
    const stolen = await released({ publisher: 'acme', name: 'hello', version: '1.0.0' }, thief);
    // The thief's key is in the log, but as that of somebody else.
    const log = fakeLog(3, registry.privateKey);
    log.entries.push(
      JSON.stringify({ at: 'x', event: 'key.register', keyId: keyIdOf(thief.publicKey), publisher: 'evil', v: 1 }),
    );
    const publisherKey = { publicKeyPem: pemOf(thief.publicKey), proof: log.proof(3) };
    const { steps } = await verifyArchive(stolen.archive, { ...stolen.proof, publisherKey }, registry.publicKey);
    expect(steps.filter(({ passed }) => !passed).map(({ step }) => step)).to.deep.equal(['publisher-key']);
  });

  it('refuses the proof of another entry, and an entry that is in another log', async () => {
    const { log } = await released();
    expect(await failed({ approval: log.proof(5) }), 'the wrong leaf').to.deep.equal(['approval']);
    expect(await failed({ approval: { ...proof.approval, index: 6 } }), 'the wrong place').to.deep.equal(['approval']);
    const path = proof.approval.path.slice(1);
    expect(await failed({ approval: { ...proof.approval, path } }), 'truncated').to.deep.equal(['approval']);
    log.entries[0] = keyEntry('fork');
    expect(await failed({ head: log.head() }), 'another log').to.deep.equal(['publisher-key', 'approval']);
  });

  it('refuses a proof with anything changed, and never throws', async () => {
    const text = JSON.stringify(proof);
    await fc.assert(
      fc.asyncProperty(fc.nat(text.length - 1), fc.integer({ min: 32, max: 126 }), async (at, code) => {
        const changed = text.slice(0, at) + String.fromCharCode(code) + text.slice(at + 1);
        let read: ReleaseProof;
        try {
          read = JSON.parse(changed) as ReleaseProof;
        } catch {
          return;
        }
        const { passed } = await verifyArchive(archive, read, registry.publicKey);
        // What remains readable as the same bytes is the same proof: letters of base64 padding, spaces, the version.
        if (passed) expect(sameProof(read, proof), changed).to.equal(true);
      }),
      { numRuns: 400 },
    );
    for (const nonsense of [null, [], 'text', { version: 1 }, { ...proof, publisherKey: { publicKeyPem: 'x' } }]) {
      expect((await verifyArchive(archive, nonsense as never, registry.publicKey)).passed).to.equal(false);
    }
  });

  const decoded = (base64: string) => Buffer.from(base64, 'base64').toString('hex');
  const sameProof = (one: ReleaseProof, other: ReleaseProof): boolean => {
    const meaning = ({ envelope, publisherKey, approval, head }: ReleaseProof) =>
      JSON.stringify([
        decoded(envelope.payload),
        envelope.signatures.map(({ sig, keyid }) => [decoded(sig), keyid]),
        keyIdOf(createPublicKey(publisherKey.publicKeyPem)),
        publisherKey.proof,
        approval,
        { ...head, signature: decoded(head.signature) },
      ]);
    return meaning(one) === meaning(other);
  };
});
