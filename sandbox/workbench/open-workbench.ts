import { type ChildProcess, spawn } from 'node:child_process';
import { join, resolve } from 'node:path';
import type { PluginFault } from '../../plugins-sdk/contract/errors.ts';
import type { Invocation, Sandbox } from '../contract.ts';
import type { StartUp } from '../isolate/plugin-isolate.ts';
import { type BenchRoom, BenchRun } from './bench-run.ts';
import type { BenchReply, BenchRequest, RawProfile, TurnReply, WorkbenchMode } from './messages.ts';

const HERE = import.meta.dirname;
const ROOT = resolve(HERE, '../..');
const LISTENING = /Debugger listening on (ws:\/\/\S+)/;
const STDERR_UNITS_MAX = 4_096;

export interface WorkbenchOptions {
  mode: WorkbenchMode;
  /** Of the inspector, on 127.0.0.1; 0 takes a free one. */
  inspectPort?: number;
}

export interface WorkbenchPorts {
  guest: string;
  loadBundle(digest: string): Promise<{ code: string; sourceMap: string | null }>;
  /** The process ended unasked; invocations that ran have been refused. */
  onExit?(why: string): void;
}

/**
 * A place for authors to look into a plugin that runs: one process, one plugin at a time, without the limits of time that
 * would hinder looking. The host never opens one, and no cordon can become one.
 */
export interface Workbench extends Pick<Sandbox, 'invoke' | 'evict'> {
  /** `ws://127.0.0.1:9229/<id>` in mode `inspect`; tools find it by `http://127.0.0.1:9229/json/list`. */
  inspectorUrl: string | null;
  /** Samples what the process does, from now on. */
  startProfile(): Promise<void>;
  stopProfile(): Promise<RawProfile>;
  close(): Promise<void>;
}

/** Starts the process. Rejects with a sentence where it does not start, such as a port that is taken. */
export async function openWorkbench(options: WorkbenchOptions, ports: WorkbenchPorts): Promise<Workbench> {
  const { mode } = options;
  const child = startProcess(options);
  const { ask, inspectorUrl, exited } = await connect(child, mode);
  await ask({ op: 'guest', code: ports.guest });
  const rooms = new Map<string, { installationId: string; room: BenchRoom; startUp: Promise<StartUp> }>();
  let closing = false;
  void exited.then((why) => {
    for (const { room } of rooms.values()) for (const run of [...room.runs.values()]) run.reject(new Error(why));
    if (!closing) ports.onExit?.(why);
  });

  const keyOf = (installationId: string, digest: string) => `${installationId} ${digest}`;
  const roomOf = ({ installationId, digest }: Invocation) => {
    const key = keyOf(installationId, digest);
    let found = rooms.get(key);
    if (found === undefined) {
      const turn = (head: string, body: string) => ask<TurnReply>({ op: 'turn', key, head, body });
      const startUp = ports.loadBundle(digest).then((bundle) => ask<StartUp>({ op: 'start', key, ...bundle }));
      found = { installationId, room: { runs: new Map(), entries: 0, turn }, startUp };
      rooms.set(key, found);
      // As in a cordon: what did not start is tried again.
      startUp.then(({ ended }) => ended === 'started' || rooms.delete(key)).catch(() => rooms.delete(key));
    }
    return found;
  };

  return {
    inspectorUrl,
    invoke: async (invocation, invocationPorts) => {
      const { room, startUp } = roomOf(invocation);
      const run = new BenchRun(invocation, invocationPorts, room);
      startUp.then(
        (started) => {
          const fault = faultOf(started);
          if (fault === null) run.begin();
          else run.fail(fault);
        },
        (error) => run.reject(error),
      );
      return run.outcome;
    },
    evict: (installationId) => {
      for (const [key, each] of rooms) {
        if (each.installationId !== installationId) continue;
        rooms.delete(key);
        ask({ op: 'drop', key }).catch(() => {});
      }
    },
    startProfile: async () => void (await ask({ op: 'start-profile' })),
    stopProfile: () => ask({ op: 'stop-profile' }),
    close: async () => {
      closing = true;
      child.kill('SIGKILL');
      await exited;
    },
  };
}

function faultOf(startUp: StartUp): PluginFault | null {
  if (startUp.ended === 'started') return null;
  if (startUp.ended !== 'threw') return { code: 'plugin-start-failed', message: startUp.ended };
  const { name, message, stack } = startUp;
  return { code: 'plugin-start-failed', message, ...(name && { name }), ...(stack && { stack }) };
}

function startProcess({ mode, inspectPort = 0 }: WorkbenchOptions): ChildProcess {
  const inspector = mode === 'inspect' ? [`--inspect=127.0.0.1:${inspectPort}`] : [];
  return spawn(
    process.execPath,
    [
      '--permission',
      '--allow-inspector',
      `--allow-fs-read=${ROOT}`,
      '--disable-warning=SecurityWarning',
      '--disable-warning=ExperimentalWarning',
      ...inspector,
      join(HERE, 'workbench-process.ts'),
      mode,
    ],
    { cwd: ROOT, env: {}, stdio: ['ignore', 'ignore', 'pipe', 'ipc'], serialization: 'json' },
  );
}

type Ask = <Value = null>(request: BenchRequest) => Promise<Value>;

/** Resolves when the process listens; rejects with what it said where it ended instead. */
async function connect(child: ChildProcess, mode: WorkbenchMode) {
  const waiting = new Map<number, { resolve(value: never): void; reject(error: Error): void }>();
  let said = '';
  let count = 0;
  const ask: Ask = (request) => {
    count += 1;
    const n = count;
    return new Promise((resolve, reject) => {
      waiting.set(n, { resolve, reject });
      if (child.connected) child.send({ n, ...request }, (error) => error && reject(error));
      else reject(new Error(endOf(said)));
    });
  };
  child.on('message', ({ n, value, error }: BenchReply) => {
    const asked = waiting.get(n);
    waiting.delete(n);
    if (error === undefined) asked?.resolve(value as never);
    else asked?.reject(new Error(error));
  });
  const exited = new Promise<string>((resolve) => {
    const end = () => {
      const why = endOf(said);
      for (const { reject } of waiting.values()) reject(new Error(why));
      waiting.clear();
      resolve(why);
    };
    child.once('exit', end).once('error', end);
  });
  const inspectorUrl = await new Promise<string | null>((found, failed) => {
    if (mode !== 'inspect') found(null);
    child.stderr!.setEncoding('utf8').on('data', (text: string) => {
      said = (said + text).slice(-STDERR_UNITS_MAX);
      const url = LISTENING.exec(said)?.[1];
      if (url !== undefined) found(url);
      // Node.js goes on without its inspector; nobody who asked for it wants that.
      else if (said.includes('Starting inspector on')) {
        child.kill('SIGKILL');
        failed(new Error(said.trim().split('\n').at(-1)));
      }
    });
    void exited.then((why) => failed(new Error(why)));
  });
  return { ask, inspectorUrl, exited };
}

const endOf = (said: string): string => `The workbench's process ended${said === '' ? '' : `: ${said.trim()}`}`;
