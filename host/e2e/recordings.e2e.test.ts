import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { expect } from 'chai';
import { loadLocalPlugin } from '../../plugins-sdk/cli/load-plugin.ts';
import { refusalOf } from '../../plugins-sdk/cli/test-refusal.ts';
import type { Recording } from '../../plugins-sdk/contract/recording.ts';
import { readRecording } from '../../plugins-sdk/replay/read-recording.ts';
import { replayRecording } from '../../plugins-sdk/replay/replay-recording.ts';
import type { Installation } from '../installations/contract.ts';
import { callerRoutes, codeOf, KV, startTestPlatform, type TestPlatform, type TestPlugin } from './test-platform.ts';

const GATE = resolve(import.meta.dirname, '../../bin/gate.ts');

/** Loses an order in a way that depends on everything: input, stored data, clock, randomness and a timer. */
const SOURCE = `
import { definePlugin } from '@gatehouse/plugin-sdk';
export default definePlugin({
  routes: {
    'POST /orders': async (request, ctx) => {
      const order = await request.json() as { email: string; lines: { sku: string }[] };
      const [seen, stock] = await Promise.all([ctx.kv.increment('orders'), ctx.kv.get<number>('stock')]);
      await new Promise((resolve) => setTimeout(resolve, 5));
      const receipt = { number: seen.value, id: crypto.randomUUID(), at: Date.now(), luck: Math.random(), to: order.email };
      console.log('order', receipt.number, order.email);
      await ctx.kv.set('order:' + order.email, receipt);
      if (stock === null) throw new RangeError('no stock for ' + receipt.id + ' of ' + order.email);
      return receipt;
    },
    'POST /stock': async (_request, ctx) => ctx.kv.set('stock', 7),
  },
});
`;
/** Reads and answers piece by piece, with random values and with what the host computes. */
const ECHO = `
import { definePlugin } from '@gatehouse/plugin-sdk';
export default definePlugin({
  routes: {
    'POST /echo': async (request) => {
      const { readable, writable } = new TransformStream();
      const copy = async () => {
        const writer = writable.getWriter();
        for await (const piece of request.body!) {
          const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', piece));
          await writer.write(new TextEncoder().encode(digest.length + ' ' + digest[0] + ' ' + crypto.randomUUID() + '\\n'));
          await writer.write(piece);
        }
        await writer.close();
      };
      void copy();
      return new Response(readable, { headers: { 'content-type': 'text/plain' } });
    },
  },
});
`;
const EMAIL = 'ada.lovelace@example.org';
const ORDER = { method: 'POST', body: JSON.stringify({ email: EMAIL, lines: [{ sku: 'vpn-year' }] }) };

interface Ended {
  exitCode: number | null;
  out: string;
  err: string;
}

