import { can, type Principal, RegistryRefusal } from '../../registry/index.ts';
import { HostRefusal } from '../errors.ts';
import {
  OPERATORS_MIN,
  type PluginFigures,
  type PluginStatistics,
  RANGE_DAYS_MAX,
  type Statistics,
  type StatisticsRange,
} from './contract.ts';
import { shownCapabilities, shownUse } from './rules/shown-use.ts';
import type { DayRow, StatisticsStore } from './statistics-store.ts';
import { type FigureSum, figureSum } from './sum-figures.ts';

const DAY_MS = 86_400_000;
const DAYS_SHOWN = 30;
/** Nothing was counted before, and years before the first are none that a database knows. */
const FIRST_MS = Date.parse('2020-01-01');

/** What publishers are told about the use of their plugins: sums over all operators, and never who they are. */
export function createStatistics(ports: { store: StatisticsStore; nowMs(): number }): Statistics {
  const { store, nowMs } = ports;
  return {
    async ofPlugin(actor, plugin, wish) {
      const range = rangeOf(wish, nowMs());
      const [publisher = '', name = ''] = plugin.split('/');
      const found = await store.findPlugin({ publisher, name });
      if (found === null || !mayRead(actor, found.publisherId)) {
        throw new RegistryRefusal('plugin-unknown', undefined, { plugin });
      }
      const rows = await store.ofPlugin(found.id, range);
      const last = await store.lastCounted(range);
      return { plugin, ...range, ...frameOf(last), ...describePlugin(rows, range, last?.day) };
    },
    async ofPublisher(actor, publisher, wish) {
      const range = rangeOf(wish, nowMs());
      if (actor.organisation.slug !== publisher && actor.organisation.kind !== 'platform') {
        throw new RegistryRefusal('organisation-foreign');
      }
      const rows = Map.groupBy(await store.ofPublisher(publisher, range), ({ plugin }) => plugin);
      const plugins = (await store.pluginsOf(publisher)).map((name) => `${publisher}/${name}`);
      const last = await store.lastCounted(range);
      return {
        publisher,
        ...range,
        ...frameOf(last),
        plugins: plugins.map((plugin) => ({ plugin, ...describeWhole(rows.get(plugin) ?? [], last?.day) })),
      };
    },
  };
}

const mayRead = ({ organisation, role }: Principal, publisherId: string): boolean =>
  organisation.id === publisherId || (organisation.kind === 'platform' && can(role, 'statistics:read'));

const frameOf = (last: { at: Date } | null) => ({
  countedAt: last?.at.toISOString() ?? null,
  operatorsMin: OPERATORS_MIN,
});

/** The last 30 days where nothing is said. Refuses with: statistics-range-invalid. */
function rangeOf({ from, to }: Partial<StatisticsRange>, nowMs: number): StatisticsRange {
  const end = to ?? dayOf(nowMs);
  const endMs = Date.parse(end);
  const begin = from ?? (Number.isNaN(endMs) ? end : dayOf(endMs - (DAYS_SHOWN - 1) * DAY_MS));
  const beginMs = Date.parse(begin);
  const days = (endMs - beginMs) / DAY_MS + 1;
  // There is no 31 February, whatever it is taken for.
  const exist = days >= 1 && beginMs >= FIRST_MS && dayOf(endMs) === end && dayOf(beginMs) === begin;
  if (!exist || days > RANGE_DAYS_MAX) {
    throw new HostRefusal('statistics-range-invalid', undefined, { from: begin, to: end, daysMax: RANGE_DAYS_MAX });
  }
  return { from: begin, to: end };
}

const dayOf = (ms: number): string => new Date(ms).toISOString().slice(0, 10);

/** What may be told of days of a plugin as a whole. */
function describeWhole(rows: DayRow[], lastDay: string | undefined): PluginFigures {
  const sum = figureSum();
  for (const row of rows) addWhole(sum, row, lastDay);
  return sum.figures();
}

function addWhole(sum: FigureSum, row: DayRow, lastDay: string | undefined): void {
  sum.addCounts(row);
  if (row.day === lastDay) sum.setActive(row.active);
  if (row.operators >= OPERATORS_MIN) sum.addUse(row, row.capabilities);
}

function describePlugin(
  rows: DayRow[],
  { from, to }: StatisticsRange,
  lastDay: string | undefined,
): Pick<PluginStatistics, 'total' | 'days' | 'releases'> {
  const byDay = Map.groupBy(rows, ({ day }) => day);
  const days: PluginStatistics['days'] = [];
  const total = figureSum();
  const releases = new Map<string | null, { version: string | null; sum: FigureSum }>();
  const releaseSum = (id: string | null, version: string | null) => {
    const found = releases.get(id) ?? { version, sum: figureSum() };
    releases.set(id, found);
    return found.sum;
  };
  for (let ms = Date.parse(from); ms <= Date.parse(to); ms += DAY_MS) {
    const day = dayOf(ms);
    const ofDay = byDay.get(day) ?? [];
    const whole = ofDay.find(({ releaseId }) => releaseId === null);
    const one = figureSum();
    if (whole !== undefined) {
      addWhole(total, whole, lastDay);
      addWhole(one, whole, day);
    }
    days.push({ day, ...one.figures() });
    const each = ofDay.filter(({ releaseId }) => releaseId !== null);
    for (const row of each) {
      const sum = releaseSum(row.releaseId, row.version);
      sum.addCounts(row);
      if (day === lastDay) sum.setActive(row.active);
    }
    const cells = shownUse(whole ?? { operators: 0 }, each, OPERATORS_MIN);
    const told = shownCapabilities(each, new Set(cells.map(({ releaseId }) => releaseId)), OPERATORS_MIN);
    for (const cell of cells) {
      const row = each.find(({ releaseId }) => releaseId === cell.releaseId);
      releaseSum(cell.releaseId, row?.version ?? null).addUse(cell, told.get(cell.releaseId) ?? {});
    }
  }
  // Ids of releases are in the order in which these were published; what is together comes last.
  const newestFirst = [...releases].sort(([a], [b]) => (a === null ? 1 : b === null ? -1 : a < b ? 1 : -1));
  return {
    total: total.figures(),
    days,
    releases: newestFirst.map(([, { version, sum }]) => ({ version, ...sum.figures() })),
  };
}
