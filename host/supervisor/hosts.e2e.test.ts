import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { get } from 'node:http';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { expect } from 'chai';
import { startTestPlatform, type TestPlatform } from '../e2e/test-platform.ts';

const PROGRAM = path.join(import.meta.dirname, '..', '..', 'bin', 'gatehouse.ts');
const CALLERS = 8;

const SOURCE = `import { definePlugin } from '@gatehouse/plugin-sdk';
export default definePlugin({ routes: { 'GET /echo/:text': (_request, { params }) => Response.json({ said: params.text }) } });`;

interface Line {
  msg: string;
  url?: string;
  pid?: number;
  number?: number;
}

/** What the supervisor has said in its log, line by line. */
class SupervisorLog {
  readonly lines: Line[] = [];
  readonly #waiting = new Set<() => void>();

  constructor(child: ChildProcess) {
    createInterface({ input: child.stderr! }).on('line', (line) => {
      if (!line.startsWith('{')) return;
      this.lines.push(JSON.parse(line));
      for (const look of this.#waiting) look();
    });
  }

  /** Resolves with the line number `count` that says `msg`. */
  saying(msg: string, count = 1): Promise<Line> {
    return new Promise((resolve) => {
      const look = () => {
        const found = this.lines.filter((line) => line.msg === msg)[count - 1];
        if (!found) return;
        this.#waiting.delete(look);
        resolve(found);
      };
      this.#waiting.add(look);
      look();
    });
  }
}

describe('gatehouse serve --hosts', () => {
  let platform: TestPlatform;
  let folder: string;
  let settings: Record<string, string>;
  const children: ChildProcess[] = [];
  let isOver = false;

  before(async () => {
    platform = await startTestPlatform();
    await platform.install(
      { source: SOURCE, manifest: { routes: [{ method: 'GET', path: '/echo/:text', access: 'public' }] } },
      { slug: 'echo' },
    );
    folder = await mkdtemp(path.join(tmpdir(), 'gatehouse-hosts-'));
    const keyOf = async (name: string) => (await readFile(path.join(platform.folder, name), 'utf8')).trim();
    settings = {
      DATABASE_URL: platform.database.appUrl,
      DATABASE_OWNER_URL: platform.database.ownerUrl,
      GATEHOUSE_ENCRYPTION_KEY: await keyOf('encryption-key'),
      GATEHOUSE_PASSWORD_PEPPER: await keyOf('password-pepper'),
      GATEHOUSE_DATA: platform.folder,
      GATEHOUSE_CORDONS: '1',
      GATEHOUSE_SHED_DELAY_MS: '0',
    };
  });
  after(async () => {
    isOver = true;
    for (const child of children) {
      if (child.exitCode !== null || child.signalCode !== null) continue;
      child.kill('SIGTERM');
      await once(child, 'exit');
    }
    await platform.close();
    await rm(folder, { recursive: true, force: true });
  });

  const start = (args: string[], env = settings) => {
    const child = spawn(process.execPath, [PROGRAM, 'serve', ...args], {
      env: { PATH: process.env.PATH, ...env },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    children.push(child);
    return child;
  };
  const metricsOf = async (url: string): Promise<string> => {
    const headers = { authorization: `Bearer ${platform.credentials.admin}` };
    return (await fetch(`${url}/metrics`, { headers })).text();
  };

  it('answers on while a host is killed and replaced: only what that host was answering is lost', async function () {
    this.timeout(180_000);
    const supervisor = start(['--hosts', '2', '--port', '0']);
    const log = new SupervisorLog(supervisor);
    const url = (await log.saying('ready')).url!;
    const ready = await (await fetch(`${url}/readyz`)).json();
    expect(ready).to.deep.include({ ready: true }).and.have.nested.property('checks.hosts.ok', true);

    const lost: string[] = [];
    const ended = Array.from({ length: CALLERS }, () => 0);
    const wrong: string[] = [];
    let answered = 0;
    const callers = Array.from({ length: CALLERS }, async (_, caller) => {
      for (let at = 0; !isOver; at += 1) {
        const text = `${caller}-${at}`;
        try {
          const response = await fetch(`${url}/run/arcade-one/echo/echo/${text}`);
          const body = await response.text();
          if (response.status === 200 && body === JSON.stringify({ said: text })) answered += 1;
          else wrong.push(`${response.status} ${body}`);
        } catch (error) {
          lost.push(String((error as Error).cause ?? error));
        }
        ended[caller]! += 1;
      }
    });
    const answeredMore = async (count: number) => {
      const goal = answered + count;
      while (answered < goal) {
        expect(wrong).to.deep.equal([]);
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
    };
    const allGoOn = async () => {
      const before = [...ended];
      while (ended.some((count, caller) => count === before[caller]))
        await new Promise((resolve) => setTimeout(resolve, 10));
    };
    await answeredMore(100);
    const served = /^gatehouse_http_request_seconds_count\{host="(\d)".*"\/run/gm;
    let before = await metricsOf(url);
    const hostsThatServed = () => new Set([...before.matchAll(served)].map(([, host]) => host));
    // Connections go to whichever host takes them first, and stay there; some new ones go to the other in the end.
    for (let more = 1; hostsThatServed().size < 2 && more < 20; more++) {
      const headers = { connection: 'close' };
      await Promise.all(Array.from({ length: more }, () => fetch(`${url}/run/arcade-one/echo/echo/new`, { headers })));
      before = await metricsOf(url);
    }
    expect(hostsThatServed(), before).to.deep.equal(new Set(['1', '2']));
    const pids = pidsOf(before);

    process.kill(pids.get('2')!, 'SIGKILL');
    await log.saying('a host has ended and is started again');
    await answeredMore(100);
    expect((await log.saying('a host is back')).number).to.equal(2);
    await allGoOn();
    // A caller that comes again at once may be given to the dead host before it is known to be dead, and to none later.
    expect(lost.length, lost.join()).to.be.at.most(2 * CALLERS);
    const after = await metricsOf(url);
    expect(after).to.match(/^gatehouse_host_restarts_total\{host="2"\} 1$/m);
    expect(after).to.match(/^gatehouse_host_restarts_total\{host="1"\} 0$/m);
    expect(pidsOf(after).get('1')).to.equal(pids.get('1'));

    // New processes in the place of both, and nobody notices.
    const lostBefore = lost.length;
    supervisor.kill('SIGHUP');
    await log.saying('a host was replaced', 2);
    await answeredMore(100);
    expect(lost.slice(lostBefore)).to.deep.equal([]);
    const fresh = pidsOf(await metricsOf(url));
    expect([...fresh.values()].filter((pid) => [...pids.values()].includes(pid))).to.deep.equal([]);

    isOver = true;
    await Promise.all(callers);
    expect(wrong).to.deep.equal([]);
    supervisor.kill('SIGTERM');
    expect((await once(supervisor, 'exit'))[0]).to.equal(0);
    for (const pid of fresh.values()) expect(() => process.kill(pid, 0), `${pid} lives`).to.throw('ESRCH');
  });

  it('ends a connection that was handed to a host which dies before it takes it', async () => {
    const supervisor = start(['--hosts', '2', '--port', '0']);
    const log = new SupervisorLog(supervisor);
    const url = (await log.saying('ready')).url!;
    const stopped = pidsOf(await metricsOf(url)).get('2')!;
    process.kill(stopped, 'SIGSTOP');
    // One of them waits for the host that stands still, and that one gets no more.
    let settled = 0;
    const call = async () => {
      try {
        const [response] = await once(get(`${url}/run/arcade-one/echo/echo/new`, { agent: false }), 'response');
        return response.resume().statusCode;
      } catch (error) {
        return (error as NodeJS.ErrnoException).code;
      } finally {
        settled += 1;
      }
    };
    const calls = Array.from({ length: 6 }, call);
    while (settled < calls.length - 1) await new Promise((resolve) => setTimeout(resolve, 10));
    process.kill(stopped, 'SIGKILL');
    expect((await Promise.all(calls)).toSorted()).to.deep.equal([200, 200, 200, 200, 200, 'ECONNRESET']);
    supervisor.kill('SIGTERM');
    await once(supervisor, 'exit');
  });

  it('says once what keeps hosts from starting, and leaves none behind', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as { port: number };
    const child = start(['--hosts', '2', '--port', `${port}`]);
    let said = '';
    child.stderr!.setEncoding('utf8').on('data', (text: string) => {
      said += text;
    });
    const [code] = await once(child, 'close');
    server.close();
    expect(code, said).to.equal(1);
    expect(said.match(/is taken by another program/g), said).to.have.length(1);
    expect(said).to.not.match(/^\s+at /m);
  });

  it('ends its hosts when it is killed itself', async () => {
    const supervisor = start(['--hosts', '2', '--port', '0']);
    const log = new SupervisorLog(supervisor);
    const url = (await log.saying('ready')).url!;
    const pids = pidsOf(await metricsOf(url));
    supervisor.kill('SIGKILL');
    await once(supervisor, 'exit');
    for (const pid of pids.values()) {
      while (isAlive(pid)) await new Promise((resolve) => setTimeout(resolve, 20));
    }
    expect(await fetch(url).catch(() => 'refused')).to.equal('refused');
  });

  it('wants to be told which database, and how many hosts', async () => {
    const { DATABASE_URL: _, ...without } = settings;
    for (const [args, env, pattern] of [
      [[], without, /DATABASE_URL, or --embedded/],
      [['--embedded'], settings, /leave one of them out/],
      [['--hosts', '0'], settings, /GATEHOUSE_HOSTS must be >= 1/],
    ] as const) {
      const child = start([...args], env as Record<string, string>);
      const [text] = await once(child.stderr!.setEncoding('utf8'), 'data');
      expect(text).to.match(pattern);
      expect(child.exitCode ?? (await once(child, 'exit'))[0]).to.equal(1);
    }
  });
});

/** Process ids by host. */
const pidsOf = (metrics: string): Map<string, number> =>
  new Map(
    [...metrics.matchAll(/^gatehouse_host_pid\{host="(\d+)"\} (\d+)$/gm)].map(([, host, pid]) => [host!, Number(pid)]),
  );

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
