import { definePlugin } from '@gatehouse/plugin-sdk';
import { type Order, totalOf, WORK_UNITS, work } from './tasks.ts';

export default definePlugin({
  routes: {
    'POST /total': async (request) => totalOf((await request.json()) as Order),
    'GET /entry': async (_request, ctx) => (await ctx.kv.get('entry')) ?? { key: 'entry', value: null, version: 0 },
    'POST /entry': async (request, ctx) => ctx.kv.set('entry', await request.json()),
    'GET /burn': () => ({ sum: work(WORK_UNITS) }),
  },
});
