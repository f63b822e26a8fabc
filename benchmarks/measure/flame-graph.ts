/** The part of a V8 CPU profile that a picture needs. */
export interface CpuProfile {
  nodes: { id: number; callFrame: { functionName: string; url: string; lineNumber: number }; children?: number[] }[];
  samples: number[];
  /** Microseconds before each sample. */
  timeDeltas: number[];
}

interface Frame {
  name: string;
  place: string;
  /** With everything that it called. */
  totalUs: number;
  children: Frame[];
}

const [WIDTH, ROW, TOP, NARROWEST] = [1_600, 17, 64, 1];
const COLOURS: [part: string, colour: string][] = [
  ['/host/', '#93c5fd'],
  ['/sandbox/', '#fdba74'],
  ['/registry/', '#86efac'],
  ['/plugins-sdk/', '#d8b4fe'],
  ['/node_modules/', '#fde68a'],
  ['node:', '#d1d5db'],
];
/** Neither of them is work. */
const RESTING = new Set(['(idle)', '(program)']);

/** A picture of where the time of a profile went: a bar for each function, below the one that called it, as wide as it took long. */
export function flameGraphOf(profile: CpuProfile, title: string): string {
  const root = treeOf(profile);
  const bars: string[] = [];
  let depthMax = 0;
  const draw = (frame: Frame, x: number, depth: number): void => {
    const width = (frame.totalUs / root.totalUs) * WIDTH;
    if (width < NARROWEST) return;
    depthMax = Math.max(depthMax, depth);
    bars.push(barOf(frame, { x, y: TOP + depth * ROW, width }, frame.totalUs / root.totalUs));
    let at = x;
    for (const child of frame.children) {
      draw(child, at, depth + 1);
      at += (child.totalUs / root.totalUs) * WIDTH;
    }
  };
  draw(root, 0, 0);
  const height = TOP + (depthMax + 1) * ROW + 8;
  const legend = COLOURS.map(
    ([part, colour], at) =>
      `<rect x="${12 + at * 130}" y="36" width="12" height="12" fill="${colour}"/><text x="${28 + at * 130}" y="46">${escaped(part.replaceAll('/', ''))}</text>`,
  );
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height}" viewBox="0 0 ${WIDTH} ${height}" role="img" aria-label="${escaped(title)}" font-family="monospace" font-size="11" fill="#111827">`,
    '<rect width="100%" height="100%" fill="#ffffff"/>',
    `<text x="12" y="22" font-size="14" font-weight="bold">${escaped(`${title}: ${(root.totalUs / 1e6).toFixed(1)} s of work`)}</text>`,
    ...legend,
    ...bars,
    '</svg>',
    '',
  ].join('\n');
}

/** Calls of the same function by the same caller are one frame. The slowest come first; rest is left out. */
function treeOf({ nodes, samples, timeDeltas }: CpuProfile): Frame {
  const ownUs = new Map<number, number>();
  for (const [at, id] of samples.entries()) ownUs.set(id, (ownUs.get(id) ?? 0) + Math.max(0, timeDeltas[at] ?? 0));
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const frameOf = (alike: CpuProfile['nodes']): Frame => {
    const { functionName, url, lineNumber } = alike[0]!.callFrame;
    const groups = new Map<string, CpuProfile['nodes']>();
    for (const child of alike.flatMap(({ children = [] }) => children.map((id) => byId.get(id)!))) {
      const { callFrame } = child;
      if (RESTING.has(callFrame.functionName)) continue;
      const key = `${callFrame.functionName} ${callFrame.url} ${callFrame.lineNumber}`;
      groups.set(key, [...(groups.get(key) ?? []), child]);
    }
    const children = [...groups.values()].map(frameOf).toSorted((a, b) => b.totalUs - a.totalUs);
    const own = alike.reduce((sum, { id }) => sum + (ownUs.get(id) ?? 0), 0);
    const totalUs = own + children.reduce((sum, child) => sum + child.totalUs, 0);
    return { name: functionName || '(anonymous)', place: url && `${url}:${lineNumber + 1}`, totalUs, children };
  };
  return frameOf([nodes[0]!]);
}

function barOf(
  { name, place, totalUs }: Frame,
  { x, y, width }: { x: number; y: number; width: number },
  share: number,
) {
  const colour = COLOURS.find(([part]) => place.includes(part))?.[1] ?? '#fca5a5';
  const letters = Math.floor((width - 4) / 6.6);
  const label =
    letters > 2 ? `<text x="${(x + 2).toFixed(1)}" y="${y + 12}">${escaped(name.slice(0, letters))}</text>` : '';
  const told = `${name} ${place} ${(totalUs / 1_000).toFixed(1)} ms, ${(share * 100).toFixed(1)} %`;
  return `<g><title>${escaped(told)}</title><rect x="${x.toFixed(1)}" y="${y}" width="${Math.max(0.3, width - 0.3).toFixed(1)}" height="${ROW - 1}" fill="${colour}"/>${label}</g>`;
}

const ESCAPES: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };
const escaped = (text: string): string => text.replace(/[&<>"]/g, (each) => ESCAPES[each]!);
