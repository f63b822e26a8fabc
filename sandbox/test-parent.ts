import type { Limits } from '../plugins-sdk/contract/limits.ts';
import { createSandbox } from './index.ts';

/** A host in a process of its own: starts a sandbox around the smallest guest, says what happened, and stays. */
const guest = `
  let said = '';
  globalThis.__gatehouse_define = (plugin) => { globalThis.plugin = plugin; };
  globalThis.turn = (head, body) => {
    const [id] = JSON.parse(head);
    const answer = JSON.stringify(plugin(JSON.parse(body)));
    said += 'done ' + id + ' 0 - ' + answer.length + '\\n' + answer;
  };
  globalThis.drain = () => { const all = said; said = ''; return all; };`;

const sandbox = await createSandbox(
  { cordons: 2, lanesPerCordon: 1, queuePerLane: 10, isolatesPerLane: 2, spare: false },
  { guest, loadBundle: async () => '__gatehouse_define((input) => { while (input.spin); return input.n * 2; });' },
);
const limits = JSON.parse(process.argv[2]!) as Limits;
const invoke = (invocationId: string, input: object) =>
  sandbox.invoke(
    {
      invocationId,
      installationId: invocationId,
      digest: '00'.repeat(32),
      input: JSON.stringify(input),
      seed: '00'.repeat(32),
      startedAtMs: 0,
      limits: { ...limits, cpuMs: 60_000, wallMs: 60_000 },
    },
    { hostCall: async () => ({ ok: true, json: 'null' }), log: () => {} },
  );
const outcome = await invoke('double', { n: 21 });
void invoke('spin', { spin: true });
const pids = sandbox.status().cordons.map(({ pid }) => pid);
process.stdout.write(`${JSON.stringify({ outcome, pids })}\n`);
