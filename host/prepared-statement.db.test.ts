import { expect } from 'chai';
import { type TestDatabase, testDatabase } from '../migrations/test-database.ts';
import { type Database, openDatabase } from './database.ts';
import { preparedQuery, preparedStatement } from './prepared-statement.ts';

describe('preparedStatement', () => {
  let server: TestDatabase;
  let database: Database;
  before(async () => {
    server = await testDatabase();
    database = await openDatabase({ appUrl: server.appUrl, poolMax: 1 });
  });
  after(async () => {
    await database.close();
    await server.close();
  });

  it('binds names wherever they stand, takes what is missing for null, and leaves casts and texts alone', async () => {
    const sql = `SELECT CAST(:first AS text) || CAST(:first AS text) AS twice, CAST(:second AS text) AS second,
      '1'::integer AS one, '{"a":true}' AS json`;
    const [row] = await preparedStatement(database.system, 'names', sql)({ first: "a'b", other: 1 });
    expect(row).to.deep.equal({ twice: "a'ba'b", second: null, one: 1, json: '{"a":true}' });
  });

  it('takes what knex has put together, with its own values and with bindings', async () => {
    const numbers = database.system.select('n').from(database.system.raw('generate_series(1, 9) AS n'));
    const query = preparedQuery(database.system, 'query', numbers.where('n', '>', 3).andWhere('n', '<', ':below'));
    expect(await query({ below: 6 })).to.deep.equal([{ n: 4 }, { n: 5 }]);
    expect(await query({ below: 5 })).to.deep.equal([{ n: 4 }]);
  });

  it('is prepared once for each connection', async () => {
    const statement = preparedStatement(database.system, 'once', 'SELECT CAST(:n AS integer) AS n');
    for (const n of [1, 2, 3]) expect(await statement({ n })).to.deep.equal([{ n }]);
    const { rows } = await database.system.raw(`SELECT name FROM pg_prepared_statements WHERE name = 'once'`);
    expect(rows).to.have.length(1);
  });

  it('gives its connection back when the server refuses it, and makes another one when it broke', async () => {
    const ratio = preparedStatement(database.system, 'ratio', 'SELECT 1 / CAST(:n AS integer) AS ratio');
    const codes = [0, 0].map((n) => ratio({ n }).catch(({ code }) => code));
    expect(await Promise.all(codes)).to.deep.equal(['22012', '22012']);
    const end = preparedStatement(database.system, 'end', 'SELECT pg_terminate_backend(pg_backend_pid())');
    expect(await end({}).catch(({ code }) => code)).to.equal('57P01');
    // Until the end of the connection is noticed, it may be taken again.
    let after: unknown;
    while (after === undefined) after = await ratio({ n: 1 }).catch(() => undefined);
    expect(after).to.deep.equal([{ ratio: 1 }]);
  });
});
