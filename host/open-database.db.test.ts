import { expect } from 'chai';
import { MigrationRefused } from '../migrations/run-migrations.ts';
import { type TestDatabase, testDatabase } from '../migrations/test-database.ts';
import { readConfig } from './config.ts';
import type { Log } from './http/log.ts';
import { migrate, openPlatformDatabase } from './open-database.ts';

describe('openPlatformDatabase', () => {
  let server: TestDatabase;
  before(async () => {
    server = await testDatabase();
  });
  after(() => server.close());

  const open = async (settings: { DATABASE_URL: string; DATABASE_OWNER_URL?: string }) => {
    const warnings: string[] = [];
    const log = { warn: (_facts: object, message: string) => warnings.push(message) } as unknown as Log;
    return { database: await openPlatformDatabase(readConfig({}, settings), log), warnings };
  };

  it('warns of a role that owns the tables, and not of one that only lacks the address of the owner', async () => {
    expect((await open({ DATABASE_URL: server.appUrl })).warnings).to.deep.equal([]);
    const { warnings } = await open({ DATABASE_URL: server.ownerUrl, DATABASE_OWNER_URL: server.ownerUrl });
    expect(warnings).to.have.length(1);
    expect(warnings[0]).to.contain('owns the tables');
  });

  it('names the setting that is missing where a role cannot migrate', async () => {
    const { database } = await open({ DATABASE_URL: server.appUrl });
    const error = await migrate(database).catch((reason) => reason);
    expect(error).to.be.instanceOf(MigrationRefused);
    expect(error.message).to.match(/"gatehouse_app" may not change the schema.+DATABASE_OWNER_URL/);
    expect(await migrate({ ...database, ownerUrl: server.ownerUrl })).to.deep.equal([]);
  });
});
