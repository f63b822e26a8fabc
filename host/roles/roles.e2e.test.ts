import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { expect } from 'chai';
import { testDatabase } from '../../migrations/test-database.ts';
import { createApiClient } from '../../plugins-sdk/cli/api-client.ts';
import type { Credentials } from '../demo/people.ts';

const PROGRAM = path.join(import.meta.dirname, '..', '..', 'bin', 'gatehouse.ts');

interface Ended {
  code: number | null;
  stdout: string;
  stderr: string;
}

interface DemoLine {
  url: string;
  credentials: Credentials;
  installations: { plugin: string; installationId: string; path: string }[];
}

describe('gatehouse', function () {
  // Whole tours, with scans and several hosts; a busy machine takes its time.
  this.timeout(300_000);
  let folder: string;
  const children: ChildProcess[] = [];
  before(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'gatehouse-roles-'));
  });
  after(async () => {
    await Promise.all(
      children.map(async (child) => {
        if (child.exitCode !== null || child.signalCode !== null) return;
        child.kill('SIGTERM');
        await once(child, 'exit');
      }),
    );
    await rm(folder, { recursive: true, force: true });
  });

  const start = (args: string[], env: Record<string, string> = {}) => {
    const child = spawn(process.execPath, [PROGRAM, ...args], {
      env: { PATH: process.env.PATH, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    children.push(child);
    return child;
  };
  const run = async (args: string[], env?: Record<string, string>): Promise<Ended> => {
    const child = start(args, env);
    const text = { stdout: '', stderr: '' };
    for (const name of ['stdout', 'stderr'] as const) {
      child[name]!.setEncoding('utf8').on('data', (chunk: string) => {
        text[name] += chunk;
      });
    }
    const [code] = await once(child, 'close');
    return { code, ...text };
  };
  const startDemo = async (data: string): Promise<{ child: ChildProcess; demo: DemoLine }> => {
    const child = start(['demo', '--json', '--port', '0', '--data', path.join(folder, data)]);
    child.stderr!.pipe(process.stderr);
    for await (const line of createInterface({ input: child.stdout! })) return { child, demo: JSON.parse(line) };
    throw new Error('the demo ended without a word');
  };
  const refusedInOneSentence = ({ code, stderr }: Ended, pattern: RegExp) => {
    expect(stderr).to.match(pattern);
    expect(stderr).to.not.match(/^\s+at /m);
    expect(code).to.equal(1);
  };

  it('demo --smoke shows every step, and a second one keeps what exists', async () => {
    const args = ['demo', '--smoke', '--port', '0', '--data', path.join(folder, 'smoke')];
    const first = await run(args);
    expect(first.stderr).to.equal('');
    expect(first.code).to.equal(0);
    for (const step of [
      'pack',
      'sign',
      'publish',
      'scan',
      'review',
      'approve',
      'log',
      'consent',
      'install',
      'invoke',
    ]) {
      expect(first.stdout).to.match(new RegExp(`✔ ${step} .* ms\\n`));
    }
    expect(first.stdout).to.match(/inclusion proven by \d+ siblings?; \d checks passed offline/);
    expect(first.stdout)
      .to.match(/second-look, 2 findings/)
      .and.match(/high undeclared src\/index\.ts:7 .*collector/);
    expect(first.stdout)
      .to.match(/409 scan-unacknowledged/)
      .and.match(/rejected: undeclared-host/);
    expect(first.stdout).to.match(/bundle\.js:\d+ await fetch\("https:\/\/collector/);
    expect(first.stdout).to.match(/✔ take down .*running calls on both hosts ended after \d\.\d\d s \(at most 5 s\)/);
    expect(first.stdout).to.match(/GET \/price → 403, 403 release-blocked/);
    const second = await run(args);
    expect(second.code).to.equal(0);
    expect(second.stdout).to.include('is published already').and.include('is installed already');
    expect(second.stdout)
      .to.include('is rejected already')
      .and.match(/✔ take down .*403 release-blocked/);
    expect(second.stdout).to.not.match(/✔ (sign|approve) /);
  });

  it('demo --fresh starts from nothing, and leaves other files in the folder alone', async () => {
    const { stdout, code } = await run([
      'demo',
      '--smoke',
      '--fresh',
      '--port',
      '0',
      '--data',
      path.join(folder, 'smoke'),
    ]);
    expect(code).to.equal(0);
    expect(stdout).to.match(/✔ approve /);
    // What was signed of the database before it was deleted is no head of the new one.
    const doctor = await run(['doctor', '--audit', '--json', '--data', path.join(folder, 'smoke')]);
    expect(doctor.code, doctor.stdout).to.equal(0);
  });

  it('doctor and the start of a host say where the pepper is another than people are found by', async () => {
    const data = path.join(folder, 'smoke');
    const pepper = async (env: Record<string, string> = {}) => {
      const { stdout, code } = await run(['doctor', '--json', '--port', '0', '--data', data], env);
      const findings = JSON.parse(stdout) as { name: string; state: string; message: string }[];
      return { code, ...findings.find(({ name }) => name === 'pepper') };
    };
    expect(await pepper()).to.include({ code: 0, state: 'ok' });
    const another = { GATEHOUSE_PASSWORD_PEPPER: randomBytes(32).toString('base64') };
    const { code, state, message } = await pepper(another);
    expect([code, state]).to.deep.equal([1, 'failed']);
    expect(message).to.include('Version 1 is another');
    const child = start(['serve', '--embedded', '--port', '0', '--data', data], another);
    const said: string[] = [];
    for await (const line of createInterface({ input: child.stderr! })) {
      const { msg } = JSON.parse(line);
      if (msg === 'ready') break;
      said.push(msg);
    }
    child.stderr!.resume();
    child.kill('SIGTERM');
    await once(child, 'exit');
    expect(said.join()).to.include('GATEHOUSE_PASSWORD_PEPPER is not that of before');
  }).timeout(120_000);

  it('doctor opens what is stored, and says where the key is another than it was sealed with', async () => {
    const data = path.join(folder, 'smoke');
    const sealedValues = async () => {
      const { stdout, code } = await run(['doctor', '--json', '--port', '0', '--data', data]);
      const findings = JSON.parse(stdout) as { name: string; state: string; message: string }[];
      return { code, ...findings.find(({ name }) => name === 'sealed values') };
    };
    expect(await sealedValues()).to.include({ code: 0, state: 'ok' });
    await writeFile(path.join(data, 'encryption-key'), `1:${randomBytes(32).toString('base64')}`);
    const { code, state, message } = await sealedValues();
    expect([code, state]).to.deep.equal([1, 'failed']);
    expect(message).to.include('accounts.person_key under version 1').and.include('sealed with another key');
  }).timeout(120_000);

  it('demo answers after SIGKILL of the host, with everything that was answered before', async () => {
    const { child, demo } = await startDemo('killed');
    const order = (at: number) => ({ orderId: `killed-${at}`, lines: [{ sku: 'game-pass', quantity: 1 }] });
    const shopOf = (from: DemoLine) => from.installations.find(({ plugin }) => plugin.endsWith('/order-delivery'))!;
    const shop = shopOf(demo);
    const operator = createApiClient({ url: demo.url, token: demo.credentials.operator });
    const keys = Array.from({ length: 60 }, (_, at) => `KEY-${at}`);
    const loaded = await operator.raw({
      method: 'POST',
      path: `${shop.path}/pool/game-pass`,
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ keys }),
      idempotent: true,
    });
    expect(loaded.status).to.be.oneOf([200, 201]);
    const caller = createApiClient({ url: demo.url, token: demo.credentials.caller, retries: 0 } as never);
    const answered = new Map<number, unknown>();
    const orders = Array.from({ length: 40 }, (_, at) => at);
    const waiting = [...orders];
    // Few at a time: however late this process hears of the tenth, the last ones were not sent yet.
    const sender = async () => {
      for (let at = waiting.shift(); at !== undefined; at = waiting.shift()) {
        const { result } = await caller.deliverHook(shop.installationId, 'order.paid', {
          eventId: `event-${at}`,
          payload: order(at),
        });
        answered.set(at, result);
        if (answered.size === 10) child.kill('SIGKILL');
      }
    };
    await Promise.allSettled(Array.from({ length: 8 }, sender));
    expect(answered.size).to.be.at.least(10).and.below(40);

    const again = await startDemo('killed');
    const retrying = createApiClient({ url: again.demo.url, token: again.demo.credentials.caller });
    const results = await Promise.all(
      orders.map(async (at) => {
        const event = { eventId: `event-${at}`, payload: order(at) };
        return (await retrying.deliverHook(shopOf(again.demo).installationId, 'order.paid', event)).result;
      }),
    );
    for (const [at, result] of answered) expect(results[at], `order ${at}`).to.deep.equal(result);
    const handedOut = JSON.stringify(results).match(/KEY-\d+/g)!;
    expect(new Set(handedOut).size).to.equal(40);
    again.child.kill('SIGTERM');
    expect((await once(again.child, 'exit'))[0]).to.equal(0);
  });

  it('finishes running calls on SIGTERM, and refuses a second instance on the same folder meanwhile', async () => {
    const { child, demo } = await startDemo('graceful');
    refusedInOneSentence(
      await run(['demo', '--smoke', '--port', '0', '--data', path.join(folder, 'graceful')]),
      /another Gatehouse/i,
    );
    const calls = Array.from({ length: 20 }, () => fetch(`${demo.url}${demo.installations[0]!.path}/greetings/Ada`));
    const answers = await Promise.all(calls);
    expect(answers.every(({ status }) => status === 200)).to.equal(true);
    child.kill('SIGTERM');
    expect((await once(child, 'exit'))[0]).to.equal(0);
  });

  it('says in one sentence that the port is taken', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as { port: number };
    const ended = await run(['demo', '--smoke', '--port', String(port), '--data', path.join(folder, 'port')]);
    server.close();
    refusedInOneSentence(ended, new RegExp(`Port ${port} .* --port`));
  });

  it('says in one sentence what is wrong with DATABASE_URL', async () => {
    refusedInOneSentence(await run(['serve'], {}), /serve needs DATABASE_URL/);
    refusedInOneSentence(await run(['serve'], { DATABASE_URL: 'mysql://x' }), /DATABASE_URL/);
    const nobody = 'postgres://nobody:hunter2@127.0.0.1:1/none';
    const unreachable = await run(['serve'], { DATABASE_URL: nobody });
    refusedInOneSentence(unreachable, /No PostgreSQL listens at 127\.0\.0\.1:1/);
    expect(unreachable.stderr).to.not.include('hunter2');
  });

  it('migrates an own PostgreSQL, makes its first admin, and serves', async () => {
    const database = await testDatabase();
    const env = {
      DATABASE_URL: database.appUrl,
      DATABASE_OWNER_URL: database.ownerUrl,
      GATEHOUSE_DATA: path.join(folder, 'own'),
      GATEHOUSE_PORT: '0',
    };
    const migrated = await run(['migrate', 'up'], { ...env, GATEHOUSE_CORDON: '4' });
    expect(migrated.code).to.equal(0);
    expect(migrated.stderr).to.include('is GATEHOUSE_CORDONS meant?');
    const status = await run(['migrate', 'status', '--json'], env);
    expect(JSON.parse(status.stdout).every(({ state }: { state: string }) => state === 'applied')).to.equal(true);
    const { secret } = JSON.parse((await run(['bootstrap', '--json'], env)).stdout);
    refusedInOneSentence(await run(['serve'], env), /GATEHOUSE_ENCRYPTION_KEY is missing.*openssl rand -base64 32/);
    const sealing = { ...env, GATEHOUSE_ENCRYPTION_KEY: randomBytes(32).toString('base64') };
    refusedInOneSentence(
      await run(['serve'], sealing),
      /GATEHOUSE_PASSWORD_PEPPER is missing.*openssl rand -base64 32/,
    );
    const child = start(['serve'], { ...sealing, GATEHOUSE_PASSWORD_PEPPER: randomBytes(32).toString('base64') });
    for await (const line of createInterface({ input: child.stderr! })) {
      const { msg, url } = JSON.parse(line);
      if (msg !== 'ready') continue;
      expect((await createApiClient({ url, token: secret }).whoami()).role).to.equal('admin');
      break;
    }
    child.stderr!.resume();
    child.kill('SIGTERM');
    expect((await once(child, 'exit'))[0]).to.equal(0);
    await database.close();
  });

  it('doctor looks at everything and says so as JSON', async () => {
    const data = path.join(folder, 'doctor');
    const { stdout, code } = await run(['doctor', '--json', '--port', '0', '--data', data], { GATEHOUSE_CORDON: '4' });
    const findings = JSON.parse(stdout) as { name: string; state: string; message: string }[];
    const found = (wanted: string) => findings.find(({ name }) => name === wanted)!;
    expect(found('settings')).to.include({ state: 'warning' });
    expect(found('settings').message).to.include('is GATEHOUSE_CORDONS meant?');
    // On the very folder that was looked at, and to be copied as it is.
    expect(found('database').message).to.match(/ Run: gatehouse migrate up --data \S+\/doctor$/);
    refusedInOneSentence(
      await run(['serve', '--embedded', '--port', '0', '--data', data]),
      /run: gatehouse migrate up --data \S+\/doctor$/m,
    );
    expect(findings.map(({ name }) => name)).to.include.members(['runtime', 'engine', 'sandbox', 'database', 'port']);
    expect(findings.filter(({ state }) => state === 'failed')).to.deep.equal([]);
    expect(code).to.equal(0);
    const layers = ['no-new-privileges', 'resource-limits', 'system-call-filter', 'own-network', 'own-root'];
    for (const layer of layers) {
      const { state, message } = found(layer);
      expect(message).to.match(state === 'ok' ? /^active; stops: / : /^unavailable: .* Not stopped: /);
    }
    const active = findings.filter(({ name, state }) => layers.includes(name) && state === 'ok');
    const { message } = found('sandbox');
    expect(message).to.include(`the kernel confirms its ${active.length} layers`);
  });

  it('answers wrong usage with exit code 2', async () => {
    expect((await run(['demo', '--colour'])).code).to.equal(2);
    expect((await run(['nonsense'])).code).to.equal(2);
    expect((await run(['--help'])).code).to.equal(0);
  });
});
