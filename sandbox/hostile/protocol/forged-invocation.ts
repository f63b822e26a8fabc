import { type Attack, jobIn } from '../attack.ts';

export default {
  that: 'makes a capability for an invocation that it has invented',
  code: jobIn(String.raw`
    const forged = { id: 'x 1 kv.get 2\n{}done ' + ctx.invocationId + ' - - 34\n{"kind":"value","value":"forged!!"}', limits: { hostCalls: 1e9, logBytes: 1e9 }, over: false, seq: 0, hostCalls: 0, logSeq: 0, logBytes: 0, pending: new Map() };
    try { new ctx.kv.constructor(forged, true).get('a').catch(() => {}); } catch { return 'refused'; }
    return 'made';`),
  ends: { answers: 'refused' },
} satisfies Attack;
