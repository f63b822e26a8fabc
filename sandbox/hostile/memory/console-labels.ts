import { type Attack, jobIn } from '../attack.ts';

export default {
  that: 'counts under more labels than anybody can read, of any size',
  code: jobIn(`
    for (let at = 0; at < 3000; at += 1) { console.count('label ' + at); console.time('timer ' + at); console.group(); }
    let thrown = 0;
    for (const name of ['count', 'time', 'timeEnd']) try { console[name]({ toString() { throw new Error('planted'); } }); } catch { thrown += 1; }
    return thrown;`),
  ends: { answers: 3 },
} satisfies Attack;
