import { expect } from 'chai';
import { DEFAULT_LIMITS } from '../../plugins-sdk/contract/index.ts';
import type { Outcome, Usage } from '../../sandbox/index.ts';
import { GOOD_CONDUCT } from '../conduct/contract.ts';
import type { InstallationFacts } from '../installations/contract.ts';
import { createPluginRunner } from './run-plugin.ts';

const installation = {
  id: 'i',
  conduct: GOOD_CONDUCT,
  grants: [],
  limits: DEFAULT_LIMITS,
  operator: {},
} as unknown as InstallationFacts;

describe('What the host computes for an invocation', () => {
  it('is part of its CPU time, and nothing is where it computed nothing', async () => {
    const billed: number[] = [];
    const run = createPluginRunner({
      sandbox: {
        invoke: async ({ invocationId }, { hostCall }): Promise<Outcome> => {
          const call = { invocationId, installationId: 'i', name: 'crypto.digest', args: '{}' };
          for (let seq = 1; seq <= 2; seq += 1) await hostCall({ ...call, seq });
          return {
            status: 'completed',
            output: '{"kind":"value","value":1}',
            usage: { cpuMs: 1, wallMs: 100 } as Usage,
          };
        },
      },
      broker: async (scope) => {
        scope.bill(costMs);
        return { ok: true, json: 'null' };
      },
      record: () => {},
      meter: (_installation, _kind, { usage }) => billed.push(usage.cpuMs),
      nowMs: () => 0,
      newId: () => 'id',
      newSeed: () => 'f'.repeat(64),
    });
    let costMs = 3;
    await run(installation, { kind: 'health' }, { caller: null });
    costMs = 0;
    await run(installation, { kind: 'health' }, { caller: null });
    expect(billed).to.deep.equal([7, 1]);
  });
});
