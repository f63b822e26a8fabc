import { expect } from 'chai';
import { v7 } from 'uuid';
import { type TestDatabase, testDatabase } from '../../migrations/test-database.ts';
import { addInstallation } from '../installations/fake-installation.ts';
import { checkKeys } from './check-keys.ts';
import { createEnvelope } from './envelope.ts';
import { keyStatus, rotateKeys } from './rotate-keys.ts';
import { SEALED_BY_PERSON, SEALED_COLUMNS, type SealedColumn } from './sealed-columns.ts';
import { type SealedValueStore, sealedValueStore } from './sealed-value-store.ts';

const key = (fill: number) => Buffer.alloc(32, fill);
const old = createEnvelope(new Map([[1, key(1)]]));
const both = createEnvelope(
  new Map([
    [1, key(1)],
    [2, key(2)],
  ]),
);
const fresh = createEnvelope(new Map([[2, key(2)]]));

/** Binary columns that hold no sealed value, by how their names end, with what they hold instead. */
const NOT_SEALED: Record<string, string> = {
  sha256: 'a hash',
  hash: 'a hash',
  root: 'a hash',
  replaced_by: 'a hash',
  address_index: 'an HMAC',
  signature: 'a signature',
  credential_id: 'what the device calls its key',
  public_key: 'a public key',
  archive: 'a signed release',
  content: 'a recording, redacted before it was stored',
  bundle: 'code of a release',
};

