import { createServer, type Server } from 'node:net';
import { expect } from 'chai';
import { type TestDatabase, testDatabase } from '../migrations/test-database.ts';
import { asOwner, DatabaseUnavailable, databaseUrls, type Listener, openDatabase, roleOf } from './database.ts';
import { isDatabaseOutage } from './http/outages.ts';

describe('openDatabase', () => {
  let database: TestDatabase;
  before(async () => {
    database = await testDatabase();
  });
  after(() => database.close());
  const at = (host: string) => `postgresql://gatehouse_app:s3cr3t@${host}`;
  const failure = async (appUrl: string) => {
    const error = await openDatabase({ appUrl }).then(
      () => expect.fail('it opened'),
      (reason) => reason,
    );
    expect(error).to.be.instanceOf(DatabaseUnavailable);
    expect(isDatabaseOutage(error)).to.equal(true);
    expect(error.message).not.to.contain('s3cr3t');
    expect(error.message).to.match(/^[A-Z][^\n]*\.$/);
    return error.message as string;
  };
  const endConnections = (applicationName: string) =>
    asOwner(database.superuserUrl, (superuser) =>
      superuser.raw(
        `select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and application_name = ?`,
        [applicationName],
      ),
    );

  it('connects as the application role, which is no superuser, bypasses nothing and owns no table', async () => {
    const { rows } = await database.knex.raw(
      `select rolsuper, rolbypassrls, (select count(*)::int from pg_tables where tableowner = current_user) as tables
       from pg_roles where rolname = current_user`,
    );
    expect(rows).to.deep.equal([{ rolsuper: false, rolbypassrls: false, tables: 0 }]);
    await database.ping();
  });

  it('refuses a role that row-level security does not bind', async () => {
    const error = await openDatabase({ appUrl: database.superuserUrl }).catch((reason) => reason);
    expect(error.message).to.contain('The role "postgres" steps around row-level security');
  });

  it('ends a statement that takes too long', async () => {
    const hasty = await openDatabase({ appUrl: database.appUrl, statementTimeoutMs: 50 });
    try {
      const error = await hasty.system.raw('select pg_sleep(30)').catch((reason) => reason);
      expect(error.code).to.equal('57014');
      expect(isDatabaseOutage(error)).to.equal(false);
    } finally {
      await hasty.close();
    }
  });

  it('goes on after the server has ended its connections', async () => {
    const { rows } = await database.knex.raw(`select current_setting('application_name') as name`);
    await endConnections(rows[0].name);
    const answers = async () => (await database.knex.raw('select 1 as one').catch(() => null))?.rows[0].one;
    while ((await answers()) !== 1);
  });

  describe('says in one sentence, without the password, that', () => {
    let silent: Server;
    let port: number;
    before(async () => {
      silent = createServer((socket) => socket.on('error', () => {}).end('HTTP/1.1 400 Bad Request\r\n\r\n'));
      await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
      port = (silent.address() as { port: number }).port;
    });
    after(() => silent.close());

    it('the address is malformed', async () => {
      for (const url of ['', 'localhost', 'mysql://gatehouse_app:s3cr3t@h/db', 'postgresql://a:s3cr3t@h:port/db']) {
        expect(await failure(url)).to.match(/address is malformed; write it as postgresql:/);
      }
    });

    it('nothing listens there', async () => {
      expect(await failure(at('127.0.0.1:1/gatehouse'))).to.contain('No PostgreSQL listens at 127.0.0.1:1/gatehouse;');
      expect(await failure('postgresql://a:s3cr3t@/db?host=%2Fnowhere')).to.contain(
        'No PostgreSQL listens at /nowhere',
      );
    });

    it('the host name does not exist', async () => {
      expect(await failure(at('nowhere.invalid/gatehouse'))).to.contain(
        'nowhere.invalid:5432/gatehouse cannot be resolved',
      );
    });

    it('something else answers there', async () => {
      expect(await failure(at(`127.0.0.1:${port}/gatehouse`))).to.contain(`PostgreSQL at 127.0.0.1:${port}/gatehouse`);
    });

    it('the role or the database does not exist', async () => {
      const role = database.appUrl.replace('gatehouse_app@', 'nobody@');
      expect(await failure(role)).to.match(/does not let role "nobody" in; check role, password and pg_hba.conf/);
      const missing = database.appUrl.replace(/\/[a-z0-9_]+\?/, '/missing?');
      expect(await failure(missing)).to.contain('has no database "missing"; create it');
    });
  });

  describe('listen', () => {
    let listener: Listener;
    let heard: string[];
    let events: string[];
    const waiting: (() => void)[] = [];
    const until = async (holds: () => boolean) => {
      while (!holds()) await new Promise<void>((resolve) => waiting.push(resolve));
    };
    const note = (list: () => string[], text: string) => {
      list().push(text);
      for (const wake of waiting.splice(0)) wake();
    };
    beforeEach(async () => {
      heard = [];
      events = [];
      listener = await database.listen('news', (payload) => note(() => heard, payload), {
        onDisconnect: () => note(() => events, 'disconnected'),
        onReconnect: () => note(() => events, 'reconnected'),
      });
    });
    afterEach(() => listener.close());
    const say = (text: string) => database.knex.raw(`select pg_notify('news', ?)`, [text]);

    it('hears every payload in order', async () => {
      for (const text of ['one', '', 'three']) await say(text);
      await until(() => heard.length === 3);
      expect(heard).to.deep.equal(['one', '', 'three']);
      expect(events).to.deep.equal([]);
    });

    it('tells when it was deaf, and hears again afterwards, every time', async () => {
      for (const round of [1, 2]) {
        await endConnections('gatehouse-listen-news');
        await until(() => events.length === 2 * round);
        await say(`round ${round}`);
        await until(() => heard.length === round);
      }
      expect(events).to.deep.equal(['disconnected', 'reconnected', 'disconnected', 'reconnected']);
      expect(heard).to.deep.equal(['round 1', 'round 2']);
    });

    it('is silent and leaves no connection once it is closed', async () => {
      await listener.close();
      await say('too late');
      const connections = () =>
        database.knex('pg_stat_activity').where('application_name', 'gatehouse-listen-news').count({ count: '*' });
      while (Number((await connections())[0]!.count) > 0);
      expect([...heard, ...events]).to.deep.equal([]);
    });
  });
});

describe('databaseUrls', () => {
  it('takes two addresses, or one for both', () => {
    expect(databaseUrls({ databaseUrl: 'a', databaseOwnerUrl: 'b' })).to.deep.equal({ appUrl: 'a', ownerUrl: 'b' });
    expect(databaseUrls({ databaseUrl: 'a' })).to.deep.equal({ appUrl: 'a', ownerUrl: 'a' });
  });
});

describe('roleOf', () => {
  it('is the role that an address logs in as', () => {
    expect(roleOf('postgresql://gatehouse_app:x@localhost/db')).to.equal('gatehouse_app');
    expect(roleOf('postgres://a%40b@/db?host=%2Ftmp')).to.equal('a@b');
    expect(() => roleOf('nonsense')).to.throw(DatabaseUnavailable);
  });
});
