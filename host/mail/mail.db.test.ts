import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { expect } from 'chai';
import { v7 } from 'uuid';
import { type TestDatabase, testDatabase } from '../../migrations/test-database.ts';
import { createEnvelope } from '../encryption/envelope.ts';
import type { Log } from '../http/log.ts';
import type { SentMail } from './contract.ts';
import { openMail, type SendMail } from './open-mail.ts';

const MAIL = { accountId: null, to: 'ada@example.com', subject: 'Hello', text: 'A secret code' };

describe('mail', () => {
  let database: TestDatabase;
  const envelope = createEnvelope(new Map([[1, randomBytes(32)]]));
  const clock = { nowMs: Date.parse('2030-01-01T00:00:00Z') };
  const lines: string[] = [];
  const write = (facts: object, message: string) => void lines.push(JSON.stringify({ ...facts, message }));
  const log: Log = { debug: write, info: write, warn: write, error: write };
  const open = (send?: SendMail, devMailbox = false) =>
    openMail({
      system: database.system,
      envelope,
      settings: { smtpUrl: null, from: 'x@example.com', devMailbox },
      ...(send && { send }),
      log,
      nowMs: () => clock.nowMs,
      newId: v7,
    });
  before(async () => {
    database = await testDatabase();
  });
  after(() => database.close());
  beforeEach(async () => {
    await database.system('mail_outbox').delete();
    lines.length = 0;
  });
  const stored = () => database.system('mail_outbox').first();

  it('is sent once by all hosts together, and forgotten', async () => {
    const sent: SentMail[] = [];
    const send = async (mail: SentMail) => void sent.push(mail);
    const hosts = [open(send), open(send), open(send)];
    for (let at = 0; at < 5; at += 1) await hosts[0]!.mailIn(database.system)({ ...MAIL, text: `${at}` });
    await Promise.all(hosts.map(({ drain }) => drain()));
    expect(sent.map(({ text }) => text).sort()).to.deep.equal(['0', '1', '2', '3', '4']);
    expect(sent[0]).to.include({ to: MAIL.to, subject: MAIL.subject });
    for (const row of await database.system('mail_outbox')) expect(row).to.include({ sealed: null, attempts: 1 });
  });

  it('is let go of by a host that ends, where the server of mail says nothing, and sent again by the next one', async () => {
    const silent = createServer(() => {}).listen(0, '127.0.0.1');
    await once(silent, 'listening');
    const { port } = silent.address() as AddressInfo;
    const settings = { smtpUrl: `smtp://127.0.0.1:${port}`, from: 'x@example.com', devMailbox: false };
    const ending = openMail({ system: database.system, envelope, settings, log, nowMs: () => clock.nowMs, newId: v7 });
    for (let at = 0; at < 5; at += 1) await ending.mailIn(database.system)({ ...MAIL, text: `${at}` });
    const draining = ending.drain();
    await once(silent, 'connection');
    ending.close();
    await draining;
    silent.close();
    expect(lines.join(), 'none waited for the server').to.include('ECONNECTION').and.not.include('ETIMEDOUT');
    clock.nowMs += 60_000;
    const sent: SentMail[] = [];
    await open(async (mail) => void sent.push(mail)).drain();
    expect(sent).to.have.length(5);
  });

  it('is never there where its transaction was undone, and never in the clear', async () => {
    const { mailIn } = open();
    await database.system
      .transaction(async (transaction) => {
        await mailIn(transaction)(MAIL);
        throw new Error('undone');
      })
      .catch(() => {});
    expect(await stored()).to.equal(undefined);
    await mailIn(database.system)(MAIL);
    expect((await stored()).sealed.toString('latin1')).not.to.match(/ada|secret/);
  });

  it('is tried again, later each time, until it is given up; what was wrong is said without the address', async () => {
    let tried = 0;
    const { mailIn, drain } = open(async ({ to }) => {
      tried += 1;
      throw Object.assign(new Error(`550 no such mailbox: ${to}`), { code: 'EENVELOPE' });
    });
    await mailIn(database.system)(MAIL);
    const waits: number[] = [];
    while ((await stored()).given_up_at === null) {
      await drain();
      const { next_at, given_up_at } = await stored();
      if (given_up_at !== null) break;
      waits.push(next_at.getTime() - clock.nowMs);
      await drain();
      clock.nowMs = next_at.getTime();
    }
    expect(tried).to.equal(8);
    expect(waits).to.deep.equal([40_000, 160_000, 640_000, 2_560_000, 3_600_000, 3_600_000, 3_600_000]);
    expect(await stored()).to.include({ sealed: null, error: 'EENVELOPE' });
    expect(lines.join()).not.to.match(/ada|mailbox/);
  });

  it('waits in the outbox where there is no server, and says so at the start', async () => {
    const { mailIn, drain, mailbox } = open();
    await mailIn(database.system)(MAIL);
    await drain();
    expect(await stored()).to.include({ attempts: 0, sent_at: null });
    expect(mailbox).to.equal(null);
    expect(lines.join()).to.include('GATEHOUSE_SMTP_URL is not set');
  });

  it('can be looked at in development, the newest first', async () => {
    const { mailIn, drain, mailbox } = open(undefined, true);
    await mailIn(database.system)(MAIL);
    await mailIn(database.system)({ ...MAIL, subject: 'Newer' });
    await drain();
    const shown = await mailbox!();
    expect(shown.map(({ subject }) => subject)).to.deep.equal(['Newer', 'Hello']);
    expect(shown[0]!.sentAt).not.to.equal(null);
  });

  it('is forgotten after a week', async () => {
    const { mailIn, sweep } = open();
    await mailIn(database.system)(MAIL);
    clock.nowMs += 7 * 24 * 3_600_000;
    await sweep();
    expect(await stored()).not.to.equal(undefined);
    clock.nowMs += 1;
    await sweep();
    expect(await stored()).to.equal(undefined);
  });
});
