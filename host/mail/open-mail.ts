import type { Knex } from 'knex';
import type { Mail } from '../../registry/index.ts';
import type { Envelope } from '../encryption/envelope.ts';
import type { Log } from '../http/log.ts';
import type { SentMail } from './contract.ts';
import { type OutboxStore, outboxStore, type StoredMail } from './outbox-store.ts';
import { openSmtp } from './send-by-smtp.ts';

const AT_ONCE = 10;
const CLAIM_MS = 120_000;
const ATTEMPTS_MAX = 8;
const RETRY_MS = 10_000;
const RETRY_MS_MAX = 3_600_000;
/** Whatever was not sent by then says nothing useful any more. */
const KEEP_MS = 7 * 24 * 3_600_000;
const MAILBOX_SHOWN_MAX = 100;

/** Gives one mail to whoever delivers it; rejects where that fails. */
export type SendMail = (mail: SentMail) => Promise<void>;

export interface MailPorts {
  system: Knex;
  envelope: Envelope;
  settings: { smtpUrl: string | null; from: string; devMailbox: boolean };
  /** By SMTP where absent. */
  send?: SendMail;
  log: Log;
  nowMs: () => number;
  newId: () => string;
}

export interface OpenMail {
  /** Puts mail into the outbox, within a transaction; the same id once, for the host itself. */
  mailIn(database: Knex): (mail: Mail, onceId?: string) => Promise<void>;
  /** Sends what is due; to be called every few seconds. */
  drain(): Promise<void>;
  sweep(): Promise<void>;
  /** What was written lately; null where nobody may see it. */
  mailbox: (() => Promise<SentMail[]>) | null;
  close(): void;
}

const placeOf = (id: string) => ({ table: 'mail_outbox', row: id, column: 'sealed' });

/** The outbox: mail is written with what it speaks of, in one transaction, and sent afterwards, again and again if need be. */
export function openMail({ system, envelope, settings, send, log, nowMs, newId }: MailPorts): OpenMail {
  const store = outboxStore(system);
  const smtp = send === undefined && settings.smtpUrl !== null ? openSmtp(settings.smtpUrl, settings.from) : null;
  // Who looks into the mailbox needs no server; whatever else has none keeps its mail until there is one.
  const sendMail = send ?? smtp?.send ?? (settings.devMailbox ? async () => {} : null);
  if (sendMail === null) log.warn({}, 'no mail is sent: GATEHOUSE_SMTP_URL is not set');
  const read = (mail: StoredMail): SentMail => ({
    id: mail.id,
    ...(JSON.parse(envelope.open(placeOf(mail.id), mail.sealed!)) as Pick<SentMail, 'to' | 'subject' | 'text'>),
    createdAt: mail.createdAt.toISOString(),
    sentAt: mail.sentAt?.toISOString() ?? null,
  });
  return {
    mailIn:
      (database) =>
      async ({ accountId, to, subject, text }, onceId) => {
        const id = onceId ?? newId();
        const sealed = envelope.seal(placeOf(id), JSON.stringify({ to, subject, text }));
        const outbox = outboxStore(database);
        const write = onceId === undefined ? outbox.insert : outbox.insertOnce;
        await write({ id, accountId, sealed, now: new Date(nowMs()) });
      },
    drain: async () => {
      if (sendMail === null) return;
      const now = nowMs();
      const claimed = await store.claim(new Date(now), new Date(now + CLAIM_MS), AT_ONCE);
      const deliver = deliverBy({ store, sendMail, keep: settings.devMailbox, log, nowMs });
      await Promise.all(claimed.map((mail) => deliver(mail, () => read(mail))));
    },
    sweep: () => store.removeOld(new Date(nowMs() - KEEP_MS)),
    mailbox: settings.devMailbox ? async () => (await store.newest(MAILBOX_SHOWN_MAX)).map(read) : null,
    close: () => smtp?.close(),
  };
}

const deliverBy =
  ({ store, sendMail, keep, log, nowMs }: DeliverPorts) =>
  async ({ id, attempts }: StoredMail, read: () => SentMail): Promise<void> => {
    try {
      await sendMail(read());
    } catch (error) {
      const now = nowMs();
      const nextAt = attempts >= ATTEMPTS_MAX ? null : new Date(now + Math.min(RETRY_MS_MAX, RETRY_MS * 4 ** attempts));
      // Its code alone: what servers say often repeats the address.
      const reason = String((error as { code?: unknown }).code ?? (error as Error).name);
      await store.failed(id, reason, nextAt, new Date(now));
      log.warn({ mailId: id, reason, attempts, givenUp: nextAt === null }, 'mail not sent');
      return;
    }
    await store.sent(id, new Date(nowMs()), { keep });
  };

interface DeliverPorts {
  store: OutboxStore;
  sendMail: SendMail;
  keep: boolean;
  log: Log;
  nowMs: () => number;
}
