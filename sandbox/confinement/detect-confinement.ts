import { spawn } from 'node:child_process';
import { existsSync, lstatSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { type Confined, confineCommand, type Tools } from './confine-command.ts';
import { ALL_LAYERS, KERNEL_LAYERS, type KernelLayer, type LayerFinding } from './layers.ts';
import type { RootSources } from './own-root.ts';

/** `auto`: what the machine grants. `required`: all of it, or no start. `off`: none; for development on odd machines. */
export const CONFINEMENT_MODES = ['auto', 'required', 'off'] as const;
export type ConfinementMode = (typeof CONFINEMENT_MODES)[number];

const TOOL_FOLDERS = ['/usr/bin', '/usr/sbin', '/bin', '/sbin'];
const PROBE_MS_MAX = 30_000;
/** Least first: what is given up in turn where layers work one by one and not together. */
const SURRENDER: KernelLayer[] = [
  'own-root',
  'own-network',
  'system-call-filter',
  'resource-limits',
  'no-new-privileges',
];

export interface Confinement {
  mode: ConfinementMode;
  layers: ReadonlySet<KernelLayer>;
  findings: LayerFinding[];
  tools: Tools;
}

const findTool = (name: string): string | null =>
  TOOL_FOLDERS.map((folder) => join(folder, name)).find((path) => existsSync(path)) ?? null;

const findTools = (): Tools => ({
  unshare: findTool('unshare'),
  setpriv: findTool('setpriv'),
  prlimit: findTool('prlimit'),
  perl: findTool('perl'),
  sh: findTool('sh'),
  env: findTool('env'),
});

/** The machine does not grant what was required. The message says what is lacking and how to get it. */
export class ConfinementMissing extends Error {
  override name = 'ConfinementMissing';
}

/** What is at a path, for the root of a cordon. */
export function kindOf(path: string): ReturnType<RootSources['kindOf']> {
  const stats = lstatSync(path, { throwIfNoEntry: false });
  if (!stats) return null;
  if (stats.isSymbolicLink()) return { linkTo: readlinkSync(path) };
  return stats.isDirectory() ? 'folder' : 'file';
}

/** Starts something within layers; resolves with why that did not work, null where it did. */
export type Probe = (layers: ReadonlySet<KernelLayer>) => Promise<string | null>;

/**
 * Tries which layers this machine grants, together where that works, else one by one. Takes one process start where
 * everything works, so call it once.
 */
export async function detectLayers(probe: Probe): Promise<LayerFinding[]> {
  const finding = (layer: KernelLayer, why: string | null): LayerFinding => ({
    layer,
    state: why === null ? 'active' : 'unavailable',
    stops: KERNEL_LAYERS[layer].stops,
    why: why === null ? '' : `${why} ${KERNEL_LAYERS[layer].get}`,
  });
  if ((await probe(new Set(ALL_LAYERS))) === null) return ALL_LAYERS.map((layer) => finding(layer, null));
  const faults = new Map<KernelLayer, string | null>();
  for (const layer of ALL_LAYERS) faults.set(layer, await probe(new Set([layer])));
  const granted = new Set(ALL_LAYERS.filter((layer) => faults.get(layer) === null));
  for (const layer of SURRENDER) {
    const why = granted.size > 0 ? await probe(granted) : null;
    if (why === null) break;
    if (granted.delete(layer)) faults.set(layer, `It does not work together with the others: ${why}`);
  }
  return ALL_LAYERS.map((layer) => finding(layer, faults.get(layer) ?? null));
}

/** A probe that runs `node --version` as a cordon would be run. */
const processProbe =
  (confined: Omit<Confined, 'layers'>): Probe =>
  async (layers) => {
    if (process.platform !== 'linux') return `This system (${process.platform}) has no such layer.`;
    let command: string[];
    try {
      command = confineCommand([process.execPath, '--version'], { ...confined, layers });
    } catch (error) {
      return (error as Error).message;
    }
    const child = spawn(command[0]!, command.slice(1), {
      env: {},
      cwd: confined.root.cwd,
      // Descriptor 4 is where the number of the process is told.
      stdio: ['ignore', 'ignore', 'pipe', 'ignore', 'pipe'],
      timeout: PROBE_MS_MAX,
      killSignal: 'SIGKILL',
    });
    const failed = new Promise<string>((resolve) => child.once('error', ({ message }) => resolve(message)));
    const ended = new Promise<string | null>((resolve) =>
      child.once('exit', (code, signal) => resolve(code === 0 ? null : `it ended with ${signal ?? code}`)),
    );
    const said = text(child.stderr!);
    for (const stream of child.stdio) stream?.on('error', () => {});
    (child.stdio[4] as Readable).resume();
    const why = await Promise.race([failed, ended]);
    return why === null ? null : ((await said).trim().split('\n')[0] || why).replace(/\.?$/, '.');
  };

/** The layers that cordons of this process get. Rejects with ConfinementMissing where `required` cannot be had. */
export async function detectConfinement(
  mode: ConfinementMode,
  confined: Omit<Confined, 'layers' | 'tools'>,
): Promise<Confinement> {
  const tools = findTools();
  if (mode === 'off') {
    const off = (layer: KernelLayer): LayerFinding => ({
      layer,
      state: 'off',
      stops: KERNEL_LAYERS[layer].stops,
      why: 'Confinement is switched off.',
    });
    return { mode, layers: new Set(), findings: ALL_LAYERS.map(off), tools };
  }
  const findings = await detectLayers(processProbe({ ...confined, tools }));
  const missing = findings.filter(({ state }) => state !== 'active');
  if (mode === 'required' && missing.length > 0) {
    const list = missing.map(({ layer, why }) => `\n  ${layer}: ${why}`).join('');
    throw new ConfinementMissing(`Confinement is required, and this machine does not grant:${list}`);
  }
  const layers = new Set(findings.filter(({ state }) => state === 'active').map(({ layer }) => layer));
  return { mode, layers, findings, tools };
}
