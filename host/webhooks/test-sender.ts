import { openDatabase } from '../database.ts';
import { createEgress } from '../egress/send-request.ts';
import { rangeOf } from '../egress/special-ranges.ts';
import { createDeliverer } from './deliver-webhooks.ts';
import { dueStore } from './due-store.ts';

/** A process that sends what is due, to be killed in the middle: `node test-sender.ts <app url> <ms> <secret>`. */
const [appUrl, ms, secret] = process.argv.slice(2) as [string, string, string];
const { system } = await openDatabase({ appUrl });
const egress = createEgress({
  resolveHost: async () => [],
  allowed: [rangeOf('127.0.0.1/32')],
  allowHttp: true,
  responseBytesMax: 1_024,
  userAgent: 'test',
});
await createDeliverer({
  store: dueStore(system, () => async () => {}),
  post: (request) =>
    egress.send({ ...request, method: 'POST', redirect: 'manual', mayReach: () => true, headersFor: async () => [] }),
  openSecret: () => secret,
  timeoutMs: 60_000,
  random: () => 0,
  log: { warn() {}, error() {} },
  nowMs: () => Number(ms),
}).tick();
