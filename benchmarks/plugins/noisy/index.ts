import { definePlugin } from '@gatehouse/plugin-sdk';
import { WORK_UNITS, work } from '../work/tasks.ts';

const CALLS = 50;

export default definePlugin({
  routes: {
    // Some twenty milliseconds: less than the limit, and a hundred times what an honest plugin takes.
    'GET /burn': () => ({ sum: work(4 * WORK_UNITS) }),
    'GET /hoard': () => ({ length: Array.from({ length: 200_000 }, (_, at) => ({ at })).length }),
    'GET /flood': async (_request, ctx) => {
      for (let at = 0; at < CALLS; at += 1) await ctx.kv.get(`none-${at}`);
      return { calls: CALLS };
    },
  },
});
