import { expect } from 'chai';
import { DEFAULT_LIMITS } from '../../plugins-sdk/contract/index.ts';
import { type Outcome, SandboxRefusal, type Usage } from '../../sandbox/index.ts';
import { GOOD_CONDUCT } from '../conduct/contract.ts';
import type { InstallationFacts } from '../installations/contract.ts';
import { createPluginRunner } from './run-plugin.ts';

const USAGE = { cpuMs: 1, wallMs: 100 } as Usage;
const COMPLETED: Outcome = { status: 'completed', output: '{"kind":"value","value":1}', usage: USAGE };

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
          return COMPLETED;
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

  it('is charged to the installation where the invocation ended before it, or was called off', async () => {
    const billed: [string, number][] = [];
    let read = () => {};
    let ends: () => Outcome = () => COMPLETED;
    const run = createPluginRunner({
      sandbox: {
        invoke: async ({ invocationId }, { hostCall }) => {
          const call = { invocationId, installationId: 'i', name: 'kv.getMany', args: '{}', seq: 1 };
          void hostCall(call);
          return ends();
        },
      },
      broker: async (scope) => {
        if (ends === calledOff) scope.bill(BURST_MS);
        await new Promise<void>((resolve) => {
          read = resolve;
        });
        scope.bill(BURST_MS);
        return { ok: true, json: 'null' };
      },
      record: () => {},
      meter: (_installation, _kind, { usage }) => billed.push(['answered', usage.cpuMs]),
      extraCpu: ({ why, cpuMs }) => billed.push([why, cpuMs]),
      nowMs: () => 0,
      monotonicMs: () => nowMs,
      newId: () => 'id',
      newSeed: () => 'f'.repeat(64),
    });
    let nowMs = 0;
    const BURST_MS = DEFAULT_LIMITS.cpuBurstMs + 1;
    const calledOff = (): Outcome => {
      throw new SandboxRefusal('invocation-aborted');
    };
    const codeOf = () =>
      run(installation, { kind: 'health' }, { caller: null }).then(
        () => 'answered',
        ({ code }) => code,
      );
    expect(await codeOf()).to.equal('answered');
    read();
    await new Promise((resolve) => setImmediate(resolve));
    expect(billed).to.deep.equal([
      ['answered', 1],
      ['after-end', BURST_MS],
    ]);
    expect(await codeOf()).to.equal('cpu-budget-exhausted');
    nowMs = 60_000;
    ends = calledOff;
    expect(await codeOf()).to.equal('invocation-aborted');
    expect(await codeOf()).to.equal('cpu-budget-exhausted');
  });
});
