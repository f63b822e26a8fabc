import { definePlugin } from '@gatehouse/plugin-sdk';

export default definePlugin({
  routes: {
    'POST /count/:name': async (_request, { params, kv }) => {
      const before = await kv.increment(`${params.name}/before`);
      await new Promise((resolve) => setTimeout(resolve, 5));
      const after = await kv.increment(`${params.name}/after`);
      return { before: before.value, after: after.value };
    },
  },
});
