import type { TransparencyRoutePorts } from '../routes/transparency.ts';

const HEX = 'a'.repeat(64);
const HEAD = { size: 1, root: HEX, signedAt: '2026-01-02T03:04:05.678Z', keyId: HEX, signature: 'AAAA' };
const PROOF = { entry: '{"event":"key.register","v":1}', index: 0, path: [HEX] };
const ENVELOPE = { payloadType: 'x', payload: 'e30=', signatures: [{ keyid: HEX, sig: 'AAAA' }] };

type FakePort = <Args extends unknown[], Value>(name: string, value: Value) => (...args: Args) => Promise<Value>;

/** The transparency log in memory, for the tests of the HTTP side. */
export const fakeTransparency = (port: FakePort): TransparencyRoutePorts => ({
  transparency: {
    publicKey: { keyId: HEX, publicKeyPem: 'PEM' },
    keyLinks: port('keyLinks', []),
    head: port('treeHead', HEAD),
    entries: port('logEntries', { items: [{ index: 0, entry: PROOF.entry }], nextCursor: null }),
    inclusion: port('inclusion', { ...PROOF, size: 1, head: HEAD }),
    consistency: port('consistency', { from: 0, to: 1, path: [HEX] }),
    proveRelease: port('proveRelease', {
      version: 1 as const,
      envelope: ENVELOPE,
      publisherKey: { publicKeyPem: 'PEM', proof: PROOF },
      approval: PROOF,
      head: HEAD,
    }),
  },
});
