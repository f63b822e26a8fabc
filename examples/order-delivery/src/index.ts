import { definePlugin } from '@gatehouse/plugin-sdk';
import { deliverOrder, findOrder } from './deliver-order.ts';
import { countFree, loadKeys, readKeys } from './key-pool.ts';
import { Refusal } from './refusal.ts';

interface Config {
  warnBelow?: number;
}

const WARN_BELOW = 5;

export default definePlugin<Config>()({
  hooks: {
    // A refusal is thrown on: whoever delivered the event sees its code and delivers the event again later.
    'order.paid': async ({ payload }, { kv, log, config }) => {
      const { delivery, isNew } = await deliverOrder(kv, payload);
      if (!isNew) return delivery;
      log.info('delivered', { orderId: delivery.orderId, items: delivery.items.length });
      const warnBelow = config?.warnBelow ?? WARN_BELOW;
      for (const { sku } of delivery.items) {
        const left = (await countFree(kv, sku, warnBelow)) ?? 0;
        if (left < warnBelow) log.warn('few keys left', { sku, left });
      }
      return delivery;
    },
  },

  routes: {
    'POST /pool/:sku': (request, { kv, params }) =>
      answering(async () => {
        const { added, known } = await loadKeys(kv, params.sku, readKeys(await readJson(request)));
        return Response.json({ sku: params.sku, added, known }, { status: 201 });
      }),

    'GET /pool/:sku': (_request, { kv, params }) =>
      answering(async () => {
        const free = await countFree(kv, params.sku);
        if (free === null) throw new Refusal('product-unknown', 404, `nothing is sold as "${params.sku}"`);
        return Response.json({ sku: params.sku, free });
      }),

    'GET /orders/:id': (_request, { kv, params }) =>
      answering(async () => {
        const found = await findOrder(kv, params.id);
        if (found === null) throw new Refusal('order-unknown', 404, `no order "${params.id}" was paid`);
        return found === 'open'
          ? Response.json({ orderId: params.id, state: 'open' }, { status: 202 })
          : Response.json({ ...found, state: 'delivered' });
      }),
  },

  health: async ({ kv }) => {
    await kv.list({ limit: 1 });
    return { status: 'ok' };
  },
});

async function readJson(request: Request): Promise<unknown> {
  try {
    return await request.json();
  } catch {
    throw new Refusal('body-malformed', 400, 'send JSON');
  }
}

/** Answers a refusal with its status and code instead of a fault. */
async function answering(work: () => Promise<Response>): Promise<Response> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    return Response.json({ code: error.code, message: error.message }, { status: error.status });
  }
}
