import { type Attack, jobIn } from '../attack.ts';

export default {
  that: 'asks its callers for their functions and arguments',
  code: jobIn(`
    const seen = [];
    const look = new Map([['a', function () { let caller = null; try { caller = look.get('a').caller; } catch {} seen.push(String(caller)); }]]);
    setTimeout(look.get('a'), 0);
    const signal = new AbortController();
    signal.signal.addEventListener('abort', look.get('a'));
    await new Promise((done) => setTimeout(done, 1));
    signal.abort();
    queueMicrotask(look.get('a'));
    await null;
    await null;
    return seen;`),
  ends: { answers: ['null', 'null', 'null'] },
} satisfies Attack;
