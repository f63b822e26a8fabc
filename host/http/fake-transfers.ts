import type { Release, Transfers } from '../../registry/index.ts';

const HEX = 'a'.repeat(64);
const AT = '2026-01-02T03:04:05.678Z';
const HEAD = { size: 1, root: HEX, signedAt: AT, keyId: HEX, signature: 'AAAA' };
const PROOF = { entry: '{"event":"key.register","v":1}', index: 0, path: [HEX] };
const ENVELOPE = { payloadType: 'x', payload: 'e30=', signatures: [{ keyid: HEX, sig: 'AAAA' }] };

export const EXPORTED = {
  version: 1 as const,
  status: ENVELOPE,
  proof: {
    version: 1 as const,
    envelope: ENVELOPE,
    publisherKey: { publicKeyPem: 'PEM', proof: PROOF },
    approval: PROOF,
    head: HEAD,
  },
  keys: [],
};

type FakePort = <Args extends unknown[], Value>(name: string, value: Value) => (...args: Args) => Promise<Value>;

/** Releases between registries, for the tests of the HTTP side. */
export const fakeTransfers = (port: FakePort, release: Release): { transfers: Transfers } => ({
  transfers: {
    exportRelease: port('transfers.exportRelease', { exported: EXPORTED, archive: Buffer.from('archive') }),
    importRelease: port('transfers.importRelease', {
      outcome: 'imported' as const,
      event: 'release.import' as const,
      release,
      steps: [{ step: 'trust' as const, passed: true, message: 'The trusted key.' }],
      dryRun: false,
    }),
  },
});
