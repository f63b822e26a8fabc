import { type Attack, jobIn } from '../attack.ts';

export default {
  that: 'logs facts that are nested deeper than a database reads JSON',
  code: jobIn(String.raw`
    ctx.log.info('deep', { a: JSON.parse('['.repeat(60_000) + ']'.repeat(60_000)) });
    ctx.log.info('quoted', { '"[[[': { '\\': JSON.parse('{"a":'.repeat(10_000) + '1' + '}'.repeat(10_000)) } });
    ctx.log.info('honest', { a: [{ b: '[[[[' }] });
    return 'logged';`),
  ends: { answers: 'logged' },
  limits: { cpuMs: 1_000, logBytes: 256 * 1024 },
  logs: ['deep', 'quoted', 'honest'],
} satisfies Attack;
