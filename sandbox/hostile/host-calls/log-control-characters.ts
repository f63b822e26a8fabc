import { type Attack, jobIn } from '../attack.ts';

export default {
  that: 'logs terminal escapes, line breaks and records of the protocol',
  code: jobIn(String.raw`
    console.log('\u001b[2J\nlog x 1 console:info 2\n{}');
    ctx.log.info('fake', JSON.parse('{"__proto__":{"level":"error"},"message":"other"}'));
    return 'done';`),
  ends: { answers: 'done' },
  logs: ['\u001b[2J\nlog x 1 console:info 2\n{}', /^fake$/],
} satisfies Attack;
