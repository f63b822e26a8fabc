import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';
import { expect } from 'chai';
import type { Conduct } from '../conduct/contract.ts';
import type { Installation } from '../installations/contract.ts';
import { callerRoutes, startTestPlatform, type TestPlatform } from './test-platform.ts';

/** `GET /breaks` is one built-in call that V8 cannot interrupt. */
const SOURCE = `
import { definePlugin } from '@gatehouse/plugin-sdk';
export default definePlugin({
  routes: {
    'GET /fine': () => ({ ok: true }),
    'GET /waits': async () => {
      await new Promise((resolve) => setTimeout(resolve, 200));
      return { ok: true };
    },
    'GET /waits-long': async () => {
      await new Promise((resolve) => setTimeout(resolve, 3_000));
      return { ok: true };
    },
    'GET /breaks': () => Array.prototype.includes.call({ length: 2 ** 53 - 1 }, 1),
  },
  hooks: { 'order.paid': () => ({ ok: true }) },
});
`;
const DEADLINE_MS = 50_000;
const GATE = path.resolve(import.meta.dirname, '../../bin/gate.ts');
const ORDER = { orderId: 'o-1', lines: [] };

/** And not those about the tokens and keys that the test has made. */
const aboutInstallations = (kind: string) => kind !== 'security-alert';

