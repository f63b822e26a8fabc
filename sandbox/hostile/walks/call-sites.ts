import { type Attack, jobIn } from '../attack.ts';

export default {
  that: 'reads functions, receivers and origins out of call sites',
  code: jobIn(`
    const found = [];
    const traps = { ownKeys() { new Error('two').stack; return []; } };
    const late = function () { new Error('one').stack; };
    const own = new Set([globalThis, traps, traps.ownKeys, late]);
    Error.prepareStackTrace = (error, sites) => {
      for (const site of sites) {
        for (const read of ['getThis', 'getFunction', 'getEvalOrigin']) {
          let value; try { value = site[read]?.(); } catch {}
          if ((typeof value === 'object' || typeof value === 'function') && value !== null && !own.has(value)) found.push(read + ' ' + String(value).slice(0, 80));
        }
      }
      return '';
    };
    setTimeout(late, 0);
    await ctx.kv.get('').catch((error) => error.stack);
    await new Promise((done) => setTimeout(done, 1));
    console.log(new Proxy({}, traps));
    return found;`),
  ends: { answers: [] },
} satisfies Attack;
