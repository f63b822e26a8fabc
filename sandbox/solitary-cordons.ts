import { Annex, type AnnexPorts } from './annex.ts';
import type { Run } from './run.ts';

/** Others wait: one that has had its cordon for so long takes no more, and passes its place on. */
const SHARE_MS = 5_000;

export interface SolitaryOptions {
  /** Installations that have a cordon at the same time. */
  max: number;
  /** How long one is kept after its last invocation. */
  idleMs: number;
  /** Invocations of one installation that may wait. */
  queueMax: number;
}

interface Place {
  annex: Annex;
  sinceMs: number;
  usedAtMs: number;
  /** It takes no more invocations, and ends with its last. */
  leaving: boolean;
}

/** Installations that share a process with no other; at most `max` at a time, in turn. */
export class SolitaryCordons {
  readonly #options: SolitaryOptions;
  readonly #ports: AnnexPorts;
  readonly #places = new Map<string, Place>();
  /** Invocations of installations without a place, in the order in which the installations came. */
  readonly #waiting = new Map<string, Set<Run>>();

  constructor(options: SolitaryOptions, ports: AnnexPorts) {
    this.#options = options;
    this.#ports = ports;
  }

  get annexes(): Annex[] {
    return [...this.#places.values()].map(({ annex }) => annex);
  }

  /** Runs an invocation in its installation's cordon as soon as it can, or refuses it. */
  add(run: Run): void {
    const { installationId } = run.invocation;
    const place = this.#places.get(installationId);
    if (place && !place.leaving) {
      place.usedAtMs = this.#ports.nowMs();
      place.annex.add(run);
    } else if (!place && this.#places.size < this.#options.max) {
      this.#open(installationId).annex.add(run);
    } else {
      this.#line(installationId, run);
      this.tick();
    }
  }

  /** An invocation is over: its cordon may have become free for another installation. */
  onOver(run: Run): void {
    const place = this.#places.get(run.invocation.installationId);
    if (place) place.usedAtMs = this.#ports.nowMs();
    if (this.#waiting.size > 0) this.tick();
  }

  /** Ends cordons that nobody uses, and makes room for those that wait. Call it about once a second. */
  tick(): void {
    for (const [installationId, runs] of this.#waiting) if (runs.size === 0) this.#waiting.delete(installationId);
    const nowMs = this.#ports.nowMs();
    const places = [...this.#places.values()];
    for (const place of places) {
      if (place.leaving && place.annex.isQuiet) void this.#end(place);
      else if (place.annex.isQuiet && nowMs - place.usedAtMs > this.#options.idleMs) void this.#end(place);
    }
    let wanted = this.#waiting.size - places.filter(({ leaving }) => leaving).length;
    for (const place of places.sort((a, b) => a.sinceMs - b.sinceMs)) {
      if (wanted <= 0) return;
      const quiet = place.annex.isQuiet;
      if (place.leaving || !(quiet || nowMs - place.sinceMs > SHARE_MS)) continue;
      wanted--;
      place.leaving = true;
      if (quiet) void this.#end(place);
    }
  }

  async close(): Promise<void> {
    this.#waiting.clear();
    await Promise.all(this.annexes.map((annex) => annex.close()));
  }

  #open(installationId: string): Place {
    const annex = new Annex({ kind: 'solitary', installationId, queueMax: this.#options.queueMax }, this.#ports);
    const nowMs = this.#ports.nowMs();
    const place = { annex, sinceMs: nowMs, usedAtMs: nowMs, leaving: false };
    this.#places.set(installationId, place);
    return place;
  }

  #line(installationId: string, run: Run): void {
    const runs = this.#waiting.get(installationId) ?? new Set();
    this.#waiting.set(installationId, runs);
    if (run.executions === 0 && runs.size >= this.#options.queueMax) run.refuse('sandbox-saturated');
    else run.park(runs);
  }

  async #end(place: Place): Promise<void> {
    place.leaving = true;
    await place.annex.close();
    const { installationId } = place.annex.options;
    if (this.#places.get(installationId!) !== place) return;
    this.#places.delete(installationId!);
    const [next] = this.#waiting;
    if (!next) return;
    const [nextId, runs] = next;
    this.#waiting.delete(nextId);
    const { annex } = this.#open(nextId);
    for (const run of [...runs]) {
      run.unpark();
      annex.add(run);
    }
  }
}
