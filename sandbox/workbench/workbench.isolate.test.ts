import { execFile } from 'node:child_process';
import { createConnection } from 'node:net';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { DEFAULT_LIMITS, textOfInput } from '../../plugins-sdk/contract/index.ts';
import { buildGuest } from '../../plugins-sdk/guest/build-guest.ts';
import type { HostCallRequest, InvocationPorts } from '../contract.ts';
import { jobIn, openTestSandbox } from '../test-sandbox.ts';
import { openWorkbench, type Workbench, type WorkbenchOptions } from './index.ts';

const input = textOfInput({
  kind: 'schedule',
  name: 'job',
  dueAt: '2026-11-21T00:00:00.000Z',
  context: {
    invocationId: 'i',
    installation: { id: 'i', slug: 'one', version: '1.0.0' },
    operator: { id: 'o', slug: 'operator' },
    caller: null,
    grants: ['kv', 'log'],
    config: null,
  },
});

describe('a workbench', () => {
  const open: Workbench[] = [];
  afterEach(() => Promise.all(open.splice(0).map((bench) => bench.close())));

  let ids = 0;
  async function bench(options: WorkbenchOptions, code: string) {
    const opened = await openWorkbench(options, {
      guest: await buildGuest(),
      loadBundle: async () => ({
        code,
        sourceMap: '{"version":3,"sources":["src/a.ts"],"names":[],"mappings":"AAAA"}',
      }),
    });
    open.push(opened);
    const calls: HostCallRequest[] = [];
    const logs: string[] = [];
    const ports: InvocationPorts = {
      hostCall: async (call) => {
        calls.push(call);
        return { ok: true, json: '{"key":"k","value":7,"version":1}' };
      },
      log: ({ json }) => logs.push(json),
    };
    const run = async (signal?: AbortSignal) => {
      ids += 1;
      const invocation = {
        installationId: 'n',
        digest: 'd',
        seed: '5a'.repeat(32),
        startedAtMs: 1_000,
        limits: DEFAULT_LIMITS,
      };
      return opened.invoke({ ...invocation, invocationId: `i${ids}`, input }, { ...ports, ...(signal && { signal }) });
    };
    return { ...opened, run, calls, logs };
  }

  for (const mode of ['profile', 'inspect'] as const) {
    it(`runs a bundle over several turns, in mode ${mode}`, async () => {
      const code = jobIn(`
        console.log('hello');
        const { value } = await ctx.kv.get('k');
        await new Promise((resolve) => setTimeout(resolve, 1));
        if (globalThis.again) throw new RangeError('again');
        globalThis.again = true;
        return value + 1;`);
      const { run, calls, logs } = await bench({ mode }, code);
      const first = await run();
      expect(first.status === 'completed' && JSON.parse(first.output)).to.deep.equal({ kind: 'value', value: 8 });
      expect(first.usage).to.include({ turns: 3, hostCalls: 1 });
      expect(calls.map(({ name }) => name)).to.deep.equal(['kv.get']);
      expect(logs).to.have.length(1);
      const second = await run();
      expect(second.status === 'faulted' && second.fault).to.include({ code: 'plugin-threw', name: 'RangeError' });
    });

    it(`says what a cordon would where a bundle does not start, never answers or is given up, in mode ${mode}`, async () => {
      const started = await (await bench({ mode }, 'throw new TypeError("no")')).run();
      expect(started.status === 'faulted' && started.fault).to.include({
        code: 'plugin-start-failed',
        name: 'TypeError',
      });
      // Random numbers belong to an invocation, and none runs yet.
      const early = await (await bench({ mode }, 'crypto.randomUUID()')).run();
      expect(early.status === 'faulted' && early.fault.code).to.equal('plugin-start-failed');
      const { run } = await bench({ mode }, jobIn('await new Promise(() => {})'));
      const stuck = await run();
      expect(stuck.status === 'faulted' && stuck.fault.code).to.equal('plugin-never-answered');
      const waiting = await bench({ mode }, jobIn('await new Promise((resolve) => setTimeout(resolve, 9_000))'));
      const stop = new AbortController();
      const ended = waiting.run(stop.signal).catch((error) => error.code);
      stop.abort();
      expect(await ended).to.equal('invocation-aborted');
    });
  }

  it('samples what a bundle does', async () => {
    const busy = 'function busy(n) { return n < 2 ? n : busy(n - 1) + busy(n - 2); }';
    const { run, startProfile, stopProfile } = await bench({ mode: 'profile' }, jobIn('return busy(24);', busy));
    await run();
    await startProfile();
    for (let n = 0; n < 20; n += 1) await run();
    const { nodes, samples, timeDeltas } = await stopProfile();
    const found = nodes.find(({ callFrame }) => callFrame.functionName === 'busy');
    expect(found?.callFrame.url).to.equal('bundle.js');
    expect(samples).to.have.length(timeDeltas!.length);
  });

  it('is found by debuggers on loopback, and stops where they say', async () => {
    const { run, inspectorUrl } = await bench({ mode: 'inspect' }, jobIn('debugger; return 1;'));
    const { host } = new URL(inspectorUrl!);
    expect(host).to.match(/^127\.0\.0\.1:\d+$/);
    const [target] = (await (await fetch(`http://${host}/json/list`)).json()) as { webSocketDebuggerUrl: string }[];
    expect(target!.webSocketDebuggerUrl).to.equal(inspectorUrl);
    const socket = new WebSocket(inspectorUrl!);
    const said: { method?: string; params: { reason?: string; sourceMapURL?: string; url?: string } }[] = [];
    const heard = (method: string) =>
      new Promise<void>((resolve) => {
        const look = () => (said.some((each) => each.method === method) ? resolve() : setTimeout(look, 5));
        look();
      });
    socket.onmessage = ({ data }) => said.push(JSON.parse(String(data)));
    await new Promise((resolve) => {
      socket.onopen = resolve;
    });
    const send = (id: number, method: string) => socket.send(JSON.stringify({ id, method }));
    send(1, 'Debugger.enable');
    const running = run();
    await heard('Debugger.paused');
    send(2, 'Debugger.resume');
    expect((await running).status).to.equal('completed');
    const script = said.find(({ params }) => params?.url === 'bundle.js' && params.sourceMapURL)!;
    expect(script.params.sourceMapURL).to.match(/^data:application\/json/);
    socket.close();
  });

  it('says why it cannot open where the port is taken', async () => {
    const { inspectorUrl } = await bench({ mode: 'inspect' }, '');
    const taken = Number(new URL(inspectorUrl!).port);
    const why = await openWorkbench(
      { mode: 'inspect', inspectPort: taken },
      { guest: '', loadBundle: async () => ({ code: '', sourceMap: null }) },
    ).then(
      () => 'opened',
      (error: Error) => error.message,
    );
    expect(why).to.match(/address already in use/);
  });
});

