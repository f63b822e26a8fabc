import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { expect } from 'chai';
import { v7 } from 'uuid';
import { type TestDatabase, testDatabase } from '../../migrations/test-database.ts';
import { type AuditIn, createAuditIn, createAuditKeeper, type Person, type PersonVault } from '../../registry/index.ts';
import { createEnvelope } from '../encryption/envelope.ts';
import { createPersonVault } from '../encryption/person-vault.ts';
import { type OpenPrivacy, openPrivacy } from './open-privacy.ts';
import { PERSONAL_TABLES } from './personal-tables.ts';
import { RETENTION } from './retention.ts';

const DAY_MS = 86_400_000;
const log = { debug() {}, info() {}, warn() {}, error() {} };
const ADDRESS = 'ada@example.org';

describe('privacy', () => {
  let database: TestDatabase;
  let vault: PersonVault;
  let open: OpenPrivacy;
  let auditIn: AuditIn;
  let forgotten = 0;
  const clock = { ms: 0 };

  beforeEach(async () => {
    database = await testDatabase();
    clock.ms = Date.now();
    vault = createPersonVault(createEnvelope(new Map([[1, Buffer.alloc(32, 1)]])), Buffer.alloc(32, 2));
    auditIn = createAuditIn({ nowMs: () => clock.ms, newId: v7, origin: () => null });
    open = openPrivacy({
      scoped: database.knex,
      system: database.knex,
      auditIn,
      vault,
      forgetSessions: () => {
        forgotten += 1;
      },
      log,
      nowMs: () => clock.ms,
      newId: v7,
    });
  });
  afterEach(async () => {
    await open.close();
    await database.close();
  });

  const addPerson = async (username = 'ada_l', address = ADDRESS): Promise<Person & { personKey: Buffer }> => {
    const { knex } = database;
    const id = v7();
    const personKey = vault.newKey(id);
    const person = { id, personKey };
    const phone = vault.seal(person, { table: 'accounts', row: id, column: 'phone_sealed' }, '+4912345');
    await knex('accounts').insert({ id, username, state: 'active', person_key: personKey, phone_sealed: phone });
    const emailId = v7();
    await knex('account_emails').insert({
      id: emailId,
      account_id: id,
      sealed: vault.seal(person, { table: 'account_emails', row: emailId, column: 'sealed' }, address),
      address_index: vault.index(address),
      verified_at: new Date(),
    });
    const sessionId = v7();
    const seen = { created_at: new Date(), last_seen_at: new Date(), expires_at: new Date(clock.ms + DAY_MS) };
    const device = { device: 'Laptop of Ada', user_agent: 'x', address: '192.0.2.7' };
    await knex('sessions').insert({ id: sessionId, account_id: id, ...device, ...seen });
    return { account: { id, username }, sessionId, factorAtMs: null, personKey };
  };
  const codeOf = (work: Promise<unknown>) => work.then(() => 'done').catch((error) => error.code);

  describe('an archive', () => {
    it('holds what is kept about the person, is sealed, and is for that person alone, until it expires', async () => {
      const [ada, bob] = [await addPerson(), await addPerson('bob_b', 'bob@example.org')];
      const fromElsewhere = createAuditIn({
        nowMs: () => clock.ms,
        newId: v7,
        origin: () => ({ requestId: 'r', address: '203.0.113.9' }),
      });
      const subject = { kind: 'account', id: ada.account.id };
      await fromElsewhere(database.knex)({ action: 'factor.reset', actor: bob, organisationId: null, subject });
      const { id, state } = await open.privacy.requestExport(ada);
      expect(state).to.equal('waiting');
      expect((await open.privacy.requestExport(ada)).id).to.equal(id);
      expect(await codeOf(open.privacy.readExport(ada, id))).to.equal('export-unknown');
      await open.work();
      expect((await open.privacy.listExports(ada)).map((each) => each.state)).to.deep.equal(['ready']);

      const text = await open.privacy.readExport(ada, id);
      const archive = JSON.parse(text);
      expect(archive.account).to.include({ username: 'ada_l', phone: '+4912345' });
      expect(archive.account.addresses).to.deep.equal([ADDRESS]);
      expect(archive.sessions[0]).to.include({ device: 'Laptop of Ada', address: '192.0.2.7' });
      expect(archive.audit.map(({ action }: { action: string }) => action)).to.include('account.export');
      expect(text).not.to.include('bob');
      const reset = archive.audit.find(({ action }: { action: string }) => action === 'factor.reset');
      expect(reset.actor).to.include({ accountId: bob.account.id });
      expect(text).not.to.include('203.0.113.9');
      const { sealed } = await database.knex('personal_exports').where({ id }).first();
      expect(sealed.includes(ADDRESS)).to.equal(false);

      expect(await codeOf(open.privacy.readExport(bob, id))).to.equal('export-unknown');
      clock.ms += 7 * DAY_MS + 1;
      expect(await codeOf(open.privacy.readExport(ada, id))).to.equal('export-unknown');
      await open.sweep();
      expect(await database.knex('personal_exports')).to.deep.equal([]);
    });

    it("holds the invitations that went to an address of the person, and nobody else's", async () => {
      const ada = await addPerson();
      const { knex } = database;
      const organisation_id = v7();
      await knex('organisations').insert({ id: organisation_id, slug: 'arcade', kind: 'operator', name: 'Arcade' });
      const invitation = (address: string, hint: string) => ({
        id: v7(),
        organisation_id,
        role: 'operator-viewer',
        secret_sha256: randomBytes(32),
        address_index: vault.index(address),
        address_hint: hint,
        created_at: new Date(clock.ms),
        expires_at: new Date(clock.ms + DAY_MS),
      });
      await knex('invitations').insert([
        invitation(ADDRESS, 'a…@example.org'),
        invitation('bob@example.org', 'b…@example.org'),
      ]);
      const { id } = await open.privacy.requestExport(ada);
      await open.work();
      const { invitationsReceived } = JSON.parse(await open.privacy.readExport(ada, id));
      expect(invitationsReceived).to.have.length(1);
      expect(invitationsReceived[0]).to.include({ address_hint: 'a…@example.org', organisation_id, state: 'open' });
      expect(invitationsReceived[0]).not.to.have.property('secret_sha256');
    });

    it('is made by one host, and by another where that one died', async () => {
      const ada = await addPerson();
      await open.privacy.requestExport(ada);
      const lease = { claimed_until: new Date(clock.ms + 300_000) };
      await database.knex('personal_exports').update(lease);
      await open.work();
      expect((await open.privacy.listExports(ada))[0]!.state).to.equal('waiting');
      clock.ms += 300_001;
      await open.work();
      expect((await open.privacy.listExports(ada))[0]!.state).to.equal('ready');
    });
  });

  describe('erasure', () => {
    it('destroys the key, so that not even a copy of the database from before opens, once the row is gone', async () => {
      const ada = await addPerson();
      const before = await database.knex('account_emails').where({ account_id: ada.account.id }).first();
      await open.privacy.requestExport(ada);
      await open.work();
      await open.privacy.erase(ada, 'ada_l');
      const row = await database.knex('accounts').where({ id: ada.account.id }).first();
      expect(row).to.include({ state: 'erased', person_key: null, phone_sealed: null });
      expect(row.username).to.match(/^erased_[0-9a-f]{13}$/);
      for (const { table, account, erasure } of PERSONAL_TABLES) {
        if (erasure === 'keep') continue;
        expect(await database.knex(table).where(account, ada.account.id), table).to.deep.equal([]);
      }
      // What was sealed and copied elsewhere has no key any more: another person's, or the host's, does not open it.
      const bob = await addPerson('bob_b', 'bob@example.org');
      const place = { table: 'account_emails', row: before.id, column: 'sealed' };
      const stranger = { id: bob.account.id, personKey: bob.personKey };
      expect(() => vault.open(stranger, place, before.sealed)).to.throw();
      expect(forgotten).to.be.greaterThan(0);
    });

    it('leaves the audit trail as it is: it verifies, and names nobody', async () => {
      const { privateKey } = generateKeyPairSync('ed25519');
      const keeper = createAuditKeeper({ database: database.knex, signingKey: privateKey, nowMs: Date.now });
      const ada = await addPerson();
      const subject = { kind: 'account', id: ada.account.id };
      await auditIn(database.knex)({ action: 'account.verify', actor: ada, organisationId: null, subject });
      await keeper.signHead();
      await open.privacy.erase(ada, 'ada_l');
      expect((await keeper.verify(null)).faults).to.deep.equal([]);
      const contents = await database.knex('audit_entries').orderBy('id').pluck('content');
      expect(contents).to.have.length(2);
      for (const trace of ['ada_l', ADDRESS, '+4912345']) expect(contents.join(), trace).not.to.include(trace);
    });

    it('ends sessions and tokens, and frees the username and the address', async () => {
      const ada = await addPerson();
      const organisation = { id: v7(), slug: 'arcade', kind: 'operator', name: 'Arcade' };
      await database.knex('organisations').insert(organisation);
      await database.knex('api_tokens').insert({
        id: v7(),
        organisation_id: organisation.id,
        account_id: ada.account.id,
        role: 'caller',
        label: 'till',
        secret_sha256: Buffer.alloc(32),
      });
      await open.privacy.erase(ada, 'ada_l');
      expect((await database.knex('api_tokens').first()).revoked_at).not.to.equal(null);
      await addPerson();
    });

    it('is refused without the right username, and to the last owner of an organisation', async () => {
      const ada = await addPerson();
      expect(await codeOf(open.privacy.erase(ada, 'ada'))).to.equal('erasure-unconfirmed');
      const organisationId = v7();
      const { knex } = database;
      await knex('organisations').insert({ id: organisationId, slug: 'arcade', kind: 'operator', name: 'Arcade' });
      const own = { organisation_id: organisationId, role: 'operator-owner', created_at: new Date() };
      await knex('memberships').insert({ id: v7(), account_id: ada.account.id, ...own });
      expect(await codeOf(open.privacy.erase(ada, 'ada_l'))).to.equal('last-owner');
      const bob = await addPerson('bob_b', 'bob@example.org');
      await knex('memberships').insert({ id: v7(), account_id: bob.account.id, ...own });
      await knex('accounts').where('id', bob.account.id).update({ state: 'deactivated' });
      expect(await codeOf(open.privacy.erase(ada, 'ada_l'))).to.equal('last-owner');
      await knex('accounts').where('id', bob.account.id).update({ state: 'active' });
      const hint = { address_index: vault.index(ADDRESS), address_hint: 'a…@example.com' };
      const times = { created_at: new Date(), expires_at: new Date(clock.ms + DAY_MS) };
      const sent = { organisation_id: organisationId, role: 'operator-viewer', secret_sha256: Buffer.alloc(32, 5) };
      await knex('invitations').insert({ id: v7(), ...sent, ...hint, ...times });
      expect(await codeOf(open.privacy.erase(ada, 'ada_l'))).to.equal('done');
      expect(await knex('invitations').first()).to.equal(undefined);
    });
  });

  it('lets only one of two owners go who leave at once', async () => {
    const [ada, bob] = [await addPerson(), await addPerson('bob_b', 'bob@example.org')];
    const organisationId = v7();
    const { knex } = database;
    await knex('organisations').insert({ id: organisationId, slug: 'arcade', kind: 'operator', name: 'Arcade' });
    for (const { account } of [ada, bob]) {
      const own = { organisation_id: organisationId, role: 'operator-owner', created_at: new Date() };
      await knex('memberships').insert({ id: v7(), account_id: account.id, ...own });
    }
    const ends = [codeOf(open.privacy.erase(ada, 'ada_l')), codeOf(open.privacy.erase(bob, 'bob_b'))];
    expect((await Promise.all(ends)).sort()).to.deep.equal(['done', 'last-owner']);
  });

  it('lets nobody go who becomes an owner at that moment', async () => {
    const [ada, bob] = [await addPerson(), await addPerson('bob_b', 'bob@example.org')];
    const organisationId = v7();
    const { knex } = database;
    await knex('organisations').insert({ id: organisationId, slug: 'arcade', kind: 'operator', name: 'Arcade' });
    const roles = new Map([
      [ada, 'operator-owner'],
      [bob, 'operator-viewer'],
    ]);
    for (const [{ account }, role] of roles) {
      const member = { organisation_id: organisationId, account_id: account.id, role, created_at: new Date() };
      await knex('memberships').insert({ id: v7(), ...member });
    }
    const roleOf = ({ account }: Person) => ({ organisation_id: organisationId, account_id: account.id });
    let erased: Promise<string> | undefined;
    await knex.transaction(async (transfer) => {
      // As an accepted offer does it.
      await transfer('organisations').where({ id: organisationId }).forUpdate().first();
      await transfer('memberships').where(roleOf(bob)).update({ role: 'operator-owner' });
      await transfer('memberships').where(roleOf(ada)).update({ role: 'operator-viewer' });
      erased = codeOf(open.privacy.erase(bob, 'bob_b'));
      await database.untilLocked();
    });
    expect(await erased).to.equal('last-owner');
  });

  it('knows every column that refers to an account', async () => {
    const { rows } = await database.knex.raw(`
      select c.conrelid::regclass::text as table_name, a.attname as column_name
      from pg_constraint c join pg_attribute a on a.attrelid = c.conrelid and a.attnum = c.conkey[1]
      where c.contype = 'f' and c.confrelid = 'accounts'::regclass`);
    const listed = PERSONAL_TABLES.map(({ table, account }) => `${table}.${account}`);
    const found = rows.map(
      (each: { table_name: string; column_name: string }) => `${each.table_name}.${each.column_name}`,
    );
    expect(
      found.filter((name: string) => !listed.includes(name)),
      'list it in personal-tables.ts',
    ).to.deep.equal([]);
  });

  it('deletes what was kept for its time, and nothing younger', async () => {
    const organisationId = v7();
    const { knex } = database;
    await knex('organisations').insert({ id: organisationId, slug: 'arcade', kind: 'operator', name: 'Arcade' });
    const note = (days: number) => ({
      id: v7(),
      organisation_id: organisationId,
      at: new Date(clock.ms - days * DAY_MS),
      kind: 'security-alert',
      subject: `${days}`,
      body: 'x',
      facts: '{}',
    });
    await knex('notifications').insert([note(364), note(366)]);
    await knex('login_throttles').insert([
      { key: 'old', failures: 1, last_failed_at: new Date(clock.ms - 31 * DAY_MS) },
      { key: 'new', failures: 1, last_failed_at: new Date(clock.ms - 29 * DAY_MS) },
    ]);
    const upload = (hours: number) => ({
      id: v7(),
      organisation_id: organisationId,
      bytes: 9,
      sha256: `${hours}`.padStart(64, '0'),
      created_at: new Date(clock.ms - hours * 3_600_000),
      expires_at: new Date(clock.ms + (24 - hours) * 3_600_000),
    });
    const [young, old] = [upload(23), upload(25)];
    await knex('uploads').insert([young, old]);
    await knex('upload_parts').insert([young, old].map(({ id }) => ({ upload_id: id, start: 0, content: 'x' })));
    const ada = await addPerson();
    const seen = { last_seen_at: new Date(clock.ms - 91 * DAY_MS) };
    await knex('sessions').update({ ...seen, revoked_at: new Date(), revoked_reason: 'x' });
    const bob = await addPerson('bob_b', 'bob@example.org');
    await open.sweep();
    expect(await knex('notifications').pluck('subject')).to.deep.equal(['364']);
    expect(await knex('login_throttles').pluck('key')).to.deep.equal(['new']);
    expect(await knex('uploads').pluck('id')).to.deep.equal([young.id]);
    expect(await knex('upload_parts').pluck('upload_id')).to.deep.equal([young.id]);
    expect(await knex('sessions').pluck('account_id'))
      .to.deep.equal([bob.account.id])
      .and.not.to.include(ada.account.id);
  });

  it('deletes all that was kept for its time, however much it is, and stops where the host does', async () => {
    const add = (rows: number) =>
      database.knex.raw(
        `insert into login_throttles (key, failures, last_failed_at)
         select 'old ' || number, 1, ?::timestamptz from generate_series(1, ?::int) as number`,
        [new Date(clock.ms - 31 * DAY_MS), rows],
      );
    await add(20_001);
    await open.sweep(AbortSignal.abort());
    expect(await database.knex('login_throttles').pluck('key')).to.have.length(20_001);
    await open.sweep();
    expect(await database.knex('login_throttles').pluck('key')).to.deep.equal([]);
  });

  it('says in docs/privacy.md how long what is kept', async () => {
    const page = await readFile('docs/privacy.md', 'utf8');
    for (const { table, what, keepDays } of RETENTION) {
      expect(page).to.include(`| \`${table}\` | ${what} | ${keepDays} |`);
    }
  });

  it('has rules for tables and columns that exist', async () => {
    for (const { table, column, only = 'true' } of RETENTION) {
      await database.knex.raw(`select ?? from ?? where ${only} limit 0`, [column, table]);
    }
  });
});
