import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { HOST_FLAGS } from '../../bin/launch/host-flags.mjs';
import type { AttackEvent, AttackOrder, HostileRow } from './attack-process.ts';
import { evaluate, type Findings, type Observed, type Phase, type PhaseName } from './evaluate.ts';
import type { ClientOrder, HonestEvent, HonestOrder, HonestRecord } from './honest-process.ts';
import type { Counted, HostEvent, HostOrder, HostSample, HostWeight, Kill, OpenedHost } from './host-process.ts';
import { installPlugins, type SoakPlugins } from './install-plugins.ts';
import { type Program, startProgram } from './program.ts';
import { type Seeded, seeded } from './seeded.ts';

export interface SoakOptions {
  minutes: number;
  seed: number;
  /** In the phase `kills`, on average; a third of it in the siege. A kill is left out where the last ones are not replaced yet. */
  killsPerMinute: number;
  attackers: number;
  cordons: number;
  lanesPerCordon: number;
  /** Installations of each honest plugin, with one client each. */
  honestEach: number;
  /** Hostile plugins, at most. */
  payloads: number;
  /** Between an answer and the same client's next request, on average. */
  pauseMs: number;
  tell(line: string): void;
}

/**
 * Shares of a round, and of the rate of kills. `quiet` is what `attack` is compared with; `siege` is both at once, with fewer
 * kills, because an attack is busy with the deaths of its own and starting a cordon takes CPU time too. Rounds follow each other, so that a
 * machine that is slower for a minute is slower for all phases.
 */
const ROUND: { name: PhaseName; share: number; attack?: true; kills?: number }[] = [
  { name: 'quiet', share: 0.15 },
  { name: 'kills', share: 0.45, kills: 1 },
  { name: 'attack', share: 0.2, attack: true },
  { name: 'siege', share: 0.2, attack: true, kills: 0.3 },
];
const WARM_UP_SHARE = 0.05;
const ROUND_MINUTES = 1.25;
const ALL_AT_ONCE_SHARE = 0.05;
const SAMPLE_PERIOD_MS = 1_000;
const PROGRESS_PERIOD_MS = 3_000;
/** Longer than any plugin may take: what comes later is lost. */
const TIMEOUT_MS = 30_000;
const nowMs = () => Number(process.hrtime.bigint()) / 1e6;

interface Programs {
  host: Program<HostOrder, HostEvent>;
  honest: Program<HonestOrder, HonestEvent>;
  attack: Program<AttackOrder, AttackEvent>;
}

/**
 * Runs a whole Gatehouse under honest traffic, hostile plugins and a killer of sandbox processes, each in a process of its
 * own, and says what the honest callers saw. Rejects where it cannot be set up; a host that dies is a finding.
 */
export async function runSoak(options: SoakOptions): Promise<Findings & { refused: string[] }> {
  const folder = await mkdtemp(path.join(tmpdir(), 'gatehouse-soak-'));
  const programs: Programs = {
    host: startProgram('host-process', [...HOST_FLAGS]),
    honest: startProgram('honest-process'),
    attack: startProgram('attack-process'),
  };
  try {
    const { cordons, lanesPerCordon, tell } = options;
    const opened = await programs.host.ask<OpenedHost>({ op: 'open', folder, cordons, lanesPerCordon });
    const plugins = await installPlugins(opened, options);
    tell(`${opened.url}: ${plugins.honest.length} honest and ${plugins.hostile.length} hostile installations`);
    const seen = await observe(programs, opened, plugins, options);
    return { ...evaluate(seen), refused: plugins.refused };
  } finally {
    await programs.host.ask({ op: 'close' }).catch(() => {});
    for (const program of Object.values(programs)) program.kill();
    await Promise.all(Object.values(programs).map(({ gone }) => gone));
    await rm(folder, { recursive: true, force: true });
  }
}

async function observe(
  programs: Programs,
  opened: OpenedHost,
  plugins: SoakPlugins,
  options: SoakOptions,
): Promise<Observed> {
  const { host, honest, attack } = programs;
  const token = opened.credentials.caller;
  const clients = plugins.honest.map(({ kind, url, id }, at) => ({
    ...({ kind, url, token, name: `c${at}` } satisfies ClientOrder),
    installationId: id,
  }));
  const seen: Observed = {
    phases: [],
    clients,
    honest: EMPTY,
    hostile: [],
    hostileIds: new Set(plugins.hostile.map(({ id }) => id)),
    kills: [],
    deaths: [],
    strikes: [],
    samples: [],
    weights: null,
    counted: null,
    hostDeath: null,
    complaints: [],
  };
  let ended = false;
  void host.gone.then((end) => {
    if (!ended) seen.hostDeath = end;
  });
  host.onEvent((event) => {
    if (event.event === 'death') seen.deaths.push(event);
    else if (event.event === 'strike')
      seen.strikes.push({ installationId: event.installationId, verdict: event.verdict });
    else if (seen.complaints.length < 100) seen.complaints.push(`${event.level}: ${event.message}`);
  });
  const counts: HonestEvent = { sent: 0, right: 0, wrong: 0, lost: 0 };
  honest.onEvent((event) => Object.assign(counts, event));
  followBarred(attack, plugins, seen, options);

  const { seed } = options;
  await honest.ask({ op: 'start', clients, timeoutMs: TIMEOUT_MS, seed });
  const timers = [
    setInterval(() => void sample(host, seen), SAMPLE_PERIOD_MS),
    setInterval(() => options.tell(progress(seen, counts)), PROGRESS_PERIOD_MS),
  ];
  try {
    const before = await runPhases(programs, plugins, seen, token, options);
    seen.honest = await honest.ask<HonestRecord>({ op: 'stop' });
    seen.hostile = await attack.ask<HostileRow[]>({ op: 'stop' });
    if (seen.hostDeath === null) {
      const after = await host.ask<HostWeight>({ op: 'weigh' });
      if (before) seen.weights = { before, after };
      const installationIds = clients.map(({ installationId }) => installationId);
      seen.counted = await host.ask<Counted[]>({ op: 'counts', installationIds });
    }
  } finally {
    ended = true;
    for (const timer of timers) clearInterval(timer);
  }
  return seen;
}

