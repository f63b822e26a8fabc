import { createSocket } from 'node:dgram';
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { closeBlackBox } from '../black-box.ts';
import { confineCommand } from '../confinement/confine-command.ts';
import { ALL_LAYERS, type KernelLayer } from '../confinement/layers.ts';
import {
  type CordonProcess,
  confinedCordon,
  confinementOf,
  ENGINE_ARGUMENTS,
  permissionArguments,
  startCordon,
} from '../launch-cordon.ts';
import { nextAccount } from '../privileges.ts';
import type { Armour, AttemptResult, Targets } from './attempt.ts';

const HERE = import.meta.dirname;
const ROOT = resolve(HERE, '../..');
const SANDBOX = resolve(HERE, '..');
/** More than a cordon reads: the drill's code is not bundled. */
const READABLE = [`${SANDBOX}/`, join(ROOT, 'package.json')];
/** In everything that must stay secret. */
export const SECRET = 'drill-secret-7c1f0d';

export interface DrillReport {
  main: AttemptResult[];
  thread: AttemptResult[];
  /** What the targets noticed; all empty where nothing was reached. */
  noticed: { connections: number; datagrams: number; changes: string[] };
  /** Kernel layers that were used. */
  active: KernelLayer[];
}

/** A host with secrets, servers, and everything open that carelessness leaves open; `close` ends it. */
async function openTargets({ otherPids, reckless }: Pick<Targets, 'otherPids' | 'reckless'>) {
  const folder = mkdtempSync(join(tmpdir(), 'gatehouse-drill-'));
  chmodSync(folder, 0o755);
  const path = (name: string) => join(folder, name);
  const [openFolder, socketPath] = [path('open'), path('.s.PGSQL.5432')];
  mkdirSync(openFolder);
  chmodSync(openFolder, 0o777);
  writeFileSync(path('secret.pem'), SECRET, { mode: 0o600 });
  writeFileSync(path('open.env'), `SECRET=${SECRET}`);
  writeFileSync(path('open.mjs'), `export default '${SECRET}'`);
  writeFileSync(path('open.json'), JSON.stringify(SECRET));
  const noticed = { connections: 0, datagrams: 0, changes: [] as string[] };
  const listen = (address: object) =>
    new Promise<ReturnType<typeof createServer>>((resolve, reject) => {
      const server = createServer((socket) => {
        noticed.connections++;
        socket.destroy();
      }).on('error', reject);
      server.listen(address, () => resolve(server));
    });
  const abstractName = `gatehouse-drill-${process.pid}`;
  const servers = [
    await listen({ port: 0, host: '127.0.0.1' }),
    await listen({ path: socketPath, readableAll: true, writableAll: true }),
    await listen({ path: `\0${abstractName}` }),
  ];
  const datagrams = createSocket('udp4').on('message', () => noticed.datagrams++);
  await new Promise<void>((resolve) => datagrams.bind(0, '127.0.0.1', resolve));
  const look = () =>
    readdirSync(folder, { recursive: true })
      .map((name) => String(name))
      .sort();
  const before = look();
  const targets: Targets = {
    hostPid: process.pid,
    otherPids,
    tcpPort: (servers[0]!.address() as AddressInfo).port,
    udpPort: datagrams.address().port,
    socketPath,
    abstractName,
    secretFile: path('secret.pem'),
    openFile: path('open.env'),
    openScript: path('open.mjs'),
    openFolder,
    checkoutFile: join(ROOT, 'README.md'),
    ownFile: join(HERE, '../frames.ts'),
    lanes: 1,
    reckless,
  };
  const close = () => {
    noticed.changes = look().filter((name) => !before.includes(name));
    if (!readFileSync(targets.openFile, 'utf8').includes(SECRET)) noticed.changes.push(targets.openFile);
    if (readFileSync(targets.secretFile, 'utf8') !== SECRET) noticed.changes.push(targets.secretFile);
    for (const server of servers) server.close();
    datagrams.close();
    rmSync(folder, { recursive: true, force: true });
    return noticed;
  };
  return { targets, close };
}

export interface DrillOptions {
  armour: Armour;
  /** Kernel layers to use, where the machine grants them; all where absent. */
  layers?: KernelLayer[];
  otherPids: Targets['otherPids'];
}

/** Makes every attempt once, in a cordon's main thread and in a lane. */
export async function runDrill({ armour, layers = ALL_LAYERS, otherPids }: DrillOptions): Promise<DrillReport> {
  const granted = await confinementOf('auto');
  const active = new Set(layers.filter((layer) => granted.layers.has(layer)));
  const { targets, close } = await openTargets({ otherPids, reckless: active.has('system-call-filter') });
  const permissions = armour === 'shipped' ? permissionArguments(READABLE) : ['--disable-warning=ExperimentalWarning'];
  const node = [process.execPath, ...ENGINE_ARGUMENTS, ...permissions, join(HERE, 'drill-cordon.ts')];
  const command = [...node, armour, String(nextAccount()), JSON.stringify(targets)];
  const confined = { ...confinedCordon(1, READABLE, SANDBOX), layers: active, tools: granted.tools };
  try {
    const said = await hear(startCordon(confineCommand(command, confined), 1, SANDBOX));
    const noticed = close();
    return { ...(JSON.parse(said) as Pick<DrillReport, 'main' | 'thread'>), noticed, active: [...active] };
  } catch (error) {
    close();
    throw error;
  }
}

/** What the cordon says on its lane until the end of the line; then it is killed. */
async function hear({ child, control, stderr, lanes, blackBoxFd }: CordonProcess): Promise<string> {
  let [said, complained] = ['', ''];
  control.on('error', () => {}).resume();
  stderr.on('data', (chunk) => {
    complained += chunk;
  });
  const ended = new Promise<string>((resolve) =>
    child.once('exit', (code, signal) => resolve(`it ended with ${signal ?? code}`)),
  );
  const { toLane, fromLane } = lanes[0]!;
  const lane = fromLane.on('error', () => {});
  await new Promise<void>((resolve) => {
    lane.once('close', resolve).on('data', (chunk) => {
      said += chunk;
      if (said.endsWith('\n')) resolve();
    });
  });
  child.kill('SIGKILL');
  const end = await ended;
  closeBlackBox(blackBoxFd);
  for (const stream of [control, toLane, fromLane]) stream.destroy();
  if (!said.endsWith('\n')) throw new Error(`the drill did not report: ${end} ${complained}`);
  return said;
}

/** In a process of its own, so that other accounts can run it: `<DrillOptions as JSON>`. */
if (import.meta.main) {
  process.stdout.write(`${JSON.stringify(await runDrill(JSON.parse(process.argv[2]!) as DrillOptions))}\n`);
}
