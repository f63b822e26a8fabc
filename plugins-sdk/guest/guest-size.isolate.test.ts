import { expect } from 'chai';
import { createSandbox } from '../../sandbox/index.ts';
import { splitGuest } from '../contract/guest-text.ts';
import { DEFAULT_LIMITS, sha256Hex, textOfInput } from '../contract/index.ts';
import { buildGuest } from './build-guest.ts';
import { httpInput, routeBundle } from './guest-in-context.ts';

/** A host keeps hundreds of isolates; what the runtime costs each of them is a promise. */
const ISOLATE_MIB_MAX = 1.5;
/** Every isolate has this text; that of the parts is there once. */
const CORE_BYTES_MAX = 80 * 1024;

describe('the guest runtime in an isolate', () => {
  it('is a small script without its parts', async () => {
    const { core, parts } = splitGuest(await buildGuest());
    expect(Buffer.byteLength(core)).to.be.below(CORE_BYTES_MAX);
    // What is not of one byte for each unit would be kept with two.
    expect(Buffer.byteLength(parts)).to.equal(parts.length);
  });

  it('leaves a trivial plugin within its promise of heap', async () => {
    const code = routeBundle('return 1');
    const sandbox = await createSandbox(
      { cordons: 1, lanesPerCordon: 1, queuePerLane: 8, isolatesPerLane: 2, spare: false },
      { guest: await buildGuest(), loadBundle: async () => code },
    );
    try {
      const invocation = {
        invocationId: 'i',
        installationId: 'inst',
        digest: sha256Hex(code),
        input: textOfInput({ ...httpInput(), context: { grants: [] } } as never),
        seed: '00'.repeat(32),
        startedAtMs: 0,
        limits: { ...DEFAULT_LIMITS, heapMiB: 8 },
      };
      const hostCall = async () => ({ ok: true, json: 'null' });
      const { status, usage } = await sandbox.invoke(invocation, { hostCall, log: () => {} });
      expect(status).to.equal('completed');
      expect(usage.heapMiB).to.be.within(0.1, ISOLATE_MIB_MAX);
    } finally {
      await sandbox.close(1_000);
    }
  });
});