describe('rotateKeys', () => {
  let database: TestDatabase;
  let accountId: string;
  const place = ({ table, column }: SealedColumn, row: string) => ({ table, row, column });
  const textOf = (column: SealedColumn, row: string) => `${column.table} ${row}`;
  const rows = new Map<SealedColumn, string[]>();
  const columnOf = (table: string) => SEALED_COLUMNS.find((each) => each.table === table)!;

  const seal = (table: string, row: string) => {
    const column = columnOf(table);
    rows.set(column, [...(rows.get(column) ?? []), row]);
    return old.seal(place(column, row), textOf(column, row));
  };

  beforeEach(async () => {
    database = await testDatabase();
    rows.clear();
    const { knex } = database;
    const installationId = await addInstallation(database);
    const secrets = Array.from({ length: 450 }, (_, index) => {
      const sealed = seal('installation_secrets', `${installationId}/KEY_${index}`);
      return { installation_id: installationId, name: `KEY_${index}`, sealed };
    });
    await knex('installation_secrets').insert(secrets);
    accountId = v7();
    await knex('accounts').insert({
      id: accountId,
      username: 'ada_l',
      state: 'active',
      person_key: seal('accounts', accountId),
    });
    const ids = [v7(), v7(), v7()] as const;
    await knex('access_token_keys').insert({
      id: ids[0],
      sealed: seal('access_token_keys', ids[0]),
      public_key_pem: 'x',
      created_at: new Date(),
    });
    await knex('mail_outbox').insert([
      { id: ids[1], sealed: seal('mail_outbox', ids[1]), next_at: new Date(), created_at: new Date() },
      { id: v7(), sealed: null, next_at: new Date(), created_at: new Date() },
    ]);
    await knex('totp_factors').insert({
      id: ids[2],
      account_id: accountId,
      label: 'x',
      sealed: seal('totp_factors', ids[2]),
      created_at: new Date(),
    });
  });
  afterEach(() => database.close());

  const asOwner = (change: (store: SealedValueStore) => SealedValueStore = (store) => store) =>
    database.asOwner((owner) =>
      rotateKeys({ store: change(sealedValueStore(owner)), envelope: both, newest: 2, onProgress: () => {} })(),
    );
  const left = async () =>
    (await keyStatus({ store: sealedValueStore(database.knex), newest: 2 })()).reduce(
      (sum, each) => sum + each.left,
      0,
    );

  async function everythingOpensWithTheNewKeyAlone() {
    for (const column of SEALED_COLUMNS) {
      const keys = column.key.map((name) => `${name}::text`).join(` || '/' || `);
      const stored = await database
        .knex(column.table)
        .whereNotNull(column.column)
        .select(database.knex.raw(`${keys} as row`), `${column.column} as sealed`);
      expect(stored.map(({ row }) => row).sort(), column.table).to.deep.equal([...(rows.get(column) ?? [])].sort());
      for (const { row, sealed } of stored) {
        expect(fresh.open(place(column, row), sealed)).to.equal(textOf(column, row));
      }
    }
  }

  it('brings every value of every sealed column under the newest key, and then has nothing left to do', async () => {
    expect(await left()).to.equal(454);
    const report = await asOwner();
    expect(report).to.include({ rewrapped: 454 });
    expect(report.broken).to.deep.equal([]);
    await everythingOpensWithTheNewKeyAlone();
    expect(await asOwner()).to.include({ rewrapped: 0 });
  });

  it('goes on where it was killed in the middle of a batch', async () => {
    let batches = 0;
    const killed = await asOwner((store) => ({
      ...store,
      rewrapBatch: (column, batch, rewrap) => {
        batches += 1;
        return store.rewrapBatch(column, batch, (value) => {
          if (batches === 2 && value.key[1]!.endsWith('7')) throw new Error('killed');
          return rewrap(value);
        });
      },
    })).catch(({ message }) => message);
    expect(killed).to.equal('killed');
    expect(await left()).to.equal(254);
    expect(await asOwner()).to.include({ rewrapped: 254 });
    await everythingOpensWithTheNewKeyAlone();
  });

  it('does its work once where two run at once', async () => {
    const [one, other] = await Promise.all([asOwner(), asOwner()]);
    expect(one.rewrapped + other.rewrapped).to.equal(454);
    await everythingOpensWithTheNewKeyAlone();
  });

  it('keeps a value that a host writes meanwhile', async () => {
    const [row] = rows.get(columnOf('installation_secrets'))!;
    const [installation_id, name] = row!.split('/') as [string, string];
    const anew = both.seal(place(columnOf('installation_secrets'), row!), 'written meanwhile');
    await asOwner((store) => ({
      ...store,
      rewrapBatch: async (column, batch, rewrap) => {
        const done = await store.rewrapBatch(column, batch, rewrap);
        await database.knex('installation_secrets').where({ installation_id, name }).update({ sealed: anew });
        return done;
      },
    }));
    const { sealed } = await database.knex('installation_secrets').where({ installation_id, name }).first();
    expect(fresh.open(place(columnOf('installation_secrets'), row!), sealed)).to.equal('written meanwhile');
  });

  it('names what does not open, leaves it as it is and does the rest', async () => {
    const [first, second, third] = rows.get(columnOf('installation_secrets'))!;
    const at = (row: string) => {
      const [installation_id, name] = row.split('/');
      return database.knex('installation_secrets').where({ installation_id, name });
    };
    const { sealed } = await at(second!).first();
    // Copied from another row, and tampered with.
    await at(first!).update({ sealed });
    const tampered = Buffer.from(sealed);
    tampered[tampered.length - 1]! ^= 1;
    await at(third!).update({ sealed: tampered });
    const report = await asOwner();
    expect(report.broken.map(({ row }) => row).sort()).to.deep.equal([first, third].sort());
    expect(report.rewrapped).to.equal(452);
    expect(await left()).to.equal(2);
    expect((await at(first!).first()).sealed.equals(sealed)).to.equal(true);
  });

  it('is preceded by a look that says which keys are lacking, or are others than they should be', async () => {
    const faultsOf = (envelope: ReturnType<typeof createEnvelope>) =>
      checkKeys({ store: sealedValueStore(database.knex), envelope })();
    expect(await faultsOf(old)).to.deep.equal([]);
    const [row] = rows.get(columnOf('mail_outbox'))!;
    const sealed = both.rewrap(
      place(columnOf('mail_outbox'), row!),
      old.seal(place(columnOf('mail_outbox'), row!), 'x'),
    );
    await database.knex('mail_outbox').where({ id: row! }).update({ sealed });
    expect(await faultsOf(both)).to.deep.equal([]);
    expect(await faultsOf(old)).to.deep.equal([
      'mail_outbox.sealed under version 2: The encryption key of version 2 is not configured.',
    ]);
    const others = await faultsOf(
      createEnvelope(
        new Map([
          [1, key(9)],
          [2, key(2)],
        ]),
      ),
    );
    expect(others).to.have.length(rows.size - 1);
    expect(others[0]).to.match(/^installation_secrets\.sealed under version 1: .* sealed with another key\.$/);
  });

  it('covers every sealed column of the schema', async () => {
    const { rows: columns } = await database.knex.raw(`
      select table_name, column_name from information_schema.columns
      where table_schema = 'public' and data_type = 'bytea' and table_name not like 'pgboss%'`);
    const listed = [...SEALED_COLUMNS.map(({ table, column }) => `${table}.${column}`), ...SEALED_BY_PERSON];
    const unlisted = columns
      .map((each: { table_name: string; column_name: string }) => `${each.table_name}.${each.column_name}`)
      .filter((name: string) => !listed.includes(name))
      .filter((name: string) => !Object.keys(NOT_SEALED).some((end) => name.endsWith(end)));
    expect(unlisted, 'list it in sealed-columns.ts, or say here what it holds').to.deep.equal([]);
  });
});
