import { expect } from 'chai';
import { v7 } from 'uuid';
import { RELEASE_STATES, TRANSITIONS } from '../registry/rules/release-states.ts';
import { type TestDatabase, testDatabase } from './test-database.ts';

/** The guarantees that the schema itself gives, whatever the code above it does. */
describe('schema', () => {
  let database: TestDatabase;
  const organisationId = v7();
  const tokenId = v7();
  const keyId = v7();
  const pluginId = v7();
  const releaseId = v7();
  const installationId = v7();
  const hex = (digit: string) => digit.repeat(64);
  const release = (changes = {}) => ({
    id: releaseId,
    plugin_id: pluginId,
    version: '1.0.0',
    state: 'in-review',
    manifest: { name: 'greeter' },
    digest: hex('a'),
    bundle_digest: hex('b'),
    bundle_bytes: 1,
    envelope: { payload: 'cGF5bG9hZA==', signatures: [] },
    ...changes,
  });
  const installation = (changes = {}) => ({
    id: installationId,
    operator_id: organisationId,
    slug: 'greeter',
    release_id: releaseId,
    ...changes,
  });

  before(async () => {
    database = await testDatabase();
    const { knex } = database;
    await knex('organisations').insert({ id: organisationId, slug: 'acme', kind: 'publisher', name: 'Acme' });
    await knex('api_tokens').insert({
      id: tokenId,
      organisation_id: organisationId,
      role: 'publisher',
      label: 'x',
      secret_sha256: Buffer.alloc(32),
    });
    await knex('publisher_keys').insert({
      id: keyId,
      organisation_id: organisationId,
      key_id: hex('c'),
      label: 'x',
      public_key_pem: 'pem',
    });
    await knex('plugins').insert({ id: pluginId, organisation_id: organisationId, name: 'greeter' });
    await knex('releases').insert(release());
    await knex('release_artifacts').insert({ release_id: releaseId, archive: Buffer.from('archive') });
    await knex('installations').insert(installation());
    await knex('kv_entries').insert({ installation_id: installationId, key: 'k', value: '1', version: 1 });
  });
  after(() => database.close());
  const codeOf = async (work: PromiseLike<unknown>): Promise<string> =>
    Promise.resolve(work).then(
      () => 'accepted',
      (error) => error.code,
    );
  const DENIED = '42501';
  const RESTRICTED = '23001';
  const UNIQUE = '23505';
  const CHECK = '23514';

  describe('the application role', () => {
    it('cannot change the schema', async () => {
      const statements = [
        'create table intruder (id int)',
        'create temporary table intruder (id int)',
        'alter table releases add column intruder int',
        'alter table releases disable trigger user',
        'drop table kv_entries',
        'drop trigger keep_release_immutable on releases',
        'create or replace function notify_change() returns trigger language plpgsql as $$ begin return new; end $$',
        'truncate releases cascade',
        'set role gatehouse_owner',
      ];
      for (const sql of statements) expect(await codeOf(database.knex.raw(sql)), sql).to.equal(DENIED);
    });

    it('cannot rewrite what is to stay as it is', async () => {
      const { knex } = database;
      const changes: Record<string, object> = {
        organisations: { slug: 'other' },
        api_tokens: { secret_sha256: Buffer.alloc(32, 1) },
        publisher_keys: { public_key_pem: 'other' },
        plugins: { organisation_id: v7() },
        releases: { digest: hex('f') },
        release_artifacts: { archive: Buffer.from('evil') },
        installations: { operator_id: v7() },
        migrations: { sha256: 'x' },
      };
      for (const [table, change] of Object.entries(changes)) {
        expect(await codeOf(knex(table).update(change)), table).to.equal(DENIED);
      }
      for (const table of [
        'organisations',
        'api_tokens',
        'publisher_keys',
        'plugins',
        'releases',
        'release_artifacts',
      ]) {
        expect(await codeOf(knex(table).del()), table).to.equal(DENIED);
      }
    });
  });

  describe('a release', () => {
    const asOwner = (sql: string, ...values: (string | number)[]) =>
      codeOf(database.asOwner((owner) => owner.raw(sql, [...values, releaseId])));

    it('never changes in what it is, not even for the owner', async () => {
      const changes: [string, string | number][] = [
        ['version', '9.9.9'],
        ['manifest', '{"name":"other"}'],
        ['digest', hex('e')],
        ['bundle_digest', hex('e')],
        ['bundle_bytes', 2],
        ['plugin_id', v7()],
        ['id', v7()],
        ['created_at', '2000-01-01'],
        ['envelope', '{"payload":"b3RoZXI=","signatures":[]}'],
      ];
      for (const [column, value] of changes) {
        expect(await asOwner(`update releases set ${column} = ? where id = ?`, value), column).to.equal(RESTRICTED);
      }
      expect(await asOwner('delete from releases where id = ?')).to.equal(RESTRICTED);
      expect(await asOwner(`update release_artifacts set archive = 'x' where release_id = ?`)).to.equal(RESTRICTED);
      expect(await asOwner('delete from release_artifacts where release_id = ?')).to.equal(RESTRICTED);
    });

    it('goes from state to state as the table of transitions says, and no other way', async () => {
      const move = async (from: string, to: string) => {
        const id = v7();
        // A suspended release says why.
        const blocked = JSON.stringify({ at: '', reason: 'r' });
        const digest = id.replaceAll('-', '').repeat(2);
        const inserted = { id, version: id, digest, state: from, reviewed_at: new Date(), blocked };
        await database.knex('releases').insert(release(inserted));
        return codeOf(database.knex('releases').where({ id }).update({ state: to }));
      };
      const allowed = TRANSITIONS.map((each) => `${each.from} ${each.to}`);
      for (const from of RELEASE_STATES) {
        for (const to of RELEASE_STATES.filter((each) => each !== from)) {
          const wanted = allowed.includes(`${from} ${to}`) ? 'accepted' : RESTRICTED;
          expect(await move(from, to), `${from} to ${to}`).to.equal(wanted);
        }
      }
      const unsaid = release({ id: v7(), version: 'x', digest: hex('0'), state: 'suspended', reviewed_at: new Date() });
      expect(await codeOf(database.knex('releases').insert(unsaid))).to.equal(CHECK);
      expect(await codeOf(database.knex('releases').insert(release({ id: v7(), state: 'odd' })))).to.equal(CHECK);
    });

    it('is the only one of its version and the only one of its digest', async () => {
      const again = (changes: object) => codeOf(database.knex('releases').insert(release({ id: v7(), ...changes })));
      expect(await again({ digest: hex('d') })).to.equal(UNIQUE);
      expect(await again({ version: '3.0.0' })).to.equal(UNIQUE);
    });
  });

  describe('an installation', () => {
    it('has a slug of its own among those of its operator that are not deleted', async () => {
      const { knex } = database;
      const second = installation({ id: v7() });
      expect(await codeOf(knex('installations').insert(second))).to.equal(UNIQUE);
      await knex('installations').insert(installation({ id: v7(), slug: 'gone', deleted_at: new Date() }));
      expect(await codeOf(knex('installations').insert(installation({ id: v7(), slug: 'gone' })))).to.equal('accepted');
    });

    it('keeps configuration exactly as it was given', async () => {
      const id = v7();
      const config = '{"b":1,"a":"\\u0000","n":1.50}';
      await database.knex('installations').insert(installation({ id, slug: 'exact', config }));
      const { rows } = await database.knex.raw('select config::text as text from installations where id = ?', [id]);
      expect(rows[0].text).to.equal(config);
    });

    it('takes its entries, logs and usage along when its row goes', async () => {
      const id = v7();
      const { knex } = database;
      await knex('installations').insert(installation({ id, slug: 'leaving' }));
      await knex('kv_entries').insert({ installation_id: id, key: 'k', value: '1', version: 1 });
      const hour = { installation_id: id, hour: '2030-01-01T05:00:00Z' };
      await knex('usage').insert(hour);
      await knex('usage_refusals').insert({ ...hour, code: 'cpu-budget-exhausted', invocations: 1 });
      const entry = { id: v7(), installation_id: id, at: new Date(), invocation_id: 'i', message: 'm' };
      await knex('installation_logs').insert({ ...entry, source: 'host', level: 'info', facts: '{"a":"\\u0000"}' });
      await database.asOwner((owner) => owner('installations').where({ id }).del());
      for (const table of ['kv_entries', 'usage', 'usage_refusals', 'installation_logs']) {
        expect(await knex(table).where('installation_id', id), table).to.deep.equal([]);
      }
    });
  });

  it('orders keys of kv entries by their bytes', async () => {
    const keys = ['a', 'B', 'é', 'z', 'Z', '_', '\u{1f600}', '\uff5e'];
    const rows = keys.map((key) => ({ installation_id: installationId, key: `o${key}`, value: '1', version: 1 }));
    await database.knex('kv_entries').insert(rows);
    const stored = await database.knex('kv_entries').whereLike('key', 'o%').orderBy('key').pluck('key');
    const byBytes = rows.map(({ key }) => key).sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
    expect(stored).to.deep.equal(byBytes);
  });

  it('takes usage by full hours only', async () => {
    const at = (hour: string) => codeOf(database.knex('usage').insert({ installation_id: installationId, hour }));
    expect(await at('2030-01-01T00:30:00Z')).to.equal(CHECK);
    expect(await at('2030-01-01T01:00:00Z')).to.equal('accepted');
  });

  it('moves updated_at with every change', async () => {
    const read = () => database.knex('installations').where('id', installationId).first('created_at', 'updated_at');
    await database.knex('installations').where('id', installationId).update({ enabled: false });
    const first = await read();
    expect(first.updated_at.getTime()).to.be.at.least(first.created_at.getTime());
    await database.knex('installations').where('id', installationId).update({ updated_at: '2000-01-01' });
    expect((await read()).updated_at.getTime()).to.be.at.least(first.updated_at.getTime());
  });

  it('announces every change of what hosts keep in memory', async () => {
    const heard: string[] = [];
    let wake = () => {};
    const listener = await database.listen('gatehouse_changes', (payload) => {
      heard.push(payload);
      wake();
    });
    const { knex } = database;
    const id = v7();
    await knex('api_tokens').where('id', tokenId).update({ revoked_at: new Date() });
    await knex('publisher_keys').where('id', keyId).update({ label: 'y' });
    await knex('releases').where('id', releaseId).update({ state: 'published', reviewed_at: new Date() });
    await knex('installations').insert(installation({ id, slug: 'announced' }));
    await knex('installations').where({ id }).update({ enabled: false });
    await database.asOwner((owner) => owner('installations').where({ id }).del());
    const rolledBack = knex.transaction(async (transaction) => {
      await transaction('api_tokens').where('id', tokenId).update({ label: 'z' });
      throw new Error('undone');
    });
    expect(await codeOf(rolledBack)).to.equal(undefined);
    await knex('publisher_keys').where('id', keyId).update({ label: 'last' });
    while (heard.length < 7) {
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
    await listener.close();
    expect(heard).to.deep.equal([
      `api_tokens:${tokenId}`,
      `publisher_keys:${keyId}`,
      `releases:${releaseId}`,
      `installations:${id}`,
      `installations:${id}`,
      `installations:${id}`,
      `publisher_keys:${keyId}`,
    ]);
  });
});
