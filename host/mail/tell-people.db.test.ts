import { expect } from 'chai';
import { v7 } from 'uuid';
import { type TestDatabase, testDatabase } from '../../migrations/test-database.ts';
import { createAuditIn } from '../../registry/index.ts';
import { createEnvelope } from '../encryption/envelope.ts';
import { createPersonVault } from '../encryption/person-vault.ts';
import type { Log } from '../http/log.ts';
import { openMail } from './open-mail.ts';
import { tellPeople } from './tell-people.ts';

describe('people are told by mail', () => {
  let database: TestDatabase;
  const envelope = createEnvelope(new Map([[1, Buffer.alloc(32, 1)]]));
  const vault = createPersonVault(envelope, Buffer.alloc(32, 2));
  const nowMs = () => Date.parse('2030-01-01T00:00:00Z');
  const log: Log = { debug() {}, info() {}, warn() {}, error() {} };
  const settings = { smtpUrl: null, from: 'x@example.com', devMailbox: true };
  const origin = () => ({ requestId: 'r', address: '192.0.2.7' });
  let mail: ReturnType<typeof openMail>;
  let hosts: Awaited<ReturnType<typeof tellPeople>>[];
  let accountId: string;
  before(async () => {
    database = await testDatabase();
    const { system } = database;
    mail = openMail({ system, envelope, settings, log, nowMs, newId: v7 });
    accountId = await person('ada_1');
    hosts = await Promise.all([1, 2].map(() => tellPeople({ system, vault, mailIn: mail.mailIn, log })));
  });
  after(async () => {
    for (const { close } of hosts) await close();
    await database.close();
  });
  beforeEach(() => database.system('mail_outbox').delete());

  async function person(username: string): Promise<string> {
    const { system } = database;
    const [id, emailId] = [v7(), v7()];
    const key = { id, personKey: vault.newKey(id) };
    await system('accounts').insert({ id, username, state: 'active', person_key: key.personKey });
    const address = `${username}@example.com`;
    const sealed = vault.seal(key, { table: 'account_emails', row: emailId, column: 'sealed' }, address);
    const email = { id: emailId, account_id: id, sealed, address_index: vault.index(address), verified_at: new Date() };
    await system('account_emails').insert(email);
    return id;
  }
  const audit = (action: string, subject: { kind: string; id: string }, rest: object = {}) =>
    createAuditIn({ nowMs, newId: v7, origin })(database.system)({
      action,
      actor: { via: 'session', credentialId: v7(), accountId },
      organisationId: null,
      subject,
      ...rest,
    });
  const told = async () => {
    await Promise.all(hosts.map(({ look }) => look()));
    return (await mail.mailbox!()).map(({ to, subject, text }) => ({ to, subject, text }));
  };
  let at = 0;
  async function logIn(userAgent: string): Promise<void> {
    const id = v7();
    at += 1;
    const times = { created_at: new Date(at), last_seen_at: new Date(at), expires_at: new Date('2031-01-01') };
    const device = { device: 'x', user_agent: userAgent, address: '192.0.2.7' };
    await database.system('sessions').insert({ id, account_id: accountId, ...device, ...times });
    await audit('session.open', { kind: 'session', id });
  }

  it('of each change of their factors, once by all hosts together', async () => {
    await audit('totp.enrol', { kind: 'account', id: accountId });
    const mails = await told();
    expect(mails).to.have.length(1);
    expect(mails[0]!.to).to.equal('ada_1@example.com');
    expect(mails[0]!.text).to.include('"ada_1"').and.include('authenticator app was added').and.include('192.0.2.7');
  });

  it('when an admin takes their factors away: who they are is in the subject, not who acts', async () => {
    const other = await person('grace_1');
    await audit('factor.reset', { kind: 'account', id: other });
    expect((await told()).map(({ to }) => to)).to.deep.equal(['grace_1@example.com']);
  });

  it('of a login from a device that is new, and of no other', async () => {
    for (const userAgent of ['Firefox', 'Firefox', 'curl', 'Firefox', 'curl']) await logIn(userAgent);
    expect((await told()).map(({ subject }) => subject)).to.deep.equal(['A login to your account from a new device']);
  });

  it('of nothing that was refused, and of nothing that concerns no person', async () => {
    await audit('passkey.enrol', { kind: 'passkey', id: v7() }, { outcome: 'refused' });
    await audit('token.issue', { kind: 'token', id: v7() });
    await audit('device.approve', { kind: 'device-code', id: v7() }, { actor: { via: 'system', part: 'x' } });
    expect(await told()).to.deep.equal([]);
  });
});