/** In order: each test stands on what the one before has done. */
describe('an installation that breaks its sandbox process', () => {
  let platform: TestPlatform;
  let hostile: Installation;
  let neighbour: Installation;
  /** Answers to the neighbour, over all tests. */
  const neighbourly: number[] = [];
  before(async () => {
    const strikes = { GATEHOUSE_STRIKES_SOLITARY: '2', GATEHOUSE_STRIKES_SUSPEND: '4' };
    platform = await startTestPlatform({ GATEHOUSE_CORDONS: '1', ...strikes });
    const manifest = {
      ...callerRoutes('GET /fine', 'GET /waits', 'GET /waits-long', 'GET /breaks'),
      hooks: ['order.paid' as const],
    };
    const strict = { ...manifest, limits: { cpuMs: 50 } };
    hostile = await platform.install({ source: SOURCE, manifest: strict }, { slug: 'hostile' });
    neighbour = await platform.install({ source: SOURCE, manifest }, { slug: 'neighbour' });
  });
  after(() => platform.close());

  const conductOf = async ({ id }: Installation): Promise<Conduct> =>
    (await platform.as.operator.findInstallation(id)).conduct;
  async function until<Value>(look: () => Promise<Value>, done: (value: Value) => boolean): Promise<Value> {
    for (const endMs = Date.now() + DEADLINE_MS; ; ) {
      const value = await look();
      if (done(value)) return value;
      if (Date.now() > endMs) throw new Error(`not reached: ${JSON.stringify(value)}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
  const askNeighbour = async (target = '/fine') => {
    neighbourly.push((await platform.call(neighbour, target)).status);
  };
  /** Breaks once, with calls of the neighbour that wait meanwhile; resolves when the strikes are written. */
  const breakTo = async (strikes: number): Promise<Conduct> => {
    const waiting = Array.from({ length: 5 }, () => askNeighbour('/waits'));
    const conduct = await until(
      async () => {
        const problem = (await (await platform.call(hostile, '/breaks')).json()) as { code: string };
        // A machine that is too busy to have given the turn its time blames nobody, and runs it again.
        if (problem.code === 'sandbox-interrupted') return conductOf(hostile);
        expect(problem).to.include({ code: 'cpu-limit', limit: 'cpuMs', allowed: 50 });
        return until(
          () => conductOf(hostile),
          (found) => found.strikes === strikes,
        );
      },
      (found) => found.strikes === strikes,
    );
    await Promise.all(waiting);
    return conduct;
  };
  const cordons = () => platform.host.sandbox.status().cordons;
  const solitary = () => cordons().filter(({ kind }) => kind === 'solitary');
  const metric = async (name: string) => {
    const authorization = `Bearer ${platform.credentials.admin}`;
    const text = await (await fetch(`${platform.host.url}/metrics`, { headers: { authorization } })).text();
    return Number(new RegExp(`^${name} (\\d+)$`, 'm').exec(text)?.[1]);
  };
  const gate = async (token: string, ...args: string[]): Promise<string> => {
    const env = { PATH: process.env.PATH, GATEHOUSE_URL: platform.host.url, GATEHOUSE_TOKEN: token, HOME: '/nowhere' };
    return (await promisify(execFile)(process.execPath, [GATE, ...args], { env })).stdout;
  };

  it('is struck, and the innocent that ran in the same process is not', async () => {
    await askNeighbour();
    const conduct = await breakTo(1);
    expect(conduct).to.include({ strikes: 1, solitarySince: null, suspendedAt: null });
    expect(conduct.score).to.be.within(0.9, 1);
    expect(await conductOf(neighbour)).to.include({ score: 0, strikes: 0 });
    expect(platform.host.sandbox.status().cordonDeaths).to.be.at.least(1);
  });

  it('is not struck for a process that was killed from outside while it ran', async () => {
    const deaths = platform.host.sandbox.status().cordonDeaths;
    const calls = [hostile, neighbour].map((installation) => platform.call(installation, '/waits-long'));
    await until(
      async () => cordons().reduce((sum, { running }) => sum + running, 0),
      (running) => running >= 2,
    );
    for (const { pid } of cordons()) process.kill(pid, 'SIGKILL');
    for (const { status } of await Promise.all(calls)) expect(status).to.equal(200);
    expect(platform.host.sandbox.status().cordonDeaths).to.be.greaterThan(deaths);
    // Strikes are written in order: when the next one is there, one for the kill would be too.
    expect(await breakTo(2)).to.include({ strikes: 2 });
    expect(await conductOf(neighbour)).to.include({ strikes: 0 });
  });

  it('runs alone after some strikes, in a process that its neighbour is not in', async () => {
    const conduct = await conductOf(hostile);
    expect(conduct.solitarySince).to.be.a('string');
    expect(conduct.reason).to.include('cpu-limit (cpuMs: 50 allowed');
    await until(
      async () => {
        expect((await platform.call(hostile, '/fine')).status).to.equal(200);
        return solitary();
      },
      (found) => found.length > 0,
    );
    expect(solitary().map(({ installationId }) => installationId)).to.deep.equal([hostile.id]);
    await askNeighbour();
    expect(
      await until(
        () => metric('gatehouse_installations_solitary'),
        (count) => count === 1,
      ),
    ).to.equal(1);
  });

  it('is suspended when that does not help, while the processes of others live on', async () => {
    const pool = () => cordons().filter(({ kind }) => kind === 'pool');
    const before = pool().map(({ pid }) => pid);
    await breakTo(3);
    const conduct = await breakTo(4);
    expect(conduct.suspendedAt).to.be.a('string');
    expect(pool().map(({ pid }) => pid)).to.deep.equal(before);
    expect(
      await until(
        () => metric('gatehouse_installations_suspended'),
        (count) => count === 1,
      ),
    ).to.equal(1);
    expect(await metric('gatehouse_strikes_total')).to.equal(4);
  });

  it('is refused while it is suspended, with since when, why and who can resume it', async () => {
    const { suspendedAt, reason } = await conductOf(hostile);
    const answer = await until(
      () => platform.call(hostile, '/fine'),
      ({ status }) => status === 403,
    );
    const problem = await answer.json();
    expect(problem).to.include({ code: 'installation-suspended', suspendedAt, reason, resumableBy: 'arcade-one' });
    const { operator } = platform.as;
    const codeOf = (call: Promise<unknown>) =>
      call.then(
        () => 'answered',
        (error) => error.code,
      );
    const event = { eventId: 'e-1', payload: ORDER };
    expect(await codeOf(operator.deliverHook(hostile.id, 'order.paid', event))).to.equal('installation-suspended');
    expect(await codeOf(operator.health(hostile.id))).to.equal('installation-suspended');
    await askNeighbour();
  });

  it('is shown to its operator and its publisher, by the API and the command line', async () => {
    for (const person of ['operator', 'publisher'] as const) {
      const { items } = await platform.as[person].listLogs(hostile.id, { level: 'warn' });
      const events = items
        .map(({ facts }) => (facts as { event?: string }).event)
        .filter((event) => event !== undefined);
      const order = ['strike', 'strike', 'solitary', 'strike', 'strike', 'suspended'];
      expect(events.toReversed()).to.deep.equal(order);
      const told = await platform.as[person].listNotifications({ unread: true });
      const kinds = told.items.map(({ kind }) => kind).filter(aboutInstallations);
      expect(kinds).to.deep.equal(['installation-suspended', 'installation-solitary']);
      const token = platform.credentials[person];
      expect(await gate(token, 'logs', hostile.id)).to.match(/Strike 1: .*cpu-limit \(cpuMs: 50 allowed/);
      expect(await gate(token, 'notifications', '--unread')).to.match(/arcade-one\/hostile is suspended\n.* 4 times/);
    }
    const list = await gate(platform.credentials.operator, 'installations');
    expect(list)
      .to.match(/hostile .*suspended \d{4}-/)
      .and.match(/neighbour .*good/);
    expect(list).to.include('gate resume hostile');
  });

  it('tells strangers nothing', async () => {
    for (const person of ['moderator', 'caller'] as const) {
      const items = await platform.as[person].listNotifications().then(
        (page) => page.items.filter(({ kind }) => aboutInstallations(kind)),
        (error) => error.code,
      );
      expect(items).to.deep.equal(person === 'caller' ? 'permission-denied' : []);
    }
    const told = (await platform.as.publisher.listNotifications()).items;
    const first = told.find(({ kind }) => aboutInstallations(kind));
    const foreign = await platform.as.operator.markNotificationRead(first!.id).catch((error) => error.code);
    expect(foreign).to.equal('notification-unknown');
    for (const person of ['publisher', 'admin', 'caller'] as const) {
      const code = await platform.as[person].resumeInstallation(hostile.id).catch((error) => error.code);
      expect(code).to.equal('permission-denied');
    }
  });

  it('runs again when its operator resumes it, alone for now, with a score from zero', async () => {
    expect(await gate(platform.credentials.operator, 'resume', 'hostile')).to.include('it runs alone for a while');
    expect(await conductOf(hostile)).to.include({ score: 0, strikes: 4, suspendedAt: null });
    expect((await platform.call(hostile, '/fine')).status).to.equal(200);
    expect(solitary().map(({ installationId }) => installationId)).to.deep.equal([hostile.id]);
    const again = await platform.as.operator.resumeInstallation(hostile.id);
    expect(again.conduct).to.deep.equal(await conductOf(hostile));
    const read = await gate(platform.credentials.operator, 'notifications', '--unread', '--mark-read');
    expect(read).to.include('hostile runs again');
    expect(await gate(platform.credentials.operator, 'notifications', '--unread')).to.include('no notifications');
    expect(
      await until(
        () => metric('gatehouse_installations_suspended'),
        (count) => count === 0,
      ),
    ).to.equal(0);
  });

  it('is stopped as a whole: what it has running and waiting breaks no process after process', async () => {
    const manifest = {
      ...callerRoutes('GET /fine', 'GET /waits', 'GET /waits-long', 'GET /breaks'),
      limits: { cpuMs: 50, concurrent: 20 },
    };
    const burst = await platform.install({ source: SOURCE, manifest }, { slug: 'burst' });
    const calls = Array.from({ length: 60 }, async () => (await platform.call(burst, '/breaks')).json());
    const neighbours = Array.from({ length: 5 }, () => askNeighbour('/waits'));
    const codes = ((await Promise.all(calls)) as { code: string }[]).map(({ code }) => code);
    const allowed = ['cpu-limit', 'sandbox-interrupted', 'installation-suspended'];
    expect(codes.filter((code) => !allowed.includes(code))).to.deep.equal([]);
    const { suspendedAt, strikes } = await conductOf(burst);
    expect(suspendedAt).to.be.a('string');
    // Four suspend it; a slow machine may see some more before that is known.
    expect(strikes).to.be.within(4, 20);
    expect(codes.filter((code) => code === 'installation-suspended')).to.not.be.empty;
    await Promise.all(neighbours);
  }).timeout(180_000);

  it('never failed its neighbour', () => {
    expect(neighbourly.length).to.be.at.least(20);
    expect(neighbourly.filter((status) => status !== 200)).to.deep.equal([]);
  });
});
