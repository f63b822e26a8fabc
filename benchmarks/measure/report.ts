import type { Circumstances } from './circumstances.ts';
import { formatNumber } from './statistics.ts';

/** One question, one answer. */
export interface Benchmark {
  question: string;
  run(options: BenchmarkOptions): Promise<Measured>;
}

export interface BenchmarkOptions {
  /** How often every candidate is measured, in turn with the others. */
  rounds: number;
  /** Length of one measurement under load. */
  seconds: number;
  tell(line: string): void;
}

/** One figure over all rounds: the median, and how far the rounds lie apart. */
export interface Figure {
  unit: 'requests/s' | 'us';
  median: number;
  /** (max - min) / median. */
  spread: number;
  rounds: number[];
}

/** What one candidate reached with one number of connections. */
export interface Series {
  candidate: string;
  connections: number;
  /** Requests that were answered, over all rounds. */
  n: number;
  throughput: Figure;
  p50: Figure;
  p99: Figure;
}

/** What one candidate holds in an isolate after its first invocation, buffers outside of the heap included. */
export interface Size {
  candidate: string;
  heapMiB: number;
  externalMiB: number;
}

export interface Measured {
  /** What was held constant. */
  setup: Record<string, string | number>;
  series: Series[];
  /** In place of series, where memory is the question. */
  sizes?: Size[];
  /** The answer to the question, with the target that it is held to. */
  ratio: { name: string; value: number; target: number; met: boolean };
}

export interface Report extends Measured, Circumstances {
  name: string;
  question: string;
}

/** A report for people. */
export function markdownOf({ name, question, series, sizes, ratio, setup, machine, commit, at }: Report): string {
  const cells = ({ candidate, connections, n, throughput, p50, p99 }: Series) => [
    candidate,
    String(connections),
    ...[throughput, p50, p99].map(({ median, spread }) => `${formatNumber(median)} ± ${Math.round(spread * 50)} %`),
    formatNumber(n),
  ];
  const row = (each: string[]) => `| ${each.join(' | ')} |`;
  const facts = Object.entries(setup).map(([key, value]) => `${key}: ${value}`);
  return [
    `# ${name}`,
    '',
    question,
    '',
    ...(sizes
      ? [
          row(['candidate', 'MiB', 'of these outside of the heap']),
          '|---|---:|---:|',
          ...sizes.map((each) => row([each.candidate, each.heapMiB.toFixed(2), each.externalMiB.toFixed(2)])),
        ]
      : [
          row(['candidate', 'connections', 'requests/s', 'p50 (us)', 'p99 (us)', 'n']),
          '|---|---:|---:|---:|---:|---:|',
          ...series.map((each) => row(cells(each))),
        ]),
    '',
    `${ratio.name}: **${ratio.value.toFixed(2)}** (target ${ratio.target.toFixed(2)}, ${ratio.met ? 'met' : 'missed'}).`,
    sizes
      ? 'Medians over the rounds.'
      : 'Medians over the rounds; ± is half the distance between the best and the worst round.',
    '',
    `${facts.join(' · ')}`,
    '',
    `${machine.cpu}, ${machine.cores} cores, ${machine.memoryGiB} GiB, ${machine.platform}, Node.js ${machine.node}; commit ${commit}, ${at}.`,
    '',
  ].join('\n');
}
