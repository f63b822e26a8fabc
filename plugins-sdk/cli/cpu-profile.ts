import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { RawProfile } from '../../sandbox/workbench/index.ts';
import { placeIn, type SourceMap } from '../map-frames.ts';

/** `Profiler.Profile`, as Chrome DevTools, VS Code and speedscope read it. */
export type CpuProfile = RawProfile;

/** One function with the time that was spent in it and not in what it called. */
export interface HotSpot {
  name: string;
  /** `src/pay.ts:12`, or whose it is: the guest runtime, the engine. */
  place: string;
  selfMs: number;
  /** Of all samples. */
  share: number;
}

/**
 * The profile with frames in the author's own files where the map knows them. `folder` makes their names such that tools
 * open them.
 */
export function mapProfile(raw: RawProfile, map: SourceMap | null, folder: string): CpuProfile {
  const nodes = raw.nodes.map((node) => {
    const { url, lineNumber, columnNumber } = node.callFrame;
    const place = map !== null && url === 'bundle.js' ? placeIn(map, lineNumber + 1, columnNumber + 1) : null;
    if (place === null) return node;
    const file = pathToFileURL(join(folder, place.source)).href;
    const callFrame = { ...node.callFrame, url: file, lineNumber: place.line - 1, columnNumber: place.column - 1 };
    // What a tool shows line by line would be lines of the bundle.
    return { ...node, callFrame, positionTicks: undefined };
  });
  return { ...raw, nodes };
}

/** The functions with the most time of their own, at most `max`. */
export function hotSpots({ nodes, samples = [], timeDeltas = [] }: CpuProfile, folder: string, max: number): HotSpot[] {
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const inside = nodesInside(nodes);
  const root = `${pathToFileURL(folder).href}/`;
  const spots = new Map<string, HotSpot>();
  let allMs = 0;
  for (const [index, id] of samples.entries()) {
    const { callFrame } = byId.get(id)!;
    if (!inside.has(id)) continue;
    // A delta may be negative where the sampler's thread was late.
    const ms = Math.max(0, timeDeltas[index] ?? 0) / 1_000;
    allMs += ms;
    const place = placeText(callFrame, root);
    const name = callFrame.functionName || '(anonymous)';
    const spot = spots.get(`${name} ${place}`) ?? { name, place, selfMs: 0, share: 0 };
    spot.selfMs += ms;
    spots.set(`${name} ${place}`, spot);
  }
  return [...spots.values()]
    .sort((a, b) => b.selfMs - a.selfMs)
    .slice(0, max)
    .map((spot) => ({ ...spot, share: allMs === 0 ? 0 : spot.selfMs / allMs }));
}

/** What the plugin and the guest runtime do, and the engine for them; not the process around, which is no part of a sandbox. */
function nodesInside(nodes: RawProfile['nodes']): Set<number> {
  const inside = new Set<number>();
  const parents = new Map(nodes.flatMap(({ id, children = [] }) => children.map((child) => [child, id] as const)));
  // Parents stand before their children.
  for (const { id, callFrame } of nodes) {
    const { url, functionName } = callFrame;
    const own = url === 'bundle.js' || url.startsWith('gatehouse:') || functionName === '(garbage collector)';
    const authors = url.startsWith('file:') && !url.includes('/sandbox/workbench/');
    if (own || authors || inside.has(parents.get(id) ?? 0)) inside.add(id);
  }
  return inside;
}

function placeText({ url, lineNumber }: RawProfile['nodes'][number]['callFrame'], root: string): string {
  if (url.startsWith(root)) return `${decodeURIComponent(url.slice(root.length))}:${lineNumber + 1}`;
  if (url === 'bundle.js') return `bundle.js:${lineNumber + 1}`;
  // The authors' own files have another address, so what is left is the workbench.
  const ours = url.startsWith('gatehouse:') || url.includes('/sandbox/workbench/');
  return ours ? 'Gatehouse' : url === '' ? 'the engine' : url;
}
