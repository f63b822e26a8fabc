import type { Outcome } from './contract.ts';

/** After an offence an installation runs apart for so long; twice as long for every further one, up to ten minutes. */
const APART_MS = 60_000;
const APART_MS_MAX = 600_000;
/** Offences in one burst are one: what runs already is not warned by the first. */
const BURST_MS = 1_000;
/** After the last offence of anybody newcomers have to prove themselves for so long. */
export const UNREST_MS = 600_000;
/** What a newcomer has to prove: so many completed invocations, where heavy ones count for less. */
const PROOF = 50;
const LIGHT_CPU_MS = 5;
/** A wall limit that was reached by waiting harms nobody; one that was reached by computing does. */
const BUSY_CPU_MS = 25;
const RECORDS_MAX = 10_000;
/** Faults that keep a lane from others for longer than anybody is granted. */
const OFFENCES = new Set<string>(['cpu-limit', 'startup-cpu-limit', 'heap-limit', 'sandbox-killed']);

/** `offender`: broke a limit not long ago. `newcomer`: has proved nothing yet, at a time when that matters. */
export type Standing = 'clean' | 'newcomer' | 'offender';

interface TrackRecord {
  proof: number;
  offences: number;
  offendedAtMs: number;
  apartUntilMs: number;
}

/**
 * What the sandbox remembers of installations, in memory alone, to decide beside whom they run. Unlike a strike it is no blame and has no
 * consequence but the place: it may judge at once and forget soon.
 */
export class TrackRecords {
  readonly #nowMs: () => number;
  readonly #records = new Map<string, TrackRecord>();
  #unrestUntilMs = Number.NEGATIVE_INFINITY;

  /** `nowMs` is any clock that does not go back. */
  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  get size(): number {
    return this.#records.size;
  }

  /** Somebody broke a limit not long ago. */
  get isUnrest(): boolean {
    return this.#nowMs() < this.#unrestUntilMs;
  }

  standingOf(installationId: string): Standing {
    // In peace, which is nearly always, nobody is looked up.
    const nowMs = this.#nowMs();
    if (nowMs >= this.#unrestUntilMs) return 'clean';
    const record = this.#records.get(installationId);
    if (record && nowMs < record.apartUntilMs) return 'offender';
    return record && record.proof >= PROOF ? 'clean' : 'newcomer';
  }

  /** Notes how an invocation ended; null for one that was refused, which says nothing. True where that was an offence. */
  note(installationId: string, outcome: Outcome | null): boolean {
    if (outcome === null) return false;
    if (outcome.status === 'completed') this.#prove(installationId, outcome.usage.cpuMs);
    else if (isOffence(outcome)) {
      this.offend(installationId);
      return true;
    }
    return false;
  }

  offend(installationId: string): void {
    const nowMs = this.#nowMs();
    const record = this.#recordOf(installationId);
    const sinceMs = nowMs - record.offendedAtMs;
    if (sinceMs > UNREST_MS + APART_MS_MAX) record.offences = 0;
    if (sinceMs > BURST_MS) record.offences++;
    record.proof = 0;
    record.offendedAtMs = nowMs;
    record.apartUntilMs = nowMs + Math.min(APART_MS_MAX, APART_MS * 2 ** (record.offences - 1));
    this.#unrestUntilMs = nowMs + UNREST_MS;
  }

  #prove(installationId: string, cpuMs: number): void {
    const record = this.#recordOf(installationId);
    if (record.proof < PROOF) record.proof += cpuMs > LIGHT_CPU_MS ? LIGHT_CPU_MS / cpuMs : 1;
  }

  #recordOf(installationId: string): TrackRecord {
    let record = this.#records.get(installationId);
    if (!record) {
      if (this.#records.size >= RECORDS_MAX) this.#forgetOne();
      record = { proof: 0, offences: 0, offendedAtMs: Number.NEGATIVE_INFINITY, apartUntilMs: 0 };
      this.#records.set(installationId, record);
    }
    return record;
  }

  /** The oldest that is not apart: whoever makes many installations must not wash away what is known of one. */
  #forgetOne(): void {
    const nowMs = this.#nowMs();
    let oldest: string | undefined;
    for (const [installationId, { apartUntilMs }] of this.#records) {
      oldest ??= installationId;
      if (nowMs < apartUntilMs) continue;
      oldest = installationId;
      break;
    }
    this.#records.delete(oldest!);
  }
}

function isOffence({ fault, usage }: Extract<Outcome, { status: 'faulted' }>): boolean {
  return OFFENCES.has(fault.code) || (fault.code === 'wall-limit' && usage.cpuMs > BUSY_CPU_MS);
}
