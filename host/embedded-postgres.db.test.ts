import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { chmod, chown, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { asOwner, connectOnce } from './database.ts';
import { canReach, installedBinaries, runnableBinaries } from './embedded-binaries.ts';
import { isAlive, refuse } from './embedded-place.ts';
import { type EmbeddedPostgres, EmbeddedPostgresFailed, startEmbeddedPostgres } from './embedded-postgres.ts';

const isRoot = process.geteuid?.() === 0;

/** What an owner of a folder holds on its server. */
const LOCK_KEYS = [0x6761, 0x7465];

describe('startEmbeddedPostgres', () => {
  let base: string;
  let running: EmbeddedPostgres[];
  let hosts: ChildProcess[];
  beforeEach(async () => {
    base = await mkdtemp(join(tmpdir(), 'gatehouse-pg-test-'));
    await chmod(base, 0o755);
    running = [];
    hosts = [];
  });
  afterEach(async () => {
    await Promise.all(running.map((server) => server.stop()));
    for (const host of hosts) host.kill('SIGKILL');
    // Their servers take a moment to notice, and write until then.
    await rm(base, { recursive: true, force: true, maxRetries: 50, retryDelay: 100 });
  });

  const start = async (folder = join(base, 'postgres'), options = {}) => {
    const server = await startEmbeddedPostgres({ folder, durable: false, ...options });
    running.push(server);
    return server;
  };
  const failure = (work: Promise<unknown>) =>
    work.then(
      () => expect.fail('it started'),
      (error) => {
        expect(error).to.be.instanceOf(EmbeddedPostgresFailed);
        return error.message as string;
      },
    );
  const rowsOf = (url: string, sql: string) => asOwner(url, async (db) => (await db.raw(sql)).rows);
  const until = async (holds: () => boolean | Promise<boolean>) => {
    const deadlineMs = Date.now() + 30_000;
    while (!(await holds())) {
      if (Date.now() > deadlineMs) expect.fail('it did not happen in time');
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  };

  /** Starts a server from a process of its own, as a host does; resolves with what it printed. */
  const startElsewhere = async (folder: string, account: { uid?: number; gid?: number } = {}) => {
    const script = `
      import { startEmbeddedPostgres } from ${JSON.stringify(new URL('./embedded-postgres.ts', import.meta.url).href)};
      try {
        const { pid, ownerUrl } = await startEmbeddedPostgres({ folder: ${JSON.stringify(folder)} });
        console.log(JSON.stringify({ pid, ownerUrl }));
      } catch (error) {
        console.log(JSON.stringify({ name: error.name, message: error.message }));
      }
      setInterval(() => {}, 1_000);`;
    const host = spawn(process.execPath, ['--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
      ...account,
    });
    hosts.push(host);
    const line = await new Promise<string>((resolve) => host.stdout!.setEncoding('utf8').once('data', resolve));
    return { host, ...(JSON.parse(line) as { pid: number; ownerUrl: string; message?: string }) };
  };

  it('serves a database with an owner and an application role that owns nothing', async () => {
    const server = await start();
    const [owner] = await rowsOf(server.ownerUrl, 'select current_user, current_database(), version()');
    expect(owner).to.include({ current_user: 'gatehouse_owner', current_database: 'gatehouse' });
    const [app] = await rowsOf(
      server.appUrl,
      `select rolname, rolsuper, rolbypassrls, rolcreatedb, rolcreaterole,
        has_schema_privilege('public', 'create') as creates, has_database_privilege(current_database(), 'temporary') as temporary
       from pg_roles where rolname = current_user`,
    );
    expect(app).to.deep.equal({
      rolname: 'gatehouse_app',
      rolsuper: false,
      rolbypassrls: false,
      rolcreatedb: false,
      rolcreaterole: false,
      creates: false,
      temporary: false,
    });
  });

  it('listens on no network address, and on a socket that no other account can reach', async () => {
    const server = await start();
    const [{ tcp }] = await rowsOf(server.ownerUrl, `select current_setting('listen_addresses') as tcp`);
    expect(tcp).to.equal('');
    const socketFolder = join(base, 'postgres', 'socket');
    expect(await readdir(socketFolder)).to.include('.s.PGSQL.5432');
    expect(statSync(socketFolder).mode & 0o777).to.equal(0o700);
  });

  it('keeps every promise of durability unless told that the rows may be lost', async () => {
    const server = await start(join(base, 'durable'), { durable: true });
    const [settings] = await rowsOf(
      server.ownerUrl,
      `select current_setting('fsync') as fsync, current_setting('synchronous_commit') as commit,
        current_setting('full_page_writes') as pages`,
    );
    expect(settings).to.deep.equal({ fsync: 'on', commit: 'on', pages: 'on' });
  });

  it('keeps rows over a stop and a start, and leaves no process behind', async () => {
    const first = await start();
    await rowsOf(first.ownerUrl, 'create table kept as select 42 as answer');
    await Promise.all([first.stop(), first.stop()]);
    expect(isAlive(first.pid)).to.equal(false);
    const second = await start();
    expect(await rowsOf(second.ownerUrl, 'select answer from kept')).to.deep.equal([{ answer: 42 }]);
  });

  it('refuses a folder that another Gatehouse uses, and names its process', async () => {
    const folder = join(base, 'postgres');
    const other = await startElsewhere(folder);
    const message = await failure(start(folder));
    expect(message).to.equal(`Another Gatehouse (pid ${other.host.pid}) is using ${folder}; stop it or pass --data.`);
    expect(await rowsOf(other.ownerUrl, 'select 1 as alive')).to.deep.equal([{ alive: 1 }]);
  });

  it('lets exactly one of several that start at once have the folder', async () => {
    const folder = join(base, 'postgres');
    const outcomes = await Promise.all([1, 2, 3, 4].map(() => startElsewhere(folder)));
    const winners = outcomes.filter(({ message }) => message === undefined);
    expect(winners).to.have.length(1);
    for (const { message } of outcomes)
      if (message) expect(message).to.contain(`pid ${winners[0]!.host.pid}) is using`);
    expect(await rowsOf(winners[0]!.ownerUrl, 'select 1 as alive')).to.deep.equal([{ alive: 1 }]);
  });

  it('waits while a rival clears up a server that nobody owns, and does not call it the owner', async () => {
    const folder = join(base, 'postgres');
    const killed = await startElsewhere(folder);
    killWatchdogOf(killed.pid);
    killed.host.kill('SIGKILL');
    const url = killed.ownerUrl.replace('gatehouse_owner@', 'postgres@').replace('/gatehouse?', '/postgres?');
    const rival = await connectOnce(url, 'gatehouse-clearing');
    await until(async () => (await rival.query('select pg_try_advisory_lock($1, $2) as ours', LOCK_KEYS)).rows[0].ours);
    const next = start(folder);
    const first = await Promise.race([next, new Promise((resolve) => setTimeout(() => resolve('waits'), 3_000))]);
    await rival.end();
    expect(first).to.equal('waits');
    expect(await rowsOf((await next).ownerUrl, 'select 1 as alive')).to.deep.equal([{ alive: 1 }]);
  });

  it('ends soon after its host was killed, and gives what was committed to the next one', async () => {
    const folder = join(base, 'postgres');
    const killed = await startElsewhere(folder);
    await rowsOf(killed.ownerUrl, 'create table kept as select 42 as answer');
    killed.host.kill('SIGKILL');
    await until(() => !isAlive(killed.pid));
    const next = await start(folder);
    expect(await rowsOf(next.ownerUrl, 'select answer from kept')).to.deep.equal([{ answer: 42 }]);
  });

  it('takes the folder over at once from a host that was killed, while its server still runs', async () => {
    const folder = join(base, 'postgres');
    const killed = await startElsewhere(folder);
    await rowsOf(killed.ownerUrl, 'create table kept as select 42 as answer');
    killWatchdogOf(killed.pid);
    killed.host.kill('SIGKILL');
    await until(() => killed.host.signalCode !== null);
    expect(isAlive(killed.pid)).to.equal(true);
    const warnings: string[] = [];
    const log = { info: () => {}, warn: (_: object, message: string) => warnings.push(message) };
    const next = await start(folder, { log });
    await until(() => !isAlive(killed.pid));
    expect(warnings).to.deep.equal(['shutting down a PostgreSQL that an earlier Gatehouse left behind']);
    expect(await rowsOf(next.ownerUrl, 'select answer from kept')).to.deep.equal([{ answer: 42 }]);
  });

  it('tells its host when the server dies, and recovers what was committed', async () => {
    const deaths: string[] = [];
    const folder = join(base, 'postgres');
    const server = await start(folder, { durable: true, onDeath: (message: string) => deaths.push(message) });
    await rowsOf(server.ownerUrl, 'create table kept as select 42 as answer');
    process.kill(server.pid, 'SIGKILL');
    await until(() => deaths.length > 0);
    expect(deaths[0]).to.contain('SIGKILL');
    const next = await start(folder, { durable: true });
    expect(await rowsOf(next.ownerUrl, 'select answer from kept')).to.deep.equal([{ answer: 42 }]);
  });

  it('does not take a foreign process for a server because of its number', async () => {
    const folder = join(base, 'postgres');
    await (await start(folder)).stop();
    const stranger = spawn('sleep', ['60']);
    hosts.push(stranger);
    const lines = [stranger.pid, join(folder, 'pgdata'), 0, 5432, join(folder, 'socket'), '', '', 'ready'];
    await writeFile(join(folder, 'pgdata', 'postmaster.pid'), `${lines.join('\n')}\n`);
    const next = await start(folder);
    expect(await rowsOf(next.ownerUrl, 'select 1 as alive')).to.deep.equal([{ alive: 1 }]);
    expect(isAlive(stranger.pid!)).to.equal(true);
  });

  it('starts from nothing where an earlier initialisation was interrupted', async () => {
    const folder = join(base, 'postgres');
    const dead = spawn('true');
    await new Promise((resolve) => dead.once('exit', resolve));
    await mkdir(join(folder, `initialising-${dead.pid}`, 'base'), { recursive: true });
    await chmod(folder, 0o755);
    await start(folder);
    expect((await readdir(folder)).filter((name) => name.startsWith('initialising'))).to.deep.equal([]);
  });

  it('puts its socket elsewhere where the path of the folder is too long for one, and removes it', async () => {
    const folder = join(base, 'a'.repeat(60), 'b'.repeat(60), 'postgres');
    const server = await start(folder);
    const socketFolder = new URL(server.ownerUrl.replace('@/', '@host/')).searchParams.get('host')!;
    expect(socketFolder.length).to.be.lessThan(88);
    expect(statSync(socketFolder).mode & 0o777).to.equal(0o700);
    expect(await rowsOf(server.ownerUrl, 'select 1 as alive')).to.deep.equal([{ alive: 1 }]);
    await server.stop();
    expect(existsSync(socketFolder)).to.equal(false);
  });

  it('says in one sentence what is wrong with a folder', async () => {
    const file = join(base, 'file');
    await writeFile(file, '');
    expect(await failure(start(file))).to.match(/^PostgreSQL cannot use .*file.*\.$/);
    expect(await failure(start(join(file, 'below')))).to.match(/^PostgreSQL cannot use .*\.$/);
    const broken = join(base, 'broken');
    await (await start(broken)).stop();
    await rm(join(broken, 'pgdata', 'global'), { recursive: true });
    expect(await failure(start(broken))).to.match(/^PostgreSQL cannot use .*broken: .*\.$/);
    expect(() => refuse(new Error('x: No space left on device'), '/data')).to.throw(/disk that holds \/data is full/);
  });

  it('says which platforms have no embedded server', () => {
    expect(() => installedBinaries('sunos-sparc')).to.throw(/no embedded PostgreSQL for sunos-sparc.*DATABASE_URL/);
  });

  describe('as root', () => {
    before(function () {
      if (!isRoot) this.skip();
    });

    it('runs under an account of its own, that is not the one of cordons', async () => {
      const server = await start();
      expect(statSync(`/proc/${server.pid}`).uid).to.equal(65_533);
      const environment = readFileSync(`/proc/${server.pid}/environ`, 'utf8').split('\0').filter(Boolean);
      expect(environment.map((each) => each.split('=')[0]).sort()).to.include.members(['LC_ALL', 'PATH', 'TZ']);
      expect(environment.join(' ')).not.to.contain('HOME=');
    });

    it('works below a folder that only root can enter, and keeps the data there', async () => {
      await chmod(base, 0o700);
      const folder = join(base, 'postgres');
      const first = await start(folder, { durable: true });
      await rowsOf(first.ownerUrl, 'create table kept as select 42 as answer');
      await rowsOf(first.ownerUrl, 'checkpoint').catch(() => {});
      await first.stop();
      expect(existsSync(join(folder, 'pgdata', 'PG_VERSION'))).to.equal(true);
      const second = await start(folder, { durable: true });
      expect(await rowsOf(second.ownerUrl, 'select answer from kept')).to.deep.equal([{ answer: 42 }]);
      process.kill(second.pid, 'SIGKILL');
      await until(() => !isAlive(second.pid));
      const third = await start(folder, { durable: true });
      expect(await rowsOf(third.ownerUrl, 'select answer from kept')).to.deep.equal([{ answer: 42 }]);
    });

    /** Below a folder that only root can enter, no other account can run this code at all. */
    const ordinary = { uid: 65_534, gid: 65_534 };
    const ordinaryCanRun = () => [process.execPath, import.meta.filename].every((file) => canReach(file, ordinary));

    it('starts the data of an ordinary account as that account', async function () {
      if (!ordinaryCanRun()) return this.skip();
      const folder = join(base, 'own');
      await mkdir(folder);
      await chown(folder, 65_534, 65_534);
      const theirs = await startElsewhere(folder, ordinary);
      expect(theirs.message).to.equal(undefined);
      theirs.host.kill('SIGKILL');
      const server = await start(folder);
      expect(statSync(`/proc/${server.pid}`).uid).to.equal(65_534);
    });

    it('refuses an ordinary account the data that root has made', async function () {
      if (!ordinaryCanRun()) return this.skip();
      const folder = join(base, 'postgres');
      await (await start(folder)).stop();
      const { message } = await startElsewhere(folder, ordinary);
      expect(message).to.match(/pgdata belongs to account 65533; start Gatehouse as that account or as root/);
    });

    it('fits what the disk has room for into one sentence', async function () {
      const small = join(base, 'small');
      await mkdir(small);
      try {
        execFileSync('/bin/mount', ['-t', 'tmpfs', '-o', 'size=16m,mode=755', 'tmpfs', small], { stdio: 'ignore' });
      } catch {
        // Not every container may mount.
        return this.skip();
      }
      try {
        expect(await failure(start(join(small, 'postgres')))).to.contain(`disk that holds ${small}/postgres is full`);
      } finally {
        execFileSync('/bin/umount', [small]);
      }
    });
  });
});

describe('runnableBinaries', () => {
  let base: string;
  before(async () => {
    base = await mkdtemp(join(tmpdir(), 'gatehouse-binaries-test-'));
    await chmod(base, 0o755);
  });
  after(() => rm(base, { recursive: true, force: true }));
  const account = { uid: 65_533, gid: 65_533 };

  /** A package as npm unpacks it: without its links. */
  async function closedPackage(): Promise<string> {
    const native = join(base, 'closed', 'package', 'native');
    if (existsSync(native)) return native;
    await mkdir(join(native, 'bin'), { recursive: true });
    await mkdir(join(native, 'lib'));
    await writeFile(join(native, '..', 'package.json'), '{"version":"1.2.3"}');
    await writeFile(join(native, 'bin', 'postgres'), 'binary', { mode: 0o755 });
    await writeFile(join(native, 'lib', 'libx.so.1.0'), 'library');
    await writeFile(join(native, 'lib', 'libx.a'), 'archive');
    const links = [{ source: 'native/lib/libx.so.1.0', target: 'native/lib/libx.so.1' }];
    await writeFile(join(native, 'pg-symlinks.json'), JSON.stringify(links));
    await chmod(join(base, 'closed'), 0o700);
    return native;
  }

  it('makes the links that npm cannot unpack', async () => {
    const native = await closedPackage();
    expect(await runnableBinaries(native, null, base)).to.equal(native);
    expect(await readFile(join(native, 'lib', 'libx.so.1'), 'utf8')).to.equal('library');
  });

  it('copies them once to where an account can enter, and again where files have gone missing', async () => {
    const native = await closedPackage();
    expect(canReach(join(native, 'bin', 'postgres'), account)).to.equal(false);
    const copies = await Promise.all([1, 2, 3].map(() => runnableBinaries(native, account, base)));
    expect(new Set(copies).size).to.equal(1);
    const copy = copies[0]!;
    expect(canReach(join(copy, 'bin', 'postgres'), account)).to.equal(true);
    expect(readdirSync(join(copy, 'lib')).sort()).to.deep.equal(['libx.so.1', 'libx.so.1.0']);
    const made = statSync(copy).ino;
    await runnableBinaries(native, account, base);
    expect(statSync(copy).ino).to.equal(made);
    await rm(join(copy, 'lib', 'libx.so.1.0'));
    await runnableBinaries(native, account, base);
    expect(await readFile(join(copy, 'lib', 'libx.so.1'), 'utf8')).to.equal('library');
    expect(readdirSync(base).sort()).to.deep.equal(['closed', copy.slice(base.length + 1)].sort());
  });

  it('never runs a copy that others may write to', async () => {
    const native = await closedPackage();
    const copy = await runnableBinaries(native, account, base);
    await chmod(copy, 0o777);
    const error = await runnableBinaries(native, account, base).catch((reason) => reason);
    expect(error).to.be.instanceOf(EmbeddedPostgresFailed);
    expect(error.message).to.contain('remove it and start again');
    await chmod(copy, 0o755);
  });
});

/** Only where a watchdog was killed too does a server outlive its host for long. */
function killWatchdogOf(serverPid: number): void {
  for (const name of readdirSync('/proc').filter((each) => /^\d+$/.test(each))) {
    let words: string[] = [];
    try {
      words = readFileSync(`/proc/${name}/cmdline`, 'utf8').split('\0');
    } catch {
      continue;
    }
    if (words.includes('gatehouse-postgres-watchdog') && words.includes(`${serverPid}`))
      process.kill(Number(name), 'SIGKILL');
  }
}
