import { type ChildProcess, spawn } from 'node:child_process';
import { Socket } from 'node:net';
import { constants } from 'node:os';
import type { Duplex, Readable, Writable } from 'node:stream';
import { closeBlackBox, openBlackBox } from './black-box.ts';
import { bundleCordon } from './bundle-cordon.ts';
import { type Confined, confineCommand } from './confinement/confine-command.ts';
import { type Confinement, type ConfinementMode, detectConfinement, kindOf } from './confinement/detect-confinement.ts';
import { CONTROL_FD, laneFds } from './descriptors.ts';
import { closeAll, type LanePipe, takeLanePipes } from './lane-pipes.ts';
import { hasOwnAccounts, nextAccount } from './privileges.ts';

const HERE = import.meta.dirname;
/** `--permission` denies the network from this major on. */
export const NETWORK_DENYING_NODE_MAJOR = 25;
/** An event loop takes about ten descriptors, and Node.js a dozen threads; the rest is room. */
const DESCRIPTORS = { base: 256, perLane: 16 };
const THREADS = { base: 128, perLane: 4 };

const PROFILE_MS = 2_000;

export interface CordonSize {
  lanes: number;
  isolatesPerLane: number;
  residentMiBMax: number;
}

/** Two ways, see descriptors.ts. */
export interface LaneWays {
  toLane: Writable;
  fromLane: Readable;
}

export interface CordonProcess {
  /** The process that was started: the cordon, or one that waits for it and takes it along when it is killed. */
  child: ChildProcess;
  control: Duplex;
  stderr: Readable;
  lanes: LaneWays[];
  blackBoxFd: number;
}

export type LaunchCordon = (size: CordonSize) => CordonProcess;

/** What Node.js itself denies a process that starts with this. */
export const permissionArguments = (readable: string[]): string[] => [
  '--permission',
  '--allow-addons',
  '--allow-worker',
  ...readable.map((path) => `--allow-fs-read=${path}`),
  // "--allow-addons must be used with extreme caution": it is.
  '--disable-warning=SecurityWarning',
  '--disable-warning=ExperimentalWarning',
];

/** Arguments of every cordon. */
export const ENGINE_ARGUMENTS = [
  '--no-node-snapshot',
  // V8 compiles and collects garbage on the thread that caused it. So that work is billed to the invocation (a flood of
  // promises used 30 of 150 ms on its own thread, the rest on V8's helpers), and every loop can be interrupted: with
  // concurrent compilation a tight loop often ran on for seconds after its timeout (both measured, Node 26.10).
  '--single-threaded',
  // So its helpers have next to nothing to do, and each time all four of them would wake up.
  '--v8-pool-size=1',
  // V8 waits for 400 calls of a function, and for 500 after it last learned of a new type, before it optimises it. With many isolates in turn
  // none of them comes that far for long, and code that is not optimised touches most memory: see benchmarks/README.md.
  '--invocation-count-for-maglev=30',
  '--minimum-invocations-after-ic-update=20',
];

/** What the kernel has to know to confine a cordon with so many lanes that reads `readable` and starts in `cwd`. */
export function confinedCordon(lanes: number, readable: string[] = [], cwd = '/'): Omit<Confined, 'layers' | 'tools'> {
  return {
    isRoot: process.getuid?.() === 0,
    hasOwnAccount: hasOwnAccounts(),
    arch: process.arch,
    root: { readable: [process.execPath, ...readable], cwd, kindOf },
    descriptorsMax: DESCRIPTORS.base + DESCRIPTORS.perLane * lanes,
    threadsMax: THREADS.base + THREADS.perLane * lanes,
  };
}

const detected = new Map<ConfinementMode, Promise<Confinement>>();

/** The layers that cordons of this process get; tries them the first time. Rejects with ConfinementMissing where `required` cannot be had. */
export function confinementOf(mode: ConfinementMode): Promise<Confinement> {
  let confinement = detected.get(mode);
  if (!confinement) {
    confinement = detectConfinement(mode, confinedCordon(1));
    detected.set(mode, confinement);
  }
  return confinement;
}

/** Starts cordons that can do as little as the machine allows. Ready when their code is. */
export async function cordonLauncher({ layers, tools }: Confinement, isProfiled = false): Promise<LaunchCordon> {
  const { folder, main, readable: engine, keep } = await bundleCordon(isProfiled ? PROFILE_MS : 0);
  const readable = [`${folder}/`, ...engine];
  const node = [
    process.execPath,
    ...ENGINE_ARGUMENTS,
    ...permissionArguments(readable),
    ...(isProfiled ? ['--allow-inspector'] : []),
    main,
  ];
  /** By number of lanes: making one looks at a dozen paths, and the host answers nobody meanwhile. */
  const commands = new Map<number, string[]>();
  return ({ lanes, isolatesPerLane, residentMiBMax }) => {
    const command =
      commands.get(lanes) ?? confineCommand(node, { ...confinedCordon(lanes, readable, folder), layers, tools });
    commands.set(lanes, command);
    keep();
    // What is started is the end of the command.
    return startCordon(
      [...command, ...[lanes, isolatesPerLane, residentMiBMax, nextAccount()].map(String)],
      lanes,
      folder,
    );
  };
}

/**
 * Starts a process with an empty environment and the descriptors of a cordon, see descriptors.ts. Close the black box when the
 * process is gone.
 */
export function startCordon([program, ...args]: string[], lanes: number, cwd = HERE): CordonProcess {
  const blackBoxFd = openBlackBox(lanes);
  let pipes: LanePipe[] = [];
  try {
    pipes = takeLanePipes(lanes);
    const child = spawn(program!, args, {
      // Node 26.10 lets worker threads read everything below the working folder, whatever --allow-fs-read says.
      cwd,
      env: {},
      stdio: [
        ...(['ignore', 'ignore', 'pipe', blackBoxFd, 'pipe'] as const),
        ...pipes.flatMap(({ hearFd, pollFd }) => [hearFd, pollFd, 'pipe' as const]),
      ],
    });
    const stdio = child.stdio as unknown as Duplex[] | undefined;
    if (!stdio) {
      // It is told by the event, too, which would end the host if nobody heard it.
      child.on('error', () => {});
      throw new Error('there are no descriptors left for a process');
    }
    const ways = pipes.map(({ writeFd }, lane) => ({
      toLane: new Socket({ fd: writeFd, readable: false, writable: true }),
      fromLane: stdio[laneFds(lane).speakFd]!,
    }));
    closeAll(pipes.flatMap(({ hearFd, pollFd }) => [hearFd, pollFd]));
    return { child, control: stdio[CONTROL_FD]!, stderr: child.stderr as Readable, lanes: ways, blackBoxFd };
  } catch (error) {
    closeAll(pipes.flatMap(({ writeFd, hearFd, pollFd }) => [writeFd, hearFd, pollFd]));
    closeBlackBox(blackBoxFd);
    throw error;
  }
}

const SIGNALLED = 128;

/** How the cordon ended, by the exit of the process that was started: a shell that waited for it says 128 + signal. */
export function exitOf(code: number | null, signal: string | null): { code: number | null; signal: string | null } {
  if (code === null || code <= SIGNALLED) return { code, signal };
  const found = Object.entries(constants.signals).find(([, number]) => number === code - SIGNALLED);
  return found ? { code: null, signal: found[0] } : { code, signal };
}