const EMPTY: HonestRecord = {
  client: new Uint16Array(),
  sentAtMs: new Float64Array(),
  tookMs: new Float64Array(),
  verdict: new Uint8Array(),
  deferred: 0,
  failures: [],
};

/** Returns what the host weighed when it was warm. Ends early where the host is dead. */
async function runPhases(
  { host, honest, attack }: Programs,
  plugins: SoakPlugins,
  seen: Observed,
  token: string,
  { minutes, seed, killsPerMinute, attackers, pauseMs }: SoakOptions,
): Promise<HostWeight | null> {
  const random = seeded(seed);
  const rounds = Math.max(1, Math.round(minutes / ROUND_MINUTES));
  const phases = [
    { name: 'warm-up' as const, share: WARM_UP_SHARE },
    ...Array.from({ length: rounds }, () => ROUND)
      .flat()
      .map((phase) => ({ ...phase, share: (phase.share * (1 - WARM_UP_SHARE)) / rounds })),
  ] as typeof ROUND;
  const targets = plugins.hostile.map(({ name, url, ends, heavy }) => ({ name, url, token, ends, heavy }));
  let before: HostWeight | null = null;
  for (const [at, { name, share, ...does }] of phases.entries()) {
    if (seen.hostDeath !== null) break;
    const fromMs = nowMs();
    const phase: Phase = { name, fromMs, untilMs: fromMs + minutes * 60_000 * share };
    seen.phases.push(phase);
    // Without pauses at first, so that the host's heap has grown to what it needs before anybody looks whether it grows.
    if (at === 1) await honest.ask({ op: 'pace', pauseMs });
    if (does.attack) await attack.ask({ op: 'start', targets, attackers, timeoutMs: TIMEOUT_MS, seed: seed + at });
    const time = Promise.race([host.gone, pause(phase.untilMs - fromMs)]);
    if (does.kills)
      await Promise.all([time, killCordons(host, seen, phase, random, 60_000 / (killsPerMinute * does.kills))]);
    else await time;
    if (does.attack) await attack.ask({ op: 'pause' });
    if (name === 'warm-up') before = await host.ask<HostWeight>({ op: 'weigh' }).catch(() => null);
  }
  return before;
}

/** Kills at the times of a Poisson process, now and then everybody at once. Nobody is killed before the last are replaced. */
async function killCordons(
  host: Programs['host'],
  seen: Observed,
  phase: Phase,
  random: Seeded,
  meanMs: number,
): Promise<void> {
  for (let atMs = phase.fromMs + random.wait(meanMs); atMs < phase.untilMs; atMs += random.wait(meanMs)) {
    await pause(Math.max(0, atMs - nowMs()));
    if (seen.hostDeath !== null) return;
    const all = random.next() < ALL_AT_ONCE_SHARE;
    const kills = await host.ask<Kill[]>({ op: 'kill', pick: random.next(), all }).catch(() => []);
    for (const kill of kills) seen.kills.push({ ...kill, phase: phase.name });
  }
}

/** An attacker whose installation was suspended comes back under a new one: the attack goes on, from its first strike. */
function followBarred(
  attack: Programs['attack'],
  { again, hostile }: SoakPlugins,
  seen: Observed,
  { tell }: SoakOptions,
): void {
  const moving = new Set<string>();
  const ids = seen.hostileIds as Set<string>;
  attack.onEvent(async ({ name, url }) => {
    const plugin = hostile.find((each) => each.name === name)!;
    if (plugin.url !== url || moving.has(name)) return;
    moving.add(name);
    try {
      const successor = await again(plugin);
      ids.add(successor.id);
      Object.assign(plugin, successor);
      await attack.ask({ op: 'move', name, url: successor.url });
    } catch (error) {
      tell(`${name} is barred and has no successor: ${String(error)}`);
    }
    moving.delete(name);
  });
}

async function sample(host: Programs['host'], seen: Observed): Promise<void> {
  const taken = await host.ask<HostSample>({ op: 'sample' }).catch(() => null);
  if (taken) seen.samples.push(taken);
}

function progress({ phases, kills, deaths, samples, hostDeath }: Observed, counts: HonestEvent): string {
  const { sent, right, wrong, lost } = counts;
  const { rssMiB = 0, ready = 0 } = samples.at(-1) ?? {};
  const host = hostDeath ?? `host ${Math.round(rssMiB)} MiB, ${ready} cordons ready`;
  const honest = `honest ${sent} sent, ${right} right, ${wrong} wrong, ${lost} lost`;
  return `${(phases.at(-1)?.name ?? '').padEnd(7)}  ${honest} · ${kills.length} kills, ${deaths.length} deaths · ${host}`;
}
