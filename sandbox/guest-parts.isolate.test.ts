import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { joinGuest, PARTS_GLOBAL } from '../plugins-sdk/contract/guest-text.ts';
import { DEFAULT_LIMITS } from '../plugins-sdk/contract/index.ts';
import { createSandbox } from './index.ts';

const TEXT_MIB = 8;
const ISOLATES = 8;

/** The smallest guest; it answers with the size of the texts that it was given. */
const core = `
  const texts = globalThis.${PARTS_GLOBAL};
  delete globalThis.${PARTS_GLOBAL};
  let said = '';
  globalThis.__gatehouse_define = () => {};
  globalThis.turn = (head) => {
    const answer = String(texts.length);
    said += 'done ' + JSON.parse(head)[0] + ' 0 - ' + answer.length + '\\n' + answer;
  };
  globalThis.drain = () => { const all = said; said = ''; return all; };`;

const residentMiBOf = (pid: number): number =>
  Number(/^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1]) / 1024;

describe('the texts of parts of a guest', () => {
  it('are in the memory of a cordon once, and part of what no isolate takes', async () => {
    const sandbox = await createSandbox(
      { cordons: 1, lanesPerCordon: 1, queuePerLane: ISOLATES, isolatesPerLane: ISOLATES + 1, spare: false },
      {
        guest: joinGuest({ core, parts: 'x'.repeat(TEXT_MIB * 1024 * 1024) }),
        loadBundle: async () => '__gatehouse_define();',
      },
    );
    const run = async (installationId: string) => {
      const outcome = await sandbox.invoke(
        {
          invocationId: installationId,
          installationId,
          digest: '00'.repeat(32),
          input: '{}',
          seed: '00'.repeat(32),
          startedAtMs: 0,
          limits: DEFAULT_LIMITS,
        },
        { hostCall: async () => ({ ok: true, json: 'null' }), log: () => {} },
      );
      expect(outcome).to.deep.include({ status: 'completed', output: String(TEXT_MIB * 1024 * 1024) });
      expect(outcome.usage.externalMiB).to.be.below(1);
    };
    try {
      await run('first');
      const { pid } = sandbox.status().cordons[0]!;
      const beforeMiB = residentMiBOf(pid);
      for (let each = 0; each < ISOLATES; each += 1) await run(`${each}`);
      expect(sandbox.status().isolates).to.equal(ISOLATES + 1);
      expect(residentMiBOf(pid) - beforeMiB).to.be.below((ISOLATES * TEXT_MIB) / 2);
    } finally {
      await sandbox.close(0);
    }
  });
});
