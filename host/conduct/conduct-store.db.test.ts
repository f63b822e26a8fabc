import { expect } from 'chai';
import { v7 as uuidv7 } from 'uuid';
import { type TestDatabase, testDatabase } from '../../migrations/test-database.ts';
import type { Principal } from '../../registry/index.ts';
import { type Database, openDatabase } from '../database.ts';
import { addInstallation } from '../installations/fake-installation.ts';
import { installationStore } from '../installations/installation-store.ts';
import { createNotifications } from '../notifications/compose.ts';
import { notificationStore } from '../notifications/notification-store.ts';
import { scheduleStore } from '../schedules/schedule-store.ts';
import { type ConductStore, conductStore } from './conduct-store.ts';
import type { Strike } from './contract.ts';
import { scoreAt } from './rules/standing.ts';

const HOUR_MS = 3_600_000;
const START_MS = Date.parse('2026-11-21T12:00:00.000Z');
const rules = { solitaryAt: 3, suspendAt: 6, halfLifeMs: HOUR_MS };

describe('conduct in PostgreSQL', () => {
  let database: TestDatabase;
  /** Two hosts, each with connections of its own. */
  let stores: [ConductStore, ConductStore];
  let otherHost: Database;
  let nowMs = START_MS;
  const audited: string[] = [];
  before(async () => {
    database = await testDatabase();
    otherHost = await openDatabase({ appUrl: database.appUrl });
    const open = ({ system }: Database) =>
      conductStore(system, rules, async (_, { action, installationId }) => {
        audited.push(`${action} ${installationId}`);
      });
    stores = [open(database), open(otherHost)];
  });
  after(async () => {
    await otherHost.close();
    await database.close();
  });
  beforeEach(async () => {
    nowMs = START_MS;
    // Nobody of an earlier test is solitary.
    await stores[0].leaveSolitary(START_MS + 1_000 * HOUR_MS);
  });

  const strikeOf = (installationId: string, change: Partial<Strike> = {}): Strike => ({
    installationId,
    invocationId: uuidv7(),
    digest: 'd'.repeat(64),
    atMs: nowMs,
    death: 'overdue',
    exit: 'SIGKILL',
    fault: { code: 'cpu-limit', message: 'x', limit: 'cpuMs', allowed: 50, used: 312.4 },
    ...change,
  });
  const strikeTimes = async (id: string, count: number) => {
    for (let each = 0; each < count; each++) await stores[0].strike(strikeOf(id));
  };
  const find = async (id: string) => {
    const store = installationStore(database.knex, (taken) => scoreAt(taken, nowMs, rules));
    return (await store.byId(id))!;
  };
  const conductOf = async (id: string) => (await find(id)).conduct;
  const linesOf = async (id: string) =>
    database.knex('installation_logs').where({ installation_id: id }).orderBy('id').select();
  const organisationsOf = async (id: string) => {
    const installation = await find(id);
    const bySlug = async (slug: string) => (await database.knex('organisations').where({ slug }).first('id')).id;
    return { operator: installation.operator.id, publisher: await bySlug(installation.plugin.split('/')[0]!) };
  };
  const actor = (organisationId: string) => ({ organisation: { id: organisationId } }) as Principal;
  const notifications = () => createNotifications({ store: notificationStore(database.knex), nowMs: () => nowMs });
  const toldTo = async (organisationId: string) => (await notifications().list(actor(organisationId), {})).items;

  it('is good until the first strike', async () => {
    const id = await addInstallation(database);
    expect(await conductOf(id)).to.deep.equal({
      score: 0,
      strikes: 0,
      solitarySince: null,
      suspendedAt: null,
      reason: null,
    });
  });

  it('counts every strike once, however often it is written, and shows the score as it has decayed', async () => {
    const id = await addInstallation(database);
    const strike = strikeOf(id);
    expect(await stores[0].strike(strike)).to.equal('counted');
    expect(await stores[1].strike(strike)).to.equal(null);
    expect(await conductOf(id)).to.include({ score: 1, strikes: 1, solitarySince: null });
    nowMs += HOUR_MS;
    expect(await conductOf(id)).to.include({ score: 0.5, strikes: 1 });
  });

  it('is exact when two hosts strike at once', async () => {
    const id = await addInstallation(database);
    const verdicts = await Promise.all(
      Array.from({ length: 20 }, (_, each) => stores[each % 2 ? 0 : 1].strike(strikeOf(id))),
    );
    expect(await conductOf(id)).to.include({ score: 20, strikes: 20 });
    expect(verdicts.filter((verdict) => verdict === 'solitary')).to.have.length(1);
    expect(verdicts.filter((verdict) => verdict === 'suspended')).to.have.length(1);
    expect(await linesOf(id)).to.have.length(22);
  });

  it('makes solitary and then suspends, at the time of the strike, and tells operator and publisher why', async () => {
    const id = await addInstallation(database);
    const { operator, publisher } = await organisationsOf(id);
    await strikeTimes(id, 3);
    const at = new Date(START_MS).toISOString();
    expect(await conductOf(id)).to.include({ solitarySince: at, suspendedAt: null });
    nowMs += 1_000;
    await strikeTimes(id, 3);
    const conduct = await conductOf(id);
    expect(conduct).to.include({ solitarySince: at, suspendedAt: new Date(nowMs).toISOString(), strikes: 6 });
    expect(conduct.reason).to.include('6 times').and.include('cpu-limit (cpuMs: 50 allowed, 312 used)');
    const own = audited.filter((entry) => entry.endsWith(id));
    expect(own).to.deep.equal([`installation.solitary ${id}`, `installation.suspended ${id}`]);
    for (const organisation of [operator, publisher]) {
      const told = await toldTo(organisation);
      expect(told.map(({ kind }) => kind)).to.deep.equal(['installation-suspended', 'installation-solitary']);
      expect(told[0]!.body).to.include(conduct.reason).and.include('gate resume');
      expect(told[0]!.facts).to.include({ installationId: id, reason: conduct.reason });
    }
  });

  it('logs every strike with its invocation, its fault and its limit, and what it led to', async () => {
    const id = await addInstallation(database);
    const first = strikeOf(id);
    await stores[0].strike(first);
    await strikeTimes(id, 2);
    const lines = await linesOf(id);
    expect(lines.map(({ level, source }) => `${source} ${level}`)).to.deep.equal([
      'host warn',
      'host warn',
      'host warn',
      'host error',
    ]);
    expect(lines[0]).to.include({ invocation_id: first.invocationId });
    expect(lines[0].message).to.include('Strike 1').and.include('cpu-limit');
    expect(lines[0].facts).to.deep.include({
      event: 'strike',
      strikes: 1,
      death: 'overdue',
      exit: 'SIGKILL',
      fault: { code: 'cpu-limit', limit: 'cpuMs', allowed: 50, used: 312.4 },
    });
    expect(lines[3].facts).to.include({ event: 'solitary', strikes: 3 });
  });

  it('takes a death without a fault: the caller had gone before the turn ended', async () => {
    const id = await addInstallation(database);
    const { fault: _, ...strike } = strikeOf(id, { death: 'aborted', exit: 'SIGABRT' });
    expect(await stores[0].strike(strike)).to.equal('counted');
    expect((await linesOf(id))[0].message).to.include('crashed its sandbox process.');
  });

  it('writes nothing about installations that are not there', async () => {
    expect(await stores[0].strike(strikeOf(uuidv7()))).to.equal(null);
  });

  it('lets a solitary installation back once, when its strikes are forgotten, and says so in its log', async () => {
    const id = await addInstallation(database);
    await strikeTimes(id, 3);
    expect(await stores[0].leaveSolitary(nowMs + HOUR_MS)).to.equal(0);
    nowMs += HOUR_MS + 1;
    const left = await Promise.all(stores.map((store) => store.leaveSolitary(nowMs)));
    expect(left.toSorted()).to.deep.equal([0, 1]);
    expect(await conductOf(id)).to.include({ strikes: 3, solitarySince: null, reason: null });
    const events = (await linesOf(id)).map(({ facts }) => facts.event);
    expect(events).to.deep.equal(['strike', 'strike', 'strike', 'solitary', 'solitary-left']);
  });

  it('resumes once, with a score from zero and alone, and never what is not suspended', async () => {
    const id = await addInstallation(database);
    const { publisher } = await organisationsOf(id);
    expect(await stores[0].resume(id, nowMs)).to.equal(false);
    await strikeTimes(id, 5);
    expect(await stores[0].resume(id, nowMs)).to.equal(false);
    await strikeTimes(id, 1);
    nowMs += 10 * HOUR_MS;
    expect(await stores[0].leaveSolitary(nowMs)).to.equal(0);
    const resumed = await Promise.all(stores.map((store) => store.resume(id, nowMs)));
    expect(resumed.toSorted()).to.deep.equal([false, true]);
    const solitarySince = new Date(nowMs).toISOString();
    expect(await conductOf(id)).to.include({ score: 0, strikes: 6, solitarySince, suspendedAt: null });
    expect((await linesOf(id)).at(-1).facts).to.deep.equal({ event: 'resumed' });
    expect((await toldTo(publisher))[0]).to.include({ kind: 'installation-resumed' });
    expect(await stores[0].leaveSolitary(nowMs + HOUR_MS)).to.equal(1);
  });

  it('names who is solitary and who is suspended, without those that were removed', async () => {
    const [solitary, suspended, removed] = await Promise.all([1, 2, 3].map(() => addInstallation(database)));
    await strikeTimes(solitary!, 3);
    await strikeTimes(suspended!, 6);
    await strikeTimes(removed!, 6);
    await database.knex('installations').where({ id: removed }).update({ deleted_at: new Date() });
    const confined = await stores[1].confined();
    expect(confined.solitary).to.deep.equal([solitary]);
    expect(confined.suspended).to.include(suspended!).and.not.include(removed!);
  });

  it('announces to every host what changes how an installation runs, and no mere strike', async () => {
    const id = await addInstallation(database);
    const other = await addInstallation(database);
    const heard: string[] = [];
    const { promise, resolve } = Promise.withResolvers<void>();
    const listener = await otherHost.listen('gatehouse_changes', (payload) => {
      if (payload.startsWith('installation_conduct:')) heard.push(payload.split(':')[1]!);
      if (heard.at(-1) === other) resolve();
    });
    await strikeTimes(id, 7);
    await stores[0].resume(id, nowMs);
    await stores[0].leaveSolitary(nowMs + HOUR_MS);
    await strikeTimes(other, 3);
    await promise;
    await listener.close();
    expect(heard.filter((each) => each === id)).to.have.length(4);
  });

  it('takes suspended installations off the schedule', async () => {
    const schedule = [{ name: 'daily', cron: '0 0 * * *' }];
    const id = await addInstallation(database, { schedule });
    const { scheduled } = scheduleStore(database.knex);
    const isScheduled = async () => (await scheduled()).some(({ installationId }) => installationId === id);
    await strikeTimes(id, 5);
    expect(await isScheduled()).to.equal(true);
    await strikeTimes(id, 1);
    expect(await isScheduled()).to.equal(false);
  });

  describe('notifications', () => {
    it('are read page by page, by their organisation only', async () => {
      const { operator } = await organisationsOf(await addInstallation(database));
      const store = notificationStore(database.knex);
      const ids = Array.from({ length: 5 }, () => uuidv7());
      const rest = {
        at: new Date(nowMs).toISOString(),
        kind: 'installation-solitary',
        subject: 's',
        body: 'b',
      } as const;
      await store.add(ids.map((id) => ({ ...rest, id, organisationId: operator, facts: { id } })));
      const { list } = notifications();
      const first = await list(actor(operator), { limit: 3 });
      const second = await list(actor(operator), { limit: 3, cursor: first.nextCursor! });
      expect([...first.items, ...second.items].map(({ id }) => id)).to.deep.equal(ids.toReversed());
      expect(second.nextCursor).to.equal(null);
      expect(first.items[0]).to.deep.equal({ ...rest, id: ids[4], facts: { id: ids[4] }, readAt: null });
      expect((await list(actor(uuidv7()), {})).items).to.deep.equal([]);
    });

    it('are written however many there are, whatever text a plugin gave', async () => {
      const { operator } = await organisationsOf(await addInstallation(database));
      const rest = { organisationId: operator, at: new Date(nowMs).toISOString(), kind: 'staging-halted' } as const;
      const text = { subject: 'nul \u0000', body: 'lone \ud800', facts: { deep: ['\u0000', null] } };
      const store = notificationStore(database.knex);
      await store.add(Array.from({ length: 10_000 }, () => ({ ...rest, ...text, id: uuidv7() })));
      const told = await database.knex('notifications').where({ organisation_id: operator }).pluck('id');
      expect(told).to.have.length(10_000);
      const [shown] = (await store.page(operator, { limit: 1 })).items;
      expect(shown).to.deep.include({ subject: 'nul \ufffd', body: 'lone \ufffd', facts: { deep: ['\ufffd', null] } });
    });

    it('are marked as read once, by nobody else', async () => {
      const { operator } = await organisationsOf(await addInstallation(database));
      const { list, markRead } = notifications();
      const id = uuidv7();
      const rest = {
        at: new Date(nowMs).toISOString(),
        kind: 'installation-resumed',
        subject: 's',
        body: 'b',
      } as const;
      await notificationStore(database.knex).add([{ ...rest, id, organisationId: operator, facts: {} }]);
      const foreign = await markRead(actor(uuidv7()), id).catch((error) => error.code);
      expect(foreign).to.equal('notification-unknown');
      const readAt = new Date(nowMs).toISOString();
      expect(await markRead(actor(operator), id)).to.include({ readAt });
      nowMs += 1_000;
      expect(await markRead(actor(operator), id)).to.include({ readAt });
      expect((await list(actor(operator), { unread: true })).items).to.deep.equal([]);
      expect((await list(actor(operator), {})).items).to.have.length(1);
    });
  });
});
