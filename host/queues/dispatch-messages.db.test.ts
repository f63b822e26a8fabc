import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect } from 'chai';
import { type TestDatabase, testDatabase } from '../../migrations/test-database.ts';
import { openRedis, type Redis, RedisUnavailable } from '../redis.ts';
import type { Dispatcher, Verdict } from './contract.ts';
import { type DispatcherPorts, openDispatcher } from './dispatch-messages.ts';

const silent = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
const ENDED: Verdict = { next: 'ended' };

/** The same behaviour is expected of every backend. */
function describeDispatcher(name: string, backend: () => Promise<DispatcherPorts['on']>): void {
  describe(`openDispatcher on ${name}`, () => {
    const open: Dispatcher[] = [];
    afterEach(async () => {
      for (const dispatcher of open.splice(0)) await dispatcher.close();
    });
    const host = async (changes: Partial<DispatcherPorts> = {}) => {
      const on = await backend();
      const dispatcher = await openDispatcher({
        on,
        concurrency: 4,
        drainMs: 1_000,
        lockMs: 30_000,
        log: silent,
        ...changes,
      });
      open.push(dispatcher);
      return dispatcher;
    };
    /** Resolves with the ids that were handed out, in order, when there are so many. */
    const collect = (count: number) => {
      const seen: string[] = [];
      let enough = () => {};
      const all = new Promise<string[]>((resolve) => {
        enough = () => resolve(seen);
      });
      const see = (id: string) => {
        seen.push(id);
        if (seen.length === count) enough();
      };
      return { see, all };
    };
    let made = 0;
    const id = () => {
      made += 1;
      return `${name}-${made}`;
    };

    it('hands out every message to one of many hosts, once', async () => {
      const hosts = await Promise.all([host(), host(), host()]);
      const ids = Array.from({ length: 30 }, id);
      const { see, all } = collect(ids.length);
      for (const each of ids) await hosts[0]!.dispatch({ id: each, delayMs: 0, rank: 0 });
      for (const each of hosts) {
        each.start(async (message) => {
          see(message);
          return ENDED;
        });
      }
      expect((await all).toSorted()).to.deep.equal(ids.toSorted());
    });

    it('ignores a message that is there already, and takes it again when it is over', async () => {
      const dispatcher = await host();
      const [twice, last] = [id(), id()];
      for (const each of [twice, twice, twice, last]) await dispatcher.dispatch({ id: each, delayMs: 0, rank: 0 });
      const { see, all } = collect(2);
      const third = collect(3);
      dispatcher.start(async (message) => {
        see(message);
        third.see(message);
        return ENDED;
      });
      expect((await all).toSorted()).to.deep.equal([twice, last].toSorted());
      // It is over a moment after its run has ended.
      const asking = setInterval(
        () => void dispatcher.dispatch({ id: twice, delayMs: 0, rank: 0 }).catch(() => {}),
        50,
      );
      const seen = await third.all;
      clearInterval(asking);
      expect(seen.at(-1)).to.equal(twice);
    });

    it('waits for a delay, and hands out again what is not finished', async () => {
      const dispatcher = await host();
      const [delayed, failing, prompt] = [id(), id(), id()];
      const { see, all } = collect(5);
      await dispatcher.dispatch({ id: delayed, delayMs: 3_000, rank: 0 });
      await dispatcher.dispatch({ id: failing, delayMs: 0, rank: 0 });
      await dispatcher.dispatch({ id: prompt, delayMs: 0, rank: 0 });
      let attempts = 0;
      dispatcher.start(async (message) => {
        see(message);
        if (message !== failing) return ENDED;
        attempts += 1;
        return attempts < 3 ? { next: 'again', delayMs: 50 } : ENDED;
      });
      const seen = await all;
      expect(seen.filter((each) => each === failing)).to.have.length(3);
      expect(seen.indexOf(prompt)).to.be.lessThan(seen.indexOf(delayed));
    });

    it('gives what a host had that is gone to another one', async () => {
      const first = await host({ drainMs: 0, lockMs: 1_000 });
      const message = id();
      await first.dispatch({ id: message, delayMs: 0, rank: 0 });
      await new Promise<void>((resolve) => {
        first.start(() => {
          resolve();
          return new Promise(() => {});
        });
      });
      await first.close();
      open.splice(open.indexOf(first), 1);
      const { see, all } = collect(1);
      (await host({ lockMs: 1_000 })).start(async (each) => {
        see(each);
        return ENDED;
      });
      expect(await all).to.deep.equal([message]);
    });

    it('lets an installation with few messages overtake one with many', async () => {
      const dispatcher = await host();
      const many = Array.from({ length: 20 }, id);
      const few = id();
      for (const [rank, each] of many.entries()) await dispatcher.dispatch({ id: each, delayMs: 0, rank });
      await dispatcher.dispatch({ id: few, delayMs: 0, rank: 0 });
      const { see, all } = collect(21);
      dispatcher.start(async (message) => {
        see(message);
        return ENDED;
      });
      expect((await all).indexOf(few)).to.be.lessThan(10);
    });
  });
}

describe('openDispatcher', () => {
  let database: TestDatabase;
  before(async () => {
    database = await testDatabase();
  });
  after(() => database.close());
  describeDispatcher('PostgreSQL', async () => ({ appUrl: database.appUrl }));
});

describe('openRedis', () => {
  it('says in one sentence, without the address, that nobody answers', async () => {
    const error = await openRedis('redis://:password@127.0.0.1:1', silent).catch((thrown) => thrown);
    expect(error).to.be.instanceOf(RedisUnavailable);
    expect(error.message).to.include('REDIS_URL').and.not.include('password');
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

(hasRedis ? describe : describe.skip)('openDispatcher', () => {
  let server: ChildProcess;
  let folder = '';
  before(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'gatehouse-redis-'));
    const flags = ['--port', '0', '--unixsocket', path.join(folder, 'redis.sock'), '--save', '', '--dir', folder];
    server = spawn('redis-server', flags, { stdio: ['ignore', 'pipe', 'ignore'] });
    await new Promise<void>((resolve) => {
      server.stdout!.on('data', (chunk) => String(chunk).includes('eady to accept connections') && resolve());
    });
  });
  const opened: Redis[] = [];
  describeDispatcher('Redis', async () => {
    const redis = await openRedis(path.join(folder, 'redis.sock'), silent);
    opened.push(redis);
    return { redis };
  });
  after(async () => {
    for (const redis of opened) redis.disconnect();
    const ended = once(server, 'exit');
    server.kill();
    await ended;
    await rm(folder, { recursive: true, force: true });
  });
});

if (!hasRedis) {
  describe('openDispatcher on Redis', () => {
    it('needs redis-server (Debian: apt-get install redis-server)', function () {
      // Where nobody is looking, a test that is left out looks like one that passed. `process.env.CI` is set by .ci/run.
      if (process.env.CI) throw new Error('redis-server is missing; .ci/run installs it');
      this.skip();
    });
  });
}
