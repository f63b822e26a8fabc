/** Over one tick of the kernel, in which CPU time is counted: a turn that was only preempted never looks as long. See turn-meter.ts. */
const LONG_TURN_MS = 5;
/** What is expected of an installation of which nothing is known: its first turn has a lane for itself. */
const UNKNOWN_MS = 4;
/** The past is forgotten by this part with each turn. */
const FORGETTING = 1 / 16;
/** One long turn is how many plugins start. */
const LONG_TURNS_MIN = 1.5;
/** It stays long for so long, for its isolates should not go to and fro. */
const LONG_FOR_MS = 30_000;
const REMEMBERED_MAX = 4_096;
/** Ceiling of `cpuMs`. A lane that was taken over may say more. */
const TURN_MS_MAX = 1_000;

interface Past {
  turns: number;
  cpuMs: number;
  longTurns: number;
  longCpuMs: number;
  lastMs: number;
  longUntilMs: number;
}

/** What the turns of installations cost lately, all lanes together. */
export class TurnCosts {
  /** What all turns that are not long took together. */
  shortCpuMs = 0;
  readonly #nowMs: () => number;
  /** Told when the turns of an installation turn out to be long. */
  readonly #onLong: (installationId: string) => void;
  readonly #pasts = new Map<string, Past>();

  constructor(nowMs: () => number, onLong: (installationId: string) => void) {
    this.#nowMs = nowMs;
    this.#onLong = onLong;
  }

  /** `turns` turns of the installation took `saidMs` together. */
  note(installationId: string, turns: number, saidMs: number): void {
    const cpuMs = Math.min(saidMs, turns * TURN_MS_MAX);
    const past = this.#pasts.get(installationId) ?? this.#meet(installationId);
    const kept = 1 - FORGETTING;
    const isLong = cpuMs >= LONG_TURN_MS * turns;
    if (!isLong) this.shortCpuMs += cpuMs;
    past.turns = past.turns * kept + turns;
    past.cpuMs = past.cpuMs * kept + cpuMs;
    past.longTurns = past.longTurns * kept + (isLong ? 1 : 0);
    past.longCpuMs = past.longCpuMs * kept + (isLong ? cpuMs : 0);
    past.lastMs = cpuMs / turns;
    if (isLong) this.#judge(installationId, past);
  }

  /** What the next turn may take: as much as the last one, or as is usual. */
  expectedMs(installationId: string): number {
    const past = this.#pasts.get(installationId);
    return past === undefined ? UNKNOWN_MS : Math.max(past.lastMs, past.cpuMs / past.turns);
  }

  /** Most of its CPU time goes into turns for which a neighbour waits noticeably. */
  isLong(installationId: string): boolean {
    const past = this.#pasts.get(installationId);
    return past !== undefined && past.longUntilMs > 0 && past.longUntilMs > this.#nowMs();
  }

  #judge(installationId: string, past: Past): void {
    if (past.longTurns < LONG_TURNS_MIN || past.longCpuMs * 2 <= past.cpuMs) return;
    const nowMs = this.#nowMs();
    const isNews = past.longUntilMs <= nowMs;
    past.longUntilMs = nowMs + LONG_FOR_MS;
    if (isNews) this.#onLong(installationId);
  }

  #meet(installationId: string): Past {
    if (this.#pasts.size >= REMEMBERED_MAX) this.#pasts.delete(this.#pasts.keys().next().value!);
    const past = { turns: 0, cpuMs: 0, longTurns: 0, longCpuMs: 0, lastMs: 0, longUntilMs: 0 };
    this.#pasts.set(installationId, past);
    return past;
  }
}
