import type { Circumstances } from '../measure/circumstances.ts';
import type { Findings, Gap, Latency, PhaseName } from './evaluate.ts';
import type { SoakOptions } from './run-soak.ts';

/** One number to reach. A hard one that is missed fails the soak. */
export interface Verdict {
  what: string;
  value: string;
  target: string;
  met: boolean;
  hard: boolean;
}

export interface SoakReport extends Findings, Circumstances {
  name: 'soak';
  options: Omit<SoakOptions, 'tell'>;
  refused: string[];
  verdicts: Verdict[];
}

const UNEXPECTED_SHOWN = 20;
const KILLS_MIN = 1_000;
const RATIO_MAX = 3;
const FIRST_ANSWER_MS_MAX = 50;
const HELD_MIB_MAX = 5;

/** The numbers that the sandbox is held to; see docs/sandbox.md. */
export function verdictsOf(findings: Findings): Verdict[] {
  const {
    honest,
    blame,
    strikes,
    hostDeath,
    honestFaulted,
    counters,
    hostile,
    kills,
    worstRatio,
    overall,
    gaps,
    memory,
  } = findings;
  const zero = (what: string, count: number): Verdict => ({
    what,
    value: String(count),
    target: '0',
    met: count === 0,
    hard: true,
  });
  const whole = (what: string, share: number): Verdict => ({
    what,
    value: `${(share * 100).toFixed(2)} %`,
    target: '100 %',
    met: share === 1,
    hard: true,
  });
  const first = gaps.siege?.first.medianMs ?? Number.NaN;
  const { slope, noise, grows } = memory.host;
  return [
    zero('honest requests lost', honest.lost),
    zero('honest requests answered wrong', honest.wrong),
    zero('effects repeated or missing', counters.repeated + counters.missing),
    zero('host deaths', hostDeath === null ? 0 : 1),
    zero('honest plugins blamed', blame.honestNamed + blame.outsideBlamed + strikes.honest + honestFaulted),
    whole('blame precision', blame.precision),
    whole('blame recall', blame.recall),
    zero('hostile invocations without an end', hostile.endless),
    soft('cordon kills', String(kills), `>= ${KILLS_MIN}`, kills >= KILLS_MIN),
    soft(
      'p99 of honest requests under attack over quiet p99',
      `${overall.ratio.toFixed(1)} (worst kind of plugin ${worstRatio.toFixed(1)})`,
      `<= ${RATIO_MAX}`,
      overall.ratio <= RATIO_MAX,
    ),
    soft(
      'first honest answer after a kill under attack, median',
      `${first.toFixed(1)} ms`,
      `<= ${FIRST_ANSWER_MS_MAX} ms`,
      first <= FIRST_ANSWER_MS_MAX,
    ),
    heldMemory(memory),
    soft('growth of host RSS', `${slope.toFixed(2)} ± ${noise.toFixed(2)} MiB/min`, 'within noise', !grows),
  ];
}

/** RSS is noisy; what is left after collecting garbage is not. */
function heldMemory({ heap, heapBefore }: Findings['memory']): Verdict {
  const held = (weight: typeof heap) => (weight ? weight.heapMiB + weight.externalMiB : Number.NaN);
  const grownMiB = held(heap) - held(heapBefore);
  const what = 'growth of what the host holds, after collecting garbage';
  return soft(what, `${grownMiB.toFixed(1)} MiB`, `<= ${HELD_MIB_MAX} MiB`, grownMiB <= HELD_MIB_MAX);
}

const soft = (what: string, value: string, target: string, met: boolean): Verdict => ({
  what,
  value,
  target,
  met,
  hard: false,
});

const row = (cells: string[]) => `| ${cells.join(' | ')} |`;
const ms = (value: number | undefined) => (value === undefined || Number.isNaN(value) ? '–' : value.toFixed(1));
const MEASURED: PhaseName[] = ['quiet', 'kills', 'attack', 'siege'];

/** A report for people. */
export function soakMarkdown(report: SoakReport): string {
  const { options, verdicts, machine, commit, at } = report;
  return [
    '# soak',
    '',
    `Honest callers of a whole Gatehouse, ${options.minutes} minutes in rounds: quiet, then with random kills of sandbox processes, then`,
    'with hostile plugins at work all the time, then with both at once.',
    '',
    row(['number to reach', 'value', 'target', '']),
    '|---|---:|---:|---|',
    ...verdicts.map(({ what, value, target, met, hard }) =>
      row([what, value, target, met ? 'met' : hard ? '**missed**' : 'missed']),
    ),
    '',
    ...latencyTable(report),
    '',
    ...gapTable(report),
    '',
    ...facts(report),
    '',
    `seed ${options.seed} · ${options.killsPerMinute} kills/min · ${options.attackers} attackers · ${options.cordons} cordons with ${options.lanesPerCordon} lane(s) · ${options.honestEach} clients of each honest plugin, ${options.pauseMs} ms between requests`,
    '',
    `${machine.cpu}, ${machine.cores} cores, ${machine.memoryGiB} GiB, ${machine.platform}, Node.js ${machine.node}; commit ${commit}, ${at}.`,
    '',
  ].join('\n');
}

