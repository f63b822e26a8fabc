import { PLUGIN_FAULTS } from '../../plugins-sdk/contract/index.ts';
import { percentile } from '../measure/statistics.ts';
import { type Trend, trendOf } from '../measure/trend.ts';
import type { HostileRow } from './attack-process.ts';
import { type Blame, blameOf } from './blame.ts';
import type { HonestKind } from './honest-clients.ts';
import { type ClientOrder, type HonestRecord, LOST, RIGHT, WRONG } from './honest-process.ts';
import type { Counted, HostEvent, HostSample, HostWeight, Kill } from './host-process.ts';

export type PhaseName = 'warm-up' | 'quiet' | 'kills' | 'attack' | 'siege';

export interface Phase {
  name: PhaseName;
  fromMs: number;
  untilMs: number;
}

/** Everything that was seen. All times are on the monotonic clock. */
export interface Observed {
  phases: Phase[];
  clients: (ClientOrder & { installationId: string })[];
  honest: HonestRecord;
  hostile: HostileRow[];
  hostileIds: ReadonlySet<string>;
  kills: (Kill & { phase: PhaseName })[];
  deaths: Extract<HostEvent, { event: 'death' }>[];
  strikes: { installationId: string; verdict: string }[];
  samples: HostSample[];
  /** Before the first phase that is measured, and after the last. */
  weights: { before: HostWeight; after: HostWeight } | null;
  counted: Counted[] | null;
  hostDeath: string | null;
  complaints: string[];
}

export interface Latency {
  n: number;
  p50Ms: number;
  p99Ms: number;
  maxMs: number;
}

export interface Gap {
  n: number;
  medianMs: number;
  p99Ms: number;
}

export interface Findings {
  honest: {
    sent: number;
    right: number;
    wrong: number;
    lost: number;
    deferred: number;
    byCode: Record<string, number>;
  };
  latency: { kind: HonestKind; phases: Partial<Record<PhaseName, Latency>>; ratio: number }[];
  /** The worst of all kinds of plugins: p99 in the phase `attack` over p99 in the phase `quiet`. */
  worstRatio: number;
  /** Of all honest requests together. */
  overall: { phases: Partial<Record<PhaseName, Latency>>; ratio: number };
  kills: number;
  /** After a kill: the first right answer of anybody, and until every client of `arithmetic` had one. */
  gaps: Partial<Record<PhaseName, { first: Gap; everybody: Gap }>>;
  deaths: number;
  blame: Blame;
  /** Strikes against installations; `byVerdict` counts their consequences. */
  strikes: { n: number; honest: number; byVerdict: Record<string, number> };
  /** Honest invocations that were answered with a plugin's fault. */
  honestFaulted: number;
  hostile: { unexpected: Record<string, number>; byCode: Record<string, number>; endless: number } & Latency;
  memory: {
    host: Trend;
    heap: HostWeight | null;
    heapBefore: HostWeight | null;
    hostMaxMiB: number;
    cordonMaxMiB: number;
  };
  counters: { checked: number; repeated: number; missing: number };
  hostDeath: string | null;
  complaints: string[];
  failures: HonestRecord['failures'];
}

const FAILURES_SHOWN = 50;
const MINUTE_MS = 60_000;
/** Everything happens for the first time in the first of the rounds; memory is looked at after this part of the time. */
const SETTLED_SHARE = 0.2;

export function evaluate(seen: Observed): Findings {
  const { honest, hostile, deaths, kills, hostileIds } = seen;
  const count = (verdict: number) => honest.verdict.reduce((sum, each) => sum + (each === verdict ? 1 : 0), 0);
  const latency = latencies(seen);
  return {
    honest: {
      sent: honest.verdict.length,
      right: count(RIGHT),
      wrong: count(WRONG),
      lost: count(LOST),
      deferred: honest.deferred,
      byCode: tally(honest.failures.map(({ code }) => code)),
    },
    latency,
    worstRatio: Math.max(...latency.map(({ ratio }) => ratio)),
    overall: latencyByPhase(seen, () => true),
    kills: kills.length,
    gaps: gapsOf(seen),
    deaths: deaths.length,
    blame: blameOf(
      deaths.map(({ death }) => death),
      kills,
      (installationId) => hostileIds.has(installationId),
    ),
    strikes: {
      n: seen.strikes.length,
      honest: seen.strikes.filter(({ installationId }) => !hostileIds.has(installationId)).length,
      byVerdict: tally(seen.strikes.map(({ verdict }) => verdict)),
    },
    honestFaulted: honest.failures.filter(({ code }) => Object.hasOwn(PLUGIN_FAULTS, code)).length,
    hostile: {
      byCode: tally(hostile.map(({ code }) => code)),
      unexpected: tally(hostile.filter(({ expected }) => !expected).map(({ name, code }) => `${name}: ${code}`)),
      endless: hostile.filter(({ code }) => code === 'timeout').length,
      ...latencyOf(hostile.map(({ tookMs }) => tookMs)),
    },
    memory: memoryOf(seen),
    counters: countersOf(seen),
    hostDeath: seen.hostDeath,
    complaints: seen.complaints,
    failures: honest.failures.slice(0, FAILURES_SHOWN),
  };
}

function tally(names: string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const name of names) counts[name] = (counts[name] ?? 0) + 1;
  return Object.fromEntries(Object.entries(counts).sort(([, a], [, b]) => b - a));
}

