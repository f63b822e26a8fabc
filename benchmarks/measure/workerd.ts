import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import type { Running } from './processes.ts';

const root = path.resolve(import.meta.dirname, '../..');
const VERSION = '1.20261117.1';
const PLATFORMS: Record<string, string> = {
  'linux-x64': 'linux-64',
  'linux-arm64': 'linux-arm64',
  'darwin-x64': 'darwin-64',
  'darwin-arm64': 'darwin-arm64',
};
const COMPATIBILITY_DATE = '2026-11-01';
const START_MS_MAX = 20_000;

/** A peer that cannot be had on this machine, and why; reports say so. */
export class PeerMissing extends Error {
  override name = 'PeerMissing';
}

/** The program, installed on first use beside the runtime and not among the dependencies: it has 130 MB. Throws PeerMissing. */
export async function workerdProgram(): Promise<string> {
  const platform = PLATFORMS[`${process.platform}-${process.arch}`];
  if (!platform) throw new PeerMissing(`workerd has no package for ${process.platform}-${process.arch}`);
  const folder = path.join(root, '.runtime/peers');
  const name = `@cloudflare/workerd-${platform}`;
  const program = path.join(folder, 'node_modules', name, 'bin/workerd');
  if (!fs.existsSync(program)) {
    fs.mkdirSync(folder, { recursive: true });
    const npm = spawn(
      'npm',
      ['install', '--no-save', '--no-audit', '--no-fund', '--ignore-scripts', '--prefix', folder, `${name}@${VERSION}`],
      { cwd: folder, stdio: ['ignore', 'ignore', 'pipe'] },
    );
    const said: Buffer[] = [];
    npm.stderr.on('data', (chunk: Buffer) => said.push(chunk));
    const [code] = (await once(npm, 'close')) as [number];
    if (code !== 0)
      throw new PeerMissing(`npm could not install ${name}: ${Buffer.concat(said).toString().slice(0, 500)}`);
  }
  return program;
}

/** One worker: its code as an ES module. */
export interface WorkerdSetup {
  /** The worker that takes the requests. */
  code: string;
  /** Gives it the binding LOADER, by which it starts workers of code that it has as text. */
  loader?: boolean;
}

/** Starts workerd with one worker on a free loopback port. Throws PeerMissing where it cannot be had. */
export async function startWorkerd({ code, loader = false }: WorkerdSetup): Promise<Running & { pid: number }> {
  const program = await workerdProgram();
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'gatehouse-workerd-'));
  const port = await freePort();
  fs.writeFileSync(path.join(folder, 'worker.js'), code);
  fs.writeFileSync(path.join(folder, 'config.capnp'), configOf(port, loader));
  const child = spawn(program, ['serve', '--experimental', path.join(folder, 'config.capnp')], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let said = '';
  child.stderr.on('data', (chunk: Buffer) => {
    said = (said + chunk.toString()).slice(-2_000);
  });
  const close = async () => {
    if (child.exitCode === null && child.signalCode === null) {
      child.kill('SIGTERM');
      await once(child, 'exit');
    }
    fs.rmSync(folder, { recursive: true, force: true });
  };
  const url = `http://127.0.0.1:${port}/`;
  if (await isListening(child, port)) return { url, pid: child.pid!, close };
  await close();
  throw new PeerMissing(`workerd did not start: ${said}`);
}

const configOf = (port: number, loader: boolean): string => `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [ (name = "main", worker = .worker) ],
  sockets = [ (name = "http", address = "127.0.0.1:${port}", http = (), service = "main") ],
);
const worker :Workerd.Worker = (
  modules = [ (name = "worker", esModule = embed "worker.js") ],
  compatibilityDate = "${COMPATIBILITY_DATE}",
  compatibilityFlags = ["experimental"],
  ${loader ? 'bindings = [ (name = "LOADER", workerLoader = (id = "bench")) ],' : ''}
);
`;

async function freePort(): Promise<number> {
  const server = net.createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as net.AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

async function isListening(child: ChildProcess, port: number): Promise<boolean> {
  for (const deadlineMs = Date.now() + START_MS_MAX; Date.now() < deadlineMs && child.exitCode === null; ) {
    const socket = net.connect(port, '127.0.0.1');
    const ok = await once(socket, 'connect').then(
      () => true,
      () => false,
    );
    socket.destroy();
    if (ok) return true;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return false;
}

/** A worker that starts the worker `code` under the id of each request's `x-id` header, or `0`. */
export const loaderCode = (code: string): string => `
const code = ${JSON.stringify(code)};
export default {
  async fetch(request, env) {
    const id = request.headers.get('x-id') ?? '0';
    const worker = env.LOADER.get(id, async () => ({
      compatibilityDate: '${COMPATIBILITY_DATE}',
      mainModule: 'main.js',
      modules: { 'main.js': code },
      globalOutbound: null,
    }));
    return worker.getEntrypoint().fetch(request);
  },
};
`;

/** As `loaderCode`, with the path as id; `/made` says how many workers were started. */
export const countingLoaderCode = (code: string): string => `
const code = ${JSON.stringify(code)};
let made = 0;
export default {
  async fetch(request, env) {
    const { pathname } = new URL(request.url);
    if (pathname === '/made') return new Response(String(made));
    const worker = env.LOADER.get(pathname, async () => {
      made += 1;
      return {
        compatibilityDate: '${COMPATIBILITY_DATE}',
        mainModule: 'main.js',
        modules: { 'main.js': code },
        globalOutbound: null,
      };
    });
    return worker.getEntrypoint().fetch(request);
  },
};
`;
