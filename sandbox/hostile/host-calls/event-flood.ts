import { type Attack, jobIn } from '../attack.ts';

export default {
  that: 'publishes and calls without waiting for any answer',
  code: jobIn(`
    for (let n = 0; n < 100; n += 1) { ctx.events.publish('item.sold', {}).catch(() => {}); ctx.plugins.call('acme/shop', '/').catch(() => {}); }
    await null;`),
  ends: ['host-call-limit'],
} satisfies Attack;
