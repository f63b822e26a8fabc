import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect } from 'chai';
import { HostRefusal } from '../errors.ts';
import { openPassingRedis, type Redis } from '../redis.ts';
import { countAttempts } from './count-attempts.ts';
import { readRateLimits } from './rules/limits.ts';

type Counter = ReturnType<typeof countAttempts>;

const SETTING = 'login-address=3/60,mail-account=3/60,reset-address=off';
const attempt = (counter: Counter, key: string, name: 'login-address' | 'mail-account' = 'login-address') =>
  counter.limit(name, key).then(
    () => null,
    (error: unknown) => error,
  );

/** The same is expected wherever the attempts are counted. */
function describeCounting(open: () => Counter, limited: string[]): void {
  it('lets so many attempts through, also of those that come at once, and names the limit', async () => {
    const counter = open();
    const outcomes = await Promise.all(Array.from({ length: 10 }, () => attempt(counter, 'at-once')));
    expect(outcomes.filter((each) => each === null)).to.have.length(3);
    const refused = outcomes.find((each) => each !== null) as HostRefusal;
    expect(refused).to.be.instanceOf(HostRefusal).and.to.include({ code: 'rate-limited' });
    expect(refused.facts).to.include({ limit: 'login-address', allowed: 3, perSeconds: 60 });
    expect(refused.facts.retryAfterMs).to.be.within(1, 60_000);
    expect(limited).to.include('login-address');
  });

  it('counts everybody, and every limit, apart', async () => {
    const counter = open();
    for (let at = 0; at < 4; at++) await attempt(counter, 'apart');
    expect(await attempt(counter, 'apart')).to.be.instanceOf(HostRefusal);
    expect(await attempt(counter, 'somebody else')).to.equal(null);
    expect(await attempt(counter, 'apart', 'mail-account')).to.equal(null);
  });

  it('forgives', async () => {
    const counter = open();
    for (let at = 0; at < 4; at++) await attempt(counter, 'forgiven');
    await counter.forgive('login-address', 'forgiven');
    expect(await attempt(counter, 'forgiven')).to.equal(null);
  });

  it('counts nothing where a limit is off', async () => {
    const counter = open();
    for (let at = 0; at < 100; at++) await counter.limit('reset-address', 'anybody');
  });
}

describe('countAttempts in memory', () => {
  const limited: string[] = [];
  const open = () =>
    countAttempts({ limits: readRateLimits(SETTING), redis: null, onLimited: (name) => limited.push(name) });
  describeCounting(open, limited);

  it('counts to the end of the longest time there may be', async () => {
    const longest = countAttempts({
      limits: readRateLimits('mail-account=1/2147483'),
      redis: null,
      onLimited: () => {},
    });
    expect(await attempt(longest, 'ada', 'mail-account')).to.equal(null);
    // A timer that is too long ends after a millisecond.
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(await attempt(longest, 'ada', 'mail-account')).to.be.instanceOf(HostRefusal);
  });
});

const hasRedis = (() => {
  try {
    execFileSync('redis-server', ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
})();

(hasRedis ? describe : describe.skip)('countAttempts in Redis', () => {
  let folder: string;
  let server: ChildProcess;
  const warnings: string[] = [];
  const log = {
    debug: () => {},
    info: () => {},
    warn: (_: object, text: string) => warnings.push(text),
    error: () => {},
  };
  const connections: Redis[] = [];
  const limited: string[] = [];

  const startServer = async () => {
    const flags = ['--port', '0', '--unixsocket', path.join(folder, 'redis.sock'), '--save', '', '--dir', folder];
    server = spawn('redis-server', flags, { stdio: ['ignore', 'pipe', 'ignore'] });
    await new Promise<void>((resolve) => {
      server.stdout!.on('data', (chunk) => String(chunk).includes('eady to accept connections') && resolve());
    });
  };
  const stopServer = async () => {
    server.kill('SIGKILL');
    await once(server, 'exit');
  };
  const connect = async () => {
    const redis = await openPassingRedis(path.join(folder, 'redis.sock'), log);
    connections.push(redis);
    return redis;
  };
  const counterOn = (redis: Redis) =>
    countAttempts({ limits: readRateLimits(SETTING), redis, onLimited: (name) => limited.push(name) });
  const until = async (condition: () => boolean) => {
    while (!condition()) await new Promise((resolve) => setTimeout(resolve, 20));
  };

  let shared: Redis;
  before(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'gatehouse-limits-'));
    await startServer();
    shared = await connect();
    await once(shared, 'ready');
  });
  after(async () => {
    for (const each of connections) each.disconnect();
    await stopServer();
    await rm(folder, { recursive: true, force: true });
  });

  describeCounting(() => counterOn(shared), limited);

  it('shares the limit between hosts', async () => {
    const another = await connect();
    await once(another, 'ready');
    const hosts = [counterOn(shared), counterOn(another)];
    const outcomes = await Promise.all(Array.from({ length: 8 }, (_, at) => attempt(hosts[at % 2]!, 'roaming')));
    expect(outcomes.filter((each) => each === null)).to.have.length(3);
  });

  it('shows Redis no address', async () => {
    await attempt(counterOn(shared), '203.0.113.77');
    const keys = await shared.keys('*');
    expect(keys).to.not.be.empty;
    expect(keys.filter((key) => key.includes('203.0.113.77'))).to.deep.equal([]);
  });

  it('counts in memory while Redis is away, says so once, and shares again when it is back', async () => {
    const counter = counterOn(shared);
    await attempt(counter, 'survivor');
    await stopServer();
    await until(() => shared.status !== 'ready');
    const outcomes = [];
    for (let at = 0; at < 5; at++) outcomes.push(await attempt(counter, 'survivor'));
    // Counted anew, but counted.
    expect(outcomes.map((each) => each === null)).to.deep.equal([true, true, true, false, false]);
    await until(() => warnings.length > 0);
    await startServer();
    await until(() => shared.status === 'ready');
    expect(await attempt(counter, 'survivor')).to.equal(null);
    expect(await shared.keys('gatehouse:limit:login-address:*')).to.have.length(1);
    expect(warnings.filter((text) => text.includes('counted in memory'))).to.have.length.at.most(connections.length);
    expect(warnings).to.include('redis is back; rate limits are shared again');
  });

  it('counts in memory while Redis holds its connections and says nothing, and waits for it once', async () => {
    const redis = await connect();
    await once(redis, 'ready');
    const counter = counterOn(redis);
    server.kill('SIGSTOP');
    try {
      const outcomes = [];
      for (let at = 0; at < 5; at++) outcomes.push(await attempt(counter, 'patient'));
      expect(outcomes.map((each) => each === null)).to.deep.equal([true, true, true, false, false]);
      await until(() => redis.status !== 'ready');
    } finally {
      server.kill('SIGCONT');
    }
    await until(() => redis.status === 'ready');
    expect(await attempt(counter, 'patient')).to.equal(null);
  });
});

if (!hasRedis) {
  describe('countAttempts in Redis', () => {
    it('needs redis-server (Debian: apt-get install redis-server)', function () {
      if (process.env.CI) throw new Error('redis-server is missing; .ci/run installs it');
      this.skip();
    });
  });
}
