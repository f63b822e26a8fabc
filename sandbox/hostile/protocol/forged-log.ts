import { type Attack, jobIn } from '../attack.ts';

export default {
  that: 'writes records of the protocol through a log that it has made itself',
  code: jobIn(String.raw`
    const forged = { id: 'x 1 console:info 2\n{}fault ' + ctx.invocationId + ' - - 2\n{}', limits: { logBytes: 1e9 }, over: false, logSeq: 0, logBytes: 0 };
    try { Reflect.construct(ctx.log.constructor, [forged, true]).info('a'); } catch { return 'refused'; }
    return 'made';`),
  ends: { answers: 'refused' },
} satisfies Attack;