function latencyTable({ latency, overall }: SoakReport): string[] {
  const cells = (phase: Latency | undefined) => `${ms(phase?.p50Ms)} / ${ms(phase?.p99Ms)}`;
  return [
    row(['honest plugin, p50 / p99 in ms', ...MEASURED, 'attack over quiet, p99']),
    `|---|${MEASURED.map(() => '---:|').join('')}---:|`,
    ...[{ kind: 'all of them', ...overall }, ...latency].map(({ kind, phases, ratio }) =>
      row([kind, ...MEASURED.map((name) => cells(phases[name])), ratio.toFixed(1)]),
    ),
  ];
}

function gapTable({ gaps }: SoakReport): string[] {
  const cells = ({ n, medianMs, p99Ms }: Gap) => [String(n), ms(medianMs), ms(p99Ms)];
  return [
    row(['after a kill', 'phase', 'n', 'median (ms)', 'p99 (ms)']),
    '|---|---|---:|---:|---:|',
    ...Object.entries(gaps).flatMap(([phase, { first, everybody }]) => [
      row(['first honest answer', phase, ...cells(first)]),
      row(['every client of arithmetic answered again', phase, ...cells(everybody)]),
    ]),
  ];
}

function facts({
  honest,
  deaths,
  blame,
  strikes,
  hostile,
  memory,
  counters,
  complaints,
  refused,
}: SoakReport): string[] {
  const { heap, heapBefore } = memory;
  const list = (counts: Record<string, number>, most = Number.POSITIVE_INFINITY) => {
    const entries = Object.entries(counts).map(([name, count]) => `${name} ${count}`);
    const rest = entries.length > most ? `, and ${entries.length - most} more in soak.json` : '';
    return entries.slice(0, most).join(', ') + rest || 'none';
  };
  const weighed =
    heap && heapBefore
      ? `- Host after collecting garbage, warm and at the end: heap ${heapBefore.heapMiB.toFixed(1)} → ${heap.heapMiB.toFixed(1)} MiB, outside of it ${heapBefore.externalMiB.toFixed(1)} → ${heap.externalMiB.toFixed(1)} MiB, descriptors ${heapBefore.descriptors} → ${heap.descriptors}. Invocations executed again unseen: ${heap.reexecutions}.`
      : '- The host was not weighed.';
  return [
    `- Honest requests: ${honest.sent} sent, ${honest.right} right, ${honest.wrong} wrong, ${honest.lost} lost (${list(honest.byCode)}); ${honest.deferred} times the host shed load and was asked again when it said.`,
    `- Deaths of sandbox processes: ${deaths} (${list(blame.reasons)}); ${blame.outside} by our kills, ${blame.inside} by plugins, of which ${blame.named} named a culprit. Strikes: ${strikes.n} (${list(strikes.byVerdict)}).`,
    `- Hostile invocations: ${hostile.n}, p50 / p99 / max ${ms(hostile.p50Ms)} / ${ms(hostile.p99Ms)} / ${ms(hostile.maxMs)} ms; they ended as ${list(hostile.byCode)}.`,
    `- Ended otherwise than their file says: ${list(hostile.unexpected, UNEXPECTED_SHOWN)}.`,
    `- Memory: host at most ${memory.hostMaxMiB.toFixed(0)} MiB, a cordon at most ${memory.cordonMaxMiB.toFixed(0)} MiB; host RSS after a fifth of the time ${memory.host.first.toFixed(0)} → ${memory.host.last.toFixed(0)} MiB over ${memory.host.samples} samples.`,
    weighed,
    `- Counters in kv: ${counters.checked} checked, ${counters.repeated} effects repeated, ${counters.missing} missing.`,
    `- The host's log: ${complaints.length} warnings and errors besides the deaths${complaints.length > 0 ? `, the first: ${complaints[0]!.split('\n')[0]}` : ''}.`,
    ...(refused.length > 0 ? [`- Payloads that were refused before they could be called: ${refused.join(', ')}.`] : []),
  ];
}
