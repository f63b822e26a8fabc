import { expect } from 'chai';
import { v7 } from 'uuid';
import { type TestDatabase, testDatabase } from '../../migrations/test-database.ts';
import { type AuditIn, createAuditIn } from '../../registry/index.ts';
import { followTrail } from './follow-trail.ts';
import { type Alerts, openAlerts } from './open-alerts.ts';
import type { AlertingEntry } from './rules/alert-of.ts';

const lines: string[] = [];
const log = {
  debug() {},
  info: (_: object, text: string) => void lines.push(`info ${text}`),
  warn: (_: object, text: string) => void lines.push(`warn ${text}`),
  error() {},
};

describe('alerts', () => {
  let database: TestDatabase;
  let auditIn: AuditIn;
  const counted: string[] = [];
  const clock = { ms: Date.parse('2030-01-01T00:00:00Z') };
  const [arcade, platform] = [v7(), v7()];
  const open = (): Promise<Alerts> =>
    openAlerts({ system: database.knex, auditIn, onAlert: (kind) => void counted.push(kind), log });
  const told = (organisationId: string) =>
    database.knex('notifications').where({ organisation_id: organisationId, kind: 'security-alert' }).orderBy('id');
  const issue = (role: string, id = v7()) =>
    auditIn(database.knex)({
      action: 'token.issue',
      actor: { via: 'system', part: 'test' },
      organisationId: arcade,
      subject: { kind: 'token', id },
      after: { role },
    });

  beforeEach(async () => {
    database = await testDatabase();
    counted.length = 0;
    lines.length = 0;
    auditIn = createAuditIn({ nowMs: () => clock.ms, newId: v7, origin: () => null });
    await database.knex('organisations').insert([
      { id: arcade, slug: 'arcade', kind: 'operator', name: 'Arcade' },
      { id: platform, slug: 'platform', kind: 'platform', name: 'Platform' },
    ]);
  });
  afterEach(() => database.close());

  it('tell the organisation whose rights changed, once, however many hosts look', async () => {
    const hosts = await Promise.all([open(), open()]);
    await issue('operator-owner');
    await issue('caller');
    await Promise.all(hosts.map(({ look }) => look()));
    await Promise.all(hosts.map(({ look }) => look()));
    const [alert, ...others] = await told(arcade);
    expect(others).to.deep.equal([]);
    expect(alert.subject).to.include('may do everything');
    expect(counted).to.deep.equal(['privilege']);
    expect(lines).to.deep.equal(['info security alert']);
    expect(await told(platform)).to.deep.equal([]);
    for (const { close } of hosts) await close();
  });

  it('tell the platform and the organisations of the person about a lockout, and nothing twice within an hour', async () => {
    const accountId = v7();
    await database
      .knex('accounts')
      .insert({ id: accountId, username: 'ada_l', state: 'active', person_key: Buffer.alloc(93) });
    await database.knex('memberships').insert({
      id: v7(),
      organisation_id: arcade,
      account_id: accountId,
      role: 'operator-owner',
      created_at: new Date(),
    });
    const alerts = await open();
    const lock = async () => {
      alerts.raise({ kind: 'login-locked', accountId, facts: { by: 'login', failures: 5 } });
      await alerts.close();
      await alerts.look();
    };
    await lock();
    await lock();
    expect(await told(arcade)).to.have.length(1);
    expect(await told(platform)).to.have.length(1);
    clock.ms += 3_700_000;
    await lock();
    expect(await told(arcade)).to.have.length(2);
    const audited = await database.knex('audit_entries').where('action', 'security.login-locked');
    expect(audited).to.have.length(3);
    expect(counted).to.deep.equal(['lockout', 'lockout']);
    expect(lines).to.deep.equal(['warn security alert', 'warn security alert']);
  });

  it('go on after a restart where they were, with what nobody was up to see', async () => {
    const before = await open();
    await issue('operator-owner', 'before');
    await before.look();
    // Written after the last look, as by a host that closes.
    before.raise({ kind: 'login-locked', accountId: null, facts: {} });
    await before.close();
    await issue('operator-owner', 'between');
    const after = await open();
    await after.look();
    expect((await told(arcade)).map(({ facts }) => facts.subject.id)).to.deep.equal(['before', 'between']);
    expect(await told(platform)).to.have.length(1);
    const third = await open();
    counted.length = 0;
    await third.look();
    expect(counted).to.deep.equal([]);
    for (const { close } of [after, third]) await close();
  });

  it('leave out, after some tries, what they cannot tell, and tell what comes after it', async () => {
    const tries: string[] = [];
    const errors: object[] = [];
    const subjects: string[] = [];
    const reader = await followTrail<AlertingEntry>({
      system: database.knex,
      reader: 'alerts',
      tell: async ({ subject }) => {
        tries.push(subject.id);
        if (subject.id === 'broken') throw new Error('cannot be told');
        subjects.push(subject.id);
      },
      log: { ...log, error: (facts: object) => void errors.push(facts) },
    });
    // It looks by itself from time to time, which would count as well.
    await reader.close();
    for (const id of ['first', 'broken', 'last']) await issue('caller', id);
    const looks = [];
    for (let at = 0; at < 5; at += 1)
      looks.push(
        await reader.look().then(
          () => 'told',
          ({ message }) => message,
        ),
      );
    expect(looks).to.deep.equal([...Array(4).fill('cannot be told'), 'told']);
    expect(subjects).to.deep.equal(['first', 'last']);
    expect(tries.filter((id) => id === 'broken')).to.have.length(5);
    expect(errors).to.have.length(1);
  });

  it('tell nobody of what was undone, and of what is ordinary', async () => {
    const alerts = await open();
    await database.knex
      .transaction(async (transaction) => {
        await auditIn(transaction)({
          action: 'key.register',
          actor: { via: 'system', part: 'test' },
          organisationId: arcade,
          subject: { kind: 'key', id: 'k' },
        });
        throw new Error('undone');
      })
      .catch(() => {});
    await issue('caller');
    await alerts.look();
    expect(await told(arcade)).to.deep.equal([]);
    await alerts.close();
  });
});
