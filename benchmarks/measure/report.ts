import type { Circumstances } from './circumstances.ts';
import type { RunningHost } from './processes.ts';
import type { KeptProfile } from './profile-host.ts';
import { formatNumber, median, spread } from './statistics.ts';

/** One question, one answer. */
export interface Benchmark {
  question: string;
  run(options: BenchmarkOptions): Promise<Measured>;
  /** What a host is profiled at, for so many seconds. */
  profiled?(host: RunningHost, seconds: number): Promise<void>;
}

export interface BenchmarkOptions {
  /** How often every candidate is measured, in turn with the others. */
  rounds: number;
  /** Length of one measurement under load. */
  seconds: number;
  tell(line: string): void;
}

export type Unit = 'requests/s' | 'us' | 'ms' | 'MiB' | 'isolates/GiB';

/** One figure over all rounds: the median, and how far the rounds lie apart. */
export interface Figure {
  unit: Unit;
  median: number;
  /** (max - min) / median. */
  spread: number;
  rounds: number[];
}

export const figureOf = (unit: Unit, rounds: number[]): Figure => ({
  unit,
  median: median(rounds),
  spread: spread(rounds),
  rounds,
});

/** What one candidate reached in one situation. */
export interface Series {
  candidate: string;
  /** Such as `32 connections`. */
  situation: string;
  /** Requests that were answered, over all rounds; or how many things were measured. */
  n: number;
  /** By their names, such as `throughput` and `p50`. A name has one unit throughout a report. */
  figures: Record<string, Figure>;
}

/** An answer to the question, with the target that it is held to. */
export interface Verdict {
  name: string;
  value: number;
  target: number;
  /** Whether the target is the least or the most that is good. */
  good: 'at least' | 'at most';
}

export interface Measured {
  /** What was held constant. */
  setup: Record<string, string | number>;
  series: Series[];
  verdicts: Verdict[];
  /** Candidates that could not be had, and why. */
  missing?: { candidate: string; why: string }[];
}

export interface Report extends Measured, Circumstances {
  name: string;
  question: string;
  /** Files beside the report: what host and cordon did with their time. */
  profiles?: KeptProfile[];
}

export const isMet = ({ value, target, good }: Verdict): boolean =>
  good === 'at least' ? value >= target : value <= target;

const digits = (value: number): string => (value >= 100 ? formatNumber(value) : value.toFixed(2));

/** A verdict as a sentence. */
export const sentenceOf = (verdict: Verdict): string =>
  `${verdict.name}: **${digits(verdict.value)}** (${verdict.good} ${digits(verdict.target)}: ${isMet(verdict) ? 'met' : 'missed'})`;

/** A report for people; its picture lies beside it. */
export function markdownOf(report: Report): string {
  const { name, question, series, verdicts, missing = [], setup, machine, commit, at } = report;
  const units = new Map(series.flatMap(({ figures }) => Object.entries(figures).map(([key, { unit }]) => [key, unit])));
  const names = [...units.keys()];
  const row = (each: string[]) => `| ${each.join(' | ')} |`;
  const shown = (figure: Figure | undefined) => {
    if (!figure) return '';
    const { median: middle, spread: apart } = figure;
    return Number.isFinite(apart) && apart > 0 ? `${digits(middle)} ± ${Math.round(apart * 50)} %` : digits(middle);
  };
  return [
    `# ${name}`,
    '',
    question,
    '',
    `![${name}](${name}.svg)`,
    '',
    row(['candidate', 'situation', ...names.map((each) => `${each} (${units.get(each)})`), 'n']),
    row(['---', '---', ...names.map(() => '---:'), '---:']),
    ...series.map(({ candidate, situation, figures, n }) =>
      row([candidate, situation, ...names.map((each) => shown(figures[each])), formatNumber(n)]),
    ),
    '',
    ...verdicts.map((verdict) => `- ${sentenceOf(verdict)}`),
    ...missing.map(({ candidate, why }) => `- **${candidate} is missing:** ${why}`),
    ...(report.profiles ?? []).flatMap(({ of, data, picture }) => [
      '',
      `What the ${of} did with its time ([profile](${data})):`,
      '',
      `![flame graph of the ${of}](${picture})`,
    ]),
    '',
    'Medians over the rounds; ± is half the distance between the best and the worst round.',
    '',
    Object.entries(setup)
      .map(([key, value]) => `${key}: ${value}`)
      .join(' · '),
    '',
    `${machine.cpu}, ${machine.cores} cores, ${machine.memoryGiB} GiB, ${machine.platform}, Node.js ${machine.node}; commit ${commit}, ${at}.`,
    '',
  ].join('\n');
}
