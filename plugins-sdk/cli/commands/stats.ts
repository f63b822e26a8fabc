import { InvalidArgumentError } from 'commander';
import type {
  PluginFigures,
  PluginStatistics,
  PublisherStatistics,
  StatisticsRange,
} from '../../../host/statistics/contract.ts';
import { type Cli, verb } from '../command-line.ts';
import { CliError } from '../errors.ts';
import { parsePluginName } from '../plugin-name.ts';
import { columns, oneLine, type Paint } from '../terminal.ts';

const DAY_MS = 86_400_000;
const DAYS_SHOWN = 30;
const DAYS_MAX = 366;
const BARS = '▁▂▃▄▅▆▇█';

/** One bar for each value, as high as its share of the largest; a dot where there is none. */
export function chart(values: (number | null)[]): string {
  const most = Math.max(0, ...values.map((value) => value ?? 0));
  return values
    .map((value) => {
      if (value === null) return '·';
      if (value === 0) return ' ';
      return BARS[Math.min(BARS.length - 1, Math.floor((value / most) * BARS.length))];
    })
    .join('');
}

const counted = (value: number) => value.toLocaleString('en');
const useCells = ({ use }: PluginFigures): string[] =>
  use === null
    ? ['-', '-', '-']
    : [
        counted(use.invocations),
        `${(use.errorRate * 100).toFixed(2)} %`,
        use.p95Ms === null ? '-' : `${counted(use.p95Ms)} ms`,
      ];
const countCells = ({ views, installs, updates, uninstalls, active }: PluginFigures) =>
  [views, installs, updates, uninstalls, active].map(counted);
const HEADS = ['VIEWS', 'INSTALLS', 'UPDATES', 'UNINSTALLS', 'ACTIVE', 'INVOCATIONS', 'ERRORS', 'P95'];

const footOf = ({ countedAt, operatorsMin }: Pick<PluginStatistics, 'countedAt' | 'operatorsMin'>, paint: Paint) =>
  paint(
    'dim',
    `${countedAt === null ? 'No day was counted yet' : `Counted ${countedAt}`}; use is told where at least ${operatorsMin} operators made it.`,
  );

/** Totals, releases, capabilities, and a chart of days. */
export function statisticsText(paint: Paint, statistics: PluginStatistics): string {
  const { plugin, from, to, total, days, releases } = statistics;
  const charts: [string, (number | null)[]][] = [
    ['views', days.map(({ views }) => views)],
    ['installs', days.map(({ installs }) => installs)],
    ['active', days.map(({ active }) => active)],
    ['invocations', days.map(({ use }) => use?.invocations ?? null)],
    ['errors', days.map(({ use }) => use?.errors ?? null)],
  ];
  const rows = [
    ['total', ...countCells(total), ...useCells(total)],
    ...releases.map((each) => [each.version ?? '(several)', ...countCells(each), ...useCells(each)]),
  ];
  const capabilities = (total.use?.capabilities ?? []).map(({ name, calls, refused }) => [
    name,
    counted(calls),
    counted(refused),
  ]);
  return [
    `${paint('bold', plugin)} from ${from} to ${to}`,
    ...charts.map(([name, values]) => {
      const most = Math.max(0, ...values.map((value) => value ?? 0));
      return `  ${name.padEnd(11)} ${chart(values)}  ${paint('dim', `at most ${counted(most)} a day`)}`;
    }),
    '',
    columns(paint, ['RELEASE', ...HEADS], rows),
    ...(capabilities.length === 0 ? [] : ['', columns(paint, ['CAPABILITY', 'CALLS', 'REFUSED'], capabilities)]),
    '',
    footOf(statistics, paint),
  ].join('\n');
}

export function publisherText(paint: Paint, statistics: PublisherStatistics): string {
  const { publisher, from, to, plugins } = statistics;
  const rows = plugins.map((each) => [each.plugin, ...countCells(each), ...useCells(each)]);
  return [
    `${paint('bold', publisher)} from ${from} to ${to}`,
    rows.length === 0 ? 'Nothing was published yet.' : columns(paint, ['PLUGIN', ...HEADS], rows),
    footOf(statistics, paint),
  ].join('\n');
}

const CSV_HEADS = 'views,installs,updates,uninstalls,active,invocations,errors,p95Ms';
const csvOf = (name: string, { views, installs, updates, uninstalls, active, use }: PluginFigures) =>
  [name, views, installs, updates, uninstalls, active, use?.invocations, use?.errors, use?.p95Ms]
    .map((value) => value ?? '')
    .join(',');

/** Comma-separated values (RFC 4180) with a line for each day; empty where use is not told. */
export const statisticsCsv = ({ days }: PluginStatistics): string =>
  [`day,${CSV_HEADS}`, ...days.map((each) => csvOf(each.day, each))].join('\n');

/** The same with a line for each plugin. */
export const publisherCsv = ({ plugins }: PublisherStatistics): string =>
  [`plugin,${CSV_HEADS}`, ...plugins.map((each) => csvOf(oneLine(each.plugin), each))].join('\n');

/** The last so many days, in UTC. */
export const lastDays = (days: number, nowMs: number): StatisticsRange => {
  const dayOf = (ms: number) => new Date(ms).toISOString().slice(0, 10);
  return { from: dayOf(nowMs - (days - 1) * DAY_MS), to: dayOf(nowMs) };
};

export function statsCommand(cli: Cli): void {
  verb(cli, {
    name: 'stats',
    summary: 'Show how your plugins are viewed, installed and used',
    examples: [
      'gate stats',
      'gate stats acme-labs/hello-http --days 90',
      'gate stats acme-labs/hello-http --csv > hello-http.csv',
    ],
  })
    .argument('[plugin]', '<publisher>/<name>; every plugin of your organisation where absent')
    .option('--days <count>', `how many days, up to today; default ${DAYS_SHOWN}, at most ${DAYS_MAX}`, readDays)
    .option('--csv', 'as comma-separated values: a line for each day, or each plugin')
    .action(
      cli.answer(async (plugin: string | undefined, { days = DAYS_SHOWN, csv }: { days?: number; csv?: true }) => {
        const api = await cli.api();
        const range = lastDays(days, Date.now());
        if (plugin !== undefined) {
          const value = await api.pluginStatistics(parsePluginName(plugin).plugin, range);
          return { value, text: (paint) => (csv ? statisticsCsv(value) : statisticsText(paint, value)) };
        }
        const { organisation } = await api.whoami();
        if (organisation.kind !== 'publisher') {
          throw new CliError('usage', 'Statistics are for publishers: use a token of one, or name a plugin.');
        }
        const value = await api.publisherStatistics(organisation.slug, range);
        return { value, text: (paint) => (csv ? publisherCsv(value) : publisherText(paint, value)) };
      }),
    );
}

function readDays(text: string): number {
  const days = Number(text);
  if (Number.isInteger(days) && days >= 1 && days <= DAYS_MAX) return days;
  throw new InvalidArgumentError(`It is a whole number from 1 to ${DAYS_MAX}.`);
}