function latencyOf(tookMs: number[]): Latency {
  const sorted = Float64Array.from(tookMs).sort();
  return {
    n: sorted.length,
    p50Ms: percentile(sorted, 0.5),
    p99Ms: percentile(sorted, 0.99),
    maxMs: sorted.at(-1) ?? Number.NaN,
  };
}

function latencies(seen: Observed): Findings['latency'] {
  const { clients } = seen;
  const kinds = [...new Set(clients.map(({ kind }) => kind))];
  return kinds.map((kind) => ({ kind, ...latencyByPhase(seen, (client) => clients[client]!.kind === kind) }));
}

function latencyByPhase({ phases, honest }: Observed, counts: (client: number) => boolean): Findings['overall'] {
  const tookMs: Partial<Record<PhaseName, number[]>> = {};
  for (let row = 0; row < honest.verdict.length; row++) {
    if (honest.verdict[row] !== RIGHT || !counts(honest.client[row]!)) continue;
    const sentAtMs = honest.sentAtMs[row]!;
    const phase = phases.find(({ fromMs, untilMs }) => sentAtMs >= fromMs && sentAtMs < untilMs);
    if (!phase) continue;
    tookMs[phase.name] ??= [];
    tookMs[phase.name]!.push(honest.tookMs[row]!);
  }
  const byPhase: Partial<Record<PhaseName, Latency>> = {};
  for (const { name } of phases) byPhase[name] ??= latencyOf(tookMs[name] ?? []);
  return { phases: byPhase, ratio: (byPhase.attack?.p99Ms ?? Number.NaN) / (byPhase.quiet?.p99Ms ?? Number.NaN) };
}

/** Clients send one request after the other, so each one's answers are in order of time. */
function gapsOf({ clients, honest, kills }: Observed): Findings['gaps'] {
  const answersMs: number[][] = clients.map(() => []);
  for (let row = 0; row < honest.verdict.length; row++) {
    if (honest.verdict[row] === RIGHT)
      answersMs[honest.client[row]!]!.push(honest.sentAtMs[row]! + honest.tookMs[row]!);
  }
  const quick = answersMs.filter((_, client) => clients[client]!.kind === 'arithmetic');
  const gaps: Findings['gaps'] = {};
  // Nobody waits for a spare one or for one that is not for everybody.
  const felt = kills.filter(({ kind }) => kind === 'pool');
  for (const phase of new Set(felt.map((kill) => kill.phase))) {
    const times = felt.filter((kill) => kill.phase === phase).map(({ atMs }) => atMs);
    const first = times.map((atMs) => Math.min(...answersMs.map((answers) => firstAfter(answers, atMs))) - atMs);
    const everybody = times.map((atMs) => Math.max(...quick.map((answers) => firstAfter(answers, atMs))) - atMs);
    gaps[phase] = { first: gapOf(first), everybody: gapOf(everybody) };
  }
  return gaps;
}

const gapOf = (times: number[]): Gap => {
  const sorted = times.filter(Number.isFinite).toSorted((a, b) => a - b);
  return { n: sorted.length, medianMs: percentile(sorted, 0.5), p99Ms: percentile(sorted, 0.99) };
};

function firstAfter(sorted: number[], atMs: number): number {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (sorted[middle]! < atMs) low = middle + 1;
    else high = middle;
  }
  return sorted[low] ?? Number.POSITIVE_INFINITY;
}

function memoryOf({ phases, samples, weights }: Observed): Findings['memory'] {
  const [first, last] = [phases[0], phases.at(-1)];
  const fromMs = first && last ? first.fromMs + (last.untilMs - first.fromMs) * SETTLED_SHARE : 0;
  const settled = samples.filter(({ atMs }) => last && atMs >= fromMs && atMs < last.untilMs);
  return {
    host: trendOf(settled.map(({ atMs, rssMiB }) => ({ at: (atMs - fromMs) / MINUTE_MS, value: rssMiB }))),
    heapBefore: weights?.before ?? null,
    heap: weights?.after ?? null,
    hostMaxMiB: Math.max(0, ...samples.map(({ rssMiB }) => rssMiB)),
    cordonMaxMiB: Math.max(0, ...samples.map(({ cordonRssMiB }) => cordonRssMiB)),
  };
}

const COUNTERS: Partial<Record<HonestKind, (name: string) => string[]>> = {
  counter: (name) => [`${name}/before`, `${name}/after`],
  courier: (name) => [`trips/${name}`],
};

/** What a client was answered has happened once; what it lost has happened once or not at all. */
function countersOf({ clients, honest, counted }: Observed): Findings['counters'] {
  const sums = { checked: 0, repeated: 0, missing: 0 };
  if (!counted) return sums;
  const values = new Map(counted.map(({ installationId, key, value }) => [`${installationId} ${key}`, value]));
  clients.forEach(({ kind, name, installationId }, client) => {
    let [sent, answered] = [0, 0];
    honest.client.forEach((each, row) => {
      if (each !== client) return;
      sent++;
      if (honest.verdict[row] !== LOST) answered++;
    });
    for (const key of COUNTERS[kind]?.(name) ?? []) {
      const value = values.get(`${installationId} ${key}`) ?? 0;
      sums.checked++;
      if (value > sent) sums.repeated += value - sent;
      if (value < answered) sums.missing += answered - value;
    }
  });
  return sums;
}
