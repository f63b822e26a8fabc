import type { Attack } from '../attack.ts';

export default {
  that: 'defines itself only when it is asked',
  code: `Promise.resolve().then(() => new Promise(() => {})).then(() => __gatehouse_define({}));`,
  ends: ['plugin-start-failed'],
  says: /defined no plugin/,
} satisfies Attack;