const isListening = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = createConnection({ host: '127.0.0.1', port });
    socket
      .once('error', () => resolve(false))
      .once('connect', () => {
        socket.destroy();
        resolve(true);
      });
  });

describe('a cordon', () => {
  it('opens no inspector, whoever asks it to', async () => {
    const { sandbox, run, close } = await openTestSandbox();
    try {
      await run(jobIn('return 1'));
      const before = await isListening(9229);
      process.kill(sandbox.status().cordons[0]!.pid, 'SIGUSR1');
      // The signal starts a thread of Node.js, if anything; the cordon answers all the while.
      for (let n = 0; n < 20; n += 1) await run(jobIn('await ctx.kv.get("k"); return 1'));
      expect(await isListening(9229)).to.equal(before);
      expect(sandbox.status().cordonDeaths).to.equal(0);
    } finally {
      await close();
    }
  });

  it('has no code for inspectors but for the profile of a benchmark, and neither has the host', async () => {
    const search = promisify(execFile);
    const pattern = 'inspector: *true|createInspectorSession|--inspect|allow-inspector|workbench/';
    const { stdout } = await search('grep', ['-rlE', pattern, 'sandbox', 'host', 'registry', '--include=*.ts']);
    expect(stdout.trim().split('\n').sort()).to.deep.equal([
      // Left out of every cordon that profiles nothing: bundle-cordon.isolate.test.ts, ladder.isolate.test.ts.
      'sandbox/lane-profiler.ts',
      'sandbox/launch-cordon.ts',
      'sandbox/workbench/open-workbench.ts',
      'sandbox/workbench/workbench.isolate.test.ts',
    ]);
  });
});
