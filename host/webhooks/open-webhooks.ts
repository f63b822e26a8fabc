import { randomBytes } from 'node:crypto';
import type { Knex } from 'knex';
import { v7 as uuidv7 } from 'uuid';
import type { AuditIn } from '../../registry/index.ts';
import type { Config } from '../config.ts';
import { type ResolveHost, resolveByDns } from '../egress/resolve-host.ts';
import { createEgress } from '../egress/send-request.ts';
import { isWithin, rangeOf, whySpecial } from '../egress/special-ranges.ts';
import type { Envelope } from '../encryption/envelope.ts';
import type { Log } from '../http/log.ts';
import { every } from '../repeat-work.ts';
import { HOST_VERSION } from '../version.ts';
import { createNews } from './await-news.ts';
import type { EventsFeed, Webhooks } from './contract.ts';
import { createDeliverer, type DeliverPorts } from './deliver-webhooks.ts';
import { deliveryStore } from './delivery-store.ts';
import { dueStore } from './due-store.ts';
import { endpointStore } from './endpoint-store.ts';
import { feedStore } from './feed-store.ts';
import { createWebhooks } from './manage-webhooks.ts';
import { createFeed } from './read-feed.ts';
import { unfoldTrail } from './unfold-store.ts';

const INTERVAL_MS = 1_000;
/** Of an answer; more than a receiver has to say. */
const ANSWER_BYTES_MAX = 64 * 1024;
const SECRET_BYTES = 32;
const TIMEOUT_MS = 10_000;

export interface OpenWebhooksPorts {
  /** Tells everybody what concerns them, and sends it. */
  system: Knex;
  /** For whoever asks. */
  scoped: Knex;
  auditIn: AuditIn;
  envelope: Envelope;
  config: Pick<Config, 'egress'>;
  /** By DNS where absent. */
  resolveHost: ResolveHost | undefined;
  nowMs(): number;
  log: Log;
}

export interface OpenedWebhooks {
  routes: { webhooks: Webhooks; events: EventsFeed };
  /** Lets nobody wait for events any longer. */
  close(): Promise<void>;
}

const placeOf = (id: string) => ({ table: 'webhook_secrets', row: id, column: 'sealed' });

/** The feed of events, and what carries it. `opened` collects how to stop. */
export function openWebhooks(ports: OpenWebhooksPorts, opened: (() => Promise<unknown>)[]): OpenedWebhooks {
  const { system, scoped, auditIn, envelope, config, resolveHost = resolveByDns, nowMs, log } = ports;
  const allowed = config.egress.allow.map(rangeOf);
  const egress = createEgress({
    resolveHost,
    allowed,
    allowHttp: config.egress.http,
    responseBytesMax: ANSWER_BYTES_MAX,
    userAgent: `Gatehouse-Webhooks/${HOST_VERSION}`,
  });
  const post: DeliverPorts['post'] = (request) =>
    egress.send({
      ...request,
      method: 'POST',
      redirect: 'manual',
      mayReach: () => true,
      headersFor: async () => [],
    });
  const deliverer = createDeliverer({
    store: dueStore(system, auditIn),
    post,
    openSecret: (id, sealed) => envelope.open(placeOf(id), sealed),
    timeoutMs: TIMEOUT_MS,
    random: Math.random,
    nowMs,
    log,
  });
  const news = createNews();
  const unfolding = {
    ...{ system, nowMs, newId: uuidv7 },
    onUnreadable: (entryId: string, err: unknown) => log.error({ err, entryId }, 'no event could be made of an entry'),
  };
  let seen = '';
  const look = async () => {
    while (await unfoldTrail(unfolding));
    // Whichever host has read on.
    const { sequence } = await system('feed_cursor').first('sequence');
    if (seen !== sequence) news.tell();
    seen = sequence;
    await deliverer.tick();
  };
  opened.push(egress.close, deliverer.close, every(INTERVAL_MS, look, log));
  const webhooks = createWebhooks({
    transaction: (work) =>
      scoped.transaction((transaction) =>
        work({
          endpoints: endpointStore(transaction),
          deliveries: deliveryStore(transaction),
          audit: auditIn(transaction),
        }),
      ),
    makeSecret: () => `whsec_${randomBytes(SECRET_BYTES).toString('base64url')}`,
    sealSecret: (id, secret) => envelope.seal(placeOf(id), secret),
    allowHttp: config.egress.http,
    mayReachAddress: (address) => isWithin(allowed, address) || whySpecial(address) === null,
    newId: uuidv7,
    nowMs,
  });
  const events = createFeed({ store: feedStore(scoped), awaitNews: news.wait, nowMs });
  return { routes: { webhooks, events }, close: async () => news.close() };
}
