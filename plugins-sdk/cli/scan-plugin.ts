import type { Finding, ScanReport } from '../../registry/index.ts';
import type { LocalPlugin } from './load-plugin.ts';
import type { Paint } from './terminal.ts';

export interface ScanOptions {
  /** Whether it is run in the sandbox too. */
  run: boolean;
  /** Names of plugins that it may be taken for, `<publisher>/<name>`; nobody knows them without the registry. */
  otherPlugins?: readonly string[];
  /** 0 to 100. */
  onProgress?(percent: number): void;
}

/** The scan that the registry will do, on this machine: what it finds here is what a moderator would read. */
export async function scanPlugin(plugin: LocalPlugin, options: ScanOptions): Promise<ScanReport> {
  // Loaded here, because most commands need neither.
  const { observedFindings, reportOf, scanInWorker } = await import('../../registry/index.ts');
  const { run, otherPlugins = [], onProgress = () => {} } = options;
  const share = run ? 60 : 100;
  const found = await scanInWorker(plugin, {
    otherPlugins,
    onProgress: (percent) => onProgress(Math.floor((percent * share) / 100)),
  });
  if (!run) return reportOf(found, [], null);
  const { observeRelease } = await import('../../host/scanning/observe-release.ts');
  const dynamic = await observeRelease(plugin, {
    nowMs: Date.now,
    onProgress: (percent) => onProgress(share + Math.floor((percent * (100 - share)) / 100)),
  });
  onProgress(100);
  return reportOf(found, observedFindings(dynamic), dynamic);
}

const COLOURS = { info: 'dim', low: 'dim', medium: 'yellow', high: 'red', blocking: 'red' } as const;

/** One paragraph for each finding: what, where, why and what to do. */
export const findingText = (paint: Paint, { severity, family, place, explanation, fix, evidence }: Finding): string =>
  [
    `${paint(COLOURS[severity], severity)} ${family}${place === null ? '' : ` ${place.file}:${place.line}:${place.column}`}`,
    `  ${explanation}`,
    ...(evidence === '' ? [] : [`  ${paint('dim', evidence)}`]),
    `  ${fix}`,
  ].join('\n');

export function reportText(paint: Paint, name: string, { verdict, findings, omitted, dynamic }: ScanReport): string {
  const head = {
    clean: `${paint('green', '✔')} ${name}: nothing found`,
    notes: `${paint('yellow', '•')} ${name}: ${findings.length + omitted} to look at`,
    'second-look': `${paint('red', '✖')} ${name}: a moderator will have to take a second look`,
  }[verdict];
  const list = (names: readonly string[]) => names.join(', ') || 'none';
  const ran =
    dynamic === null
      ? []
      : [
          `run: ${dynamic.entries} handlers, ${dynamic.faults} faults; capabilities ${list(dynamic.capabilities)}; hosts ${list(dynamic.hosts)}`,
          ...(dynamic.unusedCapabilities.length + dynamic.unusedHosts.length > 0
            ? [`declared and not seen: ${list([...dynamic.unusedCapabilities, ...dynamic.unusedHosts])}`]
            : []),
        ];
  const more = omitted > 0 ? [`… and ${omitted} more`] : [];
  return [head, ...findings.map((finding) => findingText(paint, finding)), ...more, ...ran].join('\n');
}
