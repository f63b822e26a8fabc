import { definePlugin } from '@gatehouse/plugin-sdk';

const wait = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

interface Parcel {
  text: string;
  token: number;
  nonce: string;
  sentAtMs: number;
}

export default definePlugin({
  routes: {
    /** What it draws and reads from the clock must be the same when it is executed again elsewhere. */
    'POST /parcels/:name': async (request, { params, kv, log }) => {
      const { text } = (await request.json()) as { text: string };
      const parcel: Parcel = { text, token: Math.random(), nonce: crypto.randomUUID(), sentAtMs: Date.now() };
      const { version } = await kv.set(params.name, parcel);
      await wait(2 + parcel.token * 8);
      const [stored, trips] = await Promise.all([
        kv.get<Parcel>(params.name),
        kv.increment(`trips/${params.name}`),
        wait(parcel.token * 4),
      ]);
      log.debug('parcel delivered', { nonce: parcel.nonce });
      const again = await kv.get<Parcel>(params.name);
      const left = JSON.stringify(parcel);
      return {
        text: again?.value.text ?? null,
        intact: JSON.stringify(stored?.value) === left && JSON.stringify(again?.value) === left,
        onTime: Date.now() >= parcel.sentAtMs,
        version,
        trips: trips.value,
      };
    },
  },
});