describe('a recorded invocation', () => {
  let platform: TestPlatform;
  let shop: Installation;
  let folder: string;
  let plugin: TestPlugin;
  before(async () => {
    platform = await startTestPlatform({ GATEHOUSE_CORDONS: '1' });
    folder = await mkdtemp(join(tmpdir(), 'gatehouse-recordings-'));
    plugin = {
      source: SOURCE,
      manifest: {
        ...callerRoutes('POST /orders', 'POST /stock'),
        name: 'orders',
        capabilities: [KV],
        personal: ['/body/email'],
      },
    };
    shop = await platform.install(plugin);
  });
  after(async () => {
    await platform.close();
    await rm(folder, { recursive: true, force: true });
  });

  /** Runs the real command line as somebody, or as nobody without a host. */
  const gate = (as: 'publisher' | 'operator' | 'caller' | null, ...args: string[]) =>
    new Promise<Ended>((done, fail) => {
      const login = as ? { GATEHOUSE_URL: platform.host.url, GATEHOUSE_TOKEN: platform.credentials[as] } : {};
      const child = spawn(process.execPath, [GATE, ...args], {
        cwd: folder,
        env: { PATH: process.env.PATH, HOME: folder, NO_COLOR: '1', ...login },
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      const ended = { out: '', err: '' };
      child.stdout.setEncoding('utf8').on('data', (text) => {
        ended.out += text;
      });
      child.stderr.setEncoding('utf8').on('data', (text) => {
        ended.err += text;
      });
      child.once('error', fail).once('close', (exitCode) => done({ exitCode, ...ended }));
    });
  const json = ({ exitCode, out, err }: Ended) => {
    expect(out, `${exitCode} ${err}`).to.match(/^\{/);
    return JSON.parse(out);
  };
  /** The failure, as its publisher has it in a file. */
  const downloaded = async (): Promise<string> => {
    const { id } = (await platform.as.operator.listRecordings(shop.id)).items.find(({ why }) => why === 'failed')!;
    const file = join(folder, `recording-${id}.json`);
    const { exitCode, err } = await gate('publisher', 'recordings', 'download', id, file);
    expect([exitCode, err.includes('file-taken')], err).to.deep.equal(exitCode === 0 ? [0, false] : [1, true]);
    return file;
  };

  it('is kept when it failed, for its operator alone at first', async () => {
    expect((await platform.call(shop, '/orders', ORDER)).status).to.equal(502);
    const { items } = json(await gate('operator', 'recordings', 'list', shop.slug, '--json'));
    expect(items).to.have.length(1);
    expect(items[0]).to.include({ why: 'failed', job: 'POST /orders', outcome: 'plugin-threw', redacted: true });
    const { publisher, caller } = platform.as;
    expect((await refusalOf(publisher.listRecordings(shop.id))).code).to.equal('recordings-not-shared');
    expect((await refusalOf(publisher.readRecording(items[0].id))).code).to.equal('recording-unknown');
    expect((await refusalOf(caller.listRecordings(shop.id))).code).to.equal('permission-denied');
    expect((await refusalOf(platform.as.operator.readRecordingBundle(items[0].id))).code).to.equal('permission-denied');
    const settings = await gate('operator', 'recordings', 'settings', shop.slug, '--share', 'failures');
    expect(settings.out).to.match(/publisher +sees failures/);
    expect((await publisher.listRecordings(shop.id)).items).to.have.length(1);
    const more = publisher.configureRecordings(shop.id, { sampleRate: 1 });
    expect((await refusalOf(more)).code).to.equal('permission-denied');
  });

  it('holds no personal value, and says so', async () => {
    const recording = JSON.parse(await readFile(await downloaded(), 'utf8')) as Recording;
    expect(JSON.stringify(recording)).to.not.include(EMAIL).and.not.include('lovelace');
    expect(recording.redacted).to.deep.include({ values: 1, places: ['/body/email'] });
    expect(recording.calls.map(({ name }) => name)).to.deep.equal(['kv.increment', 'kv.get', 'timer', 'kv.set']);
    const { rows } = await platform.database.knex.raw(`SELECT encode(content, 'escape') AS text FROM recordings`);
    expect(JSON.stringify(rows)).to.not.include('lovelace');
  });

  it('fails again on the desk to the same bytes, without a host', async () => {
    const file = await downloaded();
    const shown = await gate(null, 'replay', file);
    expect(shown.out, shown.err).to.match(/✔ POST \/orders of acme-labs\/orders@1\.0\.0 fails again in the same way/);
    expect(shown.out).to.match(/RangeError: no stock for [0-9a-f-]{36} of personal-1@redacted\.invalid/);
    expect(shown.out).to.match(/at .*src\/index\.ts:12:/);
    expect(shown.exitCode).to.equal(0);
    const recording = JSON.parse(await readFile(file, 'utf8')) as Recording;
    const replayed = json(await gate(null, 'replay', file, '--json'));
    expect(replayed).to.deep.include({
      identical: true,
      sameCode: true,
      divergence: null,
      engine: [],
      code: 'recording',
    });
    expect(replayed.outcome).to.deep.equal(recording.outcome);
    expect(replayed.logs).to.deep.equal(recording.logs);
    expect(replayed.frames[0]).to.match(/src\/index\.ts:12:/);
  });

  it('answers again to the same bytes where its caller asked for a recording, by its id', async () => {
    await platform.call(shop, '/stock', { method: 'POST' });
    const refused = await platform.call(shop, '/orders', { ...ORDER, headers: { 'x-gatehouse-record': '1' } });
    expect([refused.status, await codeOf(refused)]).to.deep.equal([403, 'permission-denied']);
    const called = json(
      await gate('operator', 'call', shop.slug, 'POST', '/orders', '--body', ORDER.body, '--record', '--json'),
    );
    expect(called).to.include({ status: 200 });
    // An operator does not get the code, but the project that builds it will do.
    const without = await gate('operator', 'replay', called.invocationId);
    expect(without.err).to.include('code-unavailable');
    const project = await platform.writePlugin(plugin);
    const replayed = json(await gate('operator', 'replay', called.invocationId, '--project', project, '--json'));
    expect(replayed).to.include({ identical: true, sameCode: true });
    const { response } = JSON.parse(replayed.outcome.output);
    const placeholders = JSON.stringify({ ...called.body, to: 'personal-1@redacted.invalid' });
    expect(response.body).to.equal(placeholders);
    const shared = platform.as.publisher.readRecording(called.invocationId);
    expect((await refusalOf(shared)).code).to.equal('recording-unknown');
  });

  it('answers again piece by piece, with the same random values and digests', async () => {
    const echo = { source: ECHO, manifest: { ...callerRoutes('POST /echo'), name: 'echo', limits: { cpuMs: 1_000 } } };
    const installed = await platform.install(echo);
    const body = 'x'.repeat(300_000);
    const headers = { 'x-gatehouse-record': '1' };
    const token = platform.credentials.operator;
    const answer = await platform.call(installed, '/echo', { method: 'POST', body, headers, token });
    expect(await answer.text()).to.include(body.slice(0, 1_000));
    const recording = await platform.as.operator.readRecording(answer.headers.get('x-gatehouse-invocation')!);
    expect(recording.calls.map(({ name }) => name)).to.include.members(['crypto.digest', 'response.write']);
    const { code } = await loadLocalPlugin(await platform.writePlugin(echo));
    expect(await replayRecording(recording, code)).to.deep.include({ divergence: null, sameCode: true });
  });

  it('shows where changed code first goes another way', async () => {
    const file = await downloaded();
    const recording = readRecording(await readFile(file, 'utf8'));
    const changed = async (from: string, to: string) => {
      const project = await platform.writePlugin({ ...plugin, source: SOURCE.replace(from, to) });
      return replayRecording(recording, (await loadLocalPlugin(project)).code);
    };
    const other = await changed(`ctx.kv.get<number>('stock')`, `ctx.kv.get<number>('stocks')`);
    expect(other.divergence).to.deep.equal({
      kind: 'call',
      seq: 2,
      expected: { name: 'kv.get', args: '{"key":"stock"}' },
      got: { name: 'kv.get', args: '{"key":"stocks"}' },
    });
    const corrected = await changed('throw new RangeError', 'return { status: 409 }; throw new RangeError');
    expect(corrected).to.deep.include({ identical: false, sameCode: false });
    expect(corrected.divergence).to.include({ kind: 'outcome' });
    expect(corrected.outcome).to.include({ status: 'completed' });
    const reworded = await changed('no stock for', 'nothing left for');
    expect(reworded.divergence)
      .to.have.nested.property('got.fault.message')
      .that.matches(/^nothing left for/);
    const moved = await changed('export default', 'Object.freeze({});\nexport default');
    expect(moved).to.include({ identical: true, sameCode: false });
  });

  it('becomes a test that is red until the plugin is corrected', async () => {
    const file = await downloaded();
    const project = await platform.writePlugin(plugin);
    const written = json(await gate(null, 'replay', file, '--project', project, '--as-test', '--json'));
    expect(written.test).to.match(/test\/replay-[0-9a-f-]+\.test\.ts$/);
    const red = await gate(null, 'test', project, '--json');
    expect(json(red)).to.include({ passed: 0, failed: 1 });
    await writeFile(
      join(project, 'src/index.ts'),
      SOURCE.replace('throw new RangeError', 'return { status: 409 }; throw new RangeError'),
    );
    const green = await gate(null, 'test', project, '--json');
    expect(json(green), green.out).to.include({ passed: 1, failed: 0 });
  });

  it('is drawn as a sample, and deleted, by its operator', async () => {
    await platform.as.operator.configureRecordings(shop.id, { sampleRate: 1, share: 'all' });
    // Hosts are told of the change by the database.
    const sampled = async () => {
      await platform.call(shop, '/orders', ORDER);
      return (await platform.as.operator.listRecordings(shop.id)).items.find(({ why }) => why === 'sampled');
    };
    let entry = await sampled();
    while (entry === undefined) entry = await sampled();
    expect((await gate('publisher', 'replay', entry.id)).out).to.include('gives the same bytes again');
    expect(await platform.as.publisher.configureRecordings(shop.id, { sampleRate: 0 })).to.include({ sampleRate: 0 });
    expect((await refusalOf(platform.as.publisher.removeRecording(entry.id))).code).to.equal('permission-denied');
    expect((await gate('operator', 'recordings', 'rm', entry.id)).out).to.include('deleted');
    expect((await refusalOf(platform.as.operator.removeRecording(entry.id))).code).to.equal('recording-unknown');
  });

  it('is refused with what is wrong where its file is none', async () => {
    await writeFile(join(folder, 'bad.json'), '{"format":"gatehouse-recording/1"}');
    const { exitCode, err } = await gate(null, 'replay', 'bad.json');
    expect(exitCode).to.equal(1);
    expect(err)
      .to.match(/recording-invalid/)
      .and.match(/\/invocation: is required/);
  });
});
