import { edgeMs, quantileBucket } from '../rollouts/rules/latency-buckets.ts';
import { OPERATORS_MIN, type PluginFigures, type PluginUse } from './contract.ts';
import { addDurations, type UseCell } from './rules/shown-use.ts';
import type { DayRow } from './statistics-store.ts';

type Capabilities = DayRow['capabilities'];

/** Adds up what may be told. */
export interface FigureSum {
  addCounts(row: Pick<DayRow, 'views' | 'installs' | 'updates' | 'uninstalls'>): void;
  setActive(active: number): void;
  addUse(cell: Pick<UseCell, 'invocations' | 'faults' | 'durations'>, capabilities: Capabilities): void;
  figures(): PluginFigures;
}

export function figureSum(): FigureSum {
  const counts = { views: 0, installs: 0, updates: 0, uninstalls: 0, active: 0 };
  let use: Pick<UseCell, 'invocations' | 'faults' | 'durations'> | null = null;
  const called = new Map<string, { calls: number; refused: number }>();
  return {
    addCounts: (row) => {
      for (const name of ['views', 'installs', 'updates', 'uninstalls'] as const) counts[name] += row[name];
    },
    setActive: (active) => {
      counts.active = active;
    },
    addUse: ({ invocations, faults, durations }, capabilities) => {
      use = {
        invocations: (use?.invocations ?? 0) + invocations,
        faults: (use?.faults ?? 0) + faults,
        durations: addDurations(use?.durations ?? [], durations),
      };
      for (const [name, { calls, refused, operators }] of Object.entries(capabilities)) {
        // Something that one operator alone makes it do would tell of that one.
        if (operators < OPERATORS_MIN) continue;
        const sum = called.get(name) ?? { calls: 0, refused: 0 };
        called.set(name, { calls: sum.calls + calls, refused: sum.refused + refused });
      }
    },
    figures: () => ({ ...counts, use: use && describeUse(use, called) }),
  };
}

function describeUse(
  { invocations, faults, durations }: Pick<UseCell, 'invocations' | 'faults' | 'durations'>,
  called: Map<string, { calls: number; refused: number }>,
): PluginUse {
  const answered = durations.some((calls) => calls > 0);
  return {
    invocations,
    errors: faults,
    errorRate: invocations === 0 ? 0 : faults / invocations,
    p95Ms: answered ? Math.round(edgeMs(quantileBucket(durations, 0.95)) * 100) / 100 : null,
    capabilities: [...called]
      .map(([name, sum]) => ({ name, ...sum }))
      .sort((a, b) => b.calls - a.calls || (a.name < b.name ? -1 : 1)),
  };
}
