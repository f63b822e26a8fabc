import { definePlugin } from '@gatehouse/plugin-sdk';
import { type Order, totalOf, work } from './tasks.ts';

const WORK_MS = 5;

export default definePlugin({
  routes: {
    'POST /total': async (request) => totalOf((await request.json()) as Order),
    'GET /entry': async (_request, ctx) => (await ctx.kv.get('entry')) ?? { key: 'entry', value: null, version: 0 },
    'POST /entry': async (request, ctx) => ctx.kv.set('entry', await request.json()),
    'GET /burn': () => ({ sum: work(WORK_MS) }),
    // What a neighbour should not do.
    'GET /hoard': () => ({ length: Array.from({ length: 300_000 }, (_, at) => ({ at })).length }),
    'GET /flood': async (_request, ctx) => {
      for (let at = 0; at < 50; at += 1) await ctx.kv.get(`none-${at}`);
      return { calls: 50 };
    },
  },
});
