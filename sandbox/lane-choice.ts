import { createPlacement } from './placement.ts';
import type { TurnCosts } from './turn-costs.ts';

/** Long and short turns were seen both within this time: they go to different lanes. */
const APART_MS = 1_000;
/** How often it is looked how many lanes short turns need. */
const LOOK_MS = 1_000;
/** Lanes that short turns get for each that they keep busy. */
const ROOM = 1.5;

/** What is asked of a lane. */
export interface ChoosableLane {
  pace: { load(runs: number, nowMs: number): number };
  runs: { readonly size: number };
}

/**
 * Which lane of the pool an invocation goes to. Nothing interrupts a turn: a short one beside turns of twenty milliseconds takes as long as they do,
 * however fairly they alternate. So while there are both, installations with long turns have the last lanes and the others the first,
 * as many as they keep busy and at most half of them. Size interval task assignment (Harchol-Balter 2002) with two sizes.
 */
export class LaneChoice {
  readonly #lanes: number;
  readonly #costs: Pick<TurnCosts, 'isLong' | 'shortCpuMs'>;
  readonly #placement: ReturnType<typeof createPlacement>;
  readonly #loads: number[];
  #longAtMs = Number.NEGATIVE_INFINITY;
  #shortAtMs = Number.NEGATIVE_INFINITY;
  #lookedAtMs = 0;
  #shortCpuMs = 0;
  #lanesForShort = 1;

  constructor(lanes: number, costs: Pick<TurnCosts, 'isLong' | 'shortCpuMs'>) {
    this.#lanes = lanes;
    this.#costs = costs;
    this.#placement = createPlacement(lanes);
    this.#loads = Array.from({ length: lanes }, () => 0);
  }

  /** -1 where no lane is open. `running` counts the invocations of the installation, this one included. */
  choose<Lane extends ChoosableLane>(
    installationId: string,
    links: readonly (Lane | null)[],
    isOpen: (link: Lane) => boolean,
    running: number,
    nowMs: number,
  ): number {
    for (let lane = 0; lane < links.length; lane++) {
      const link = links[lane];
      this.#loads[lane] = link ? link.pace.load(link.runs.size, nowMs) : 0;
    }
    const isOpenLane = (lane: number) => links[lane] != null && isOpen(links[lane]);
    const isLong = this.#costs.isLong(installationId);
    if (isLong) this.#longAtMs = nowMs;
    else this.#shortAtMs = nowMs;
    const isApart = this.#lanes > 1 && nowMs - (isLong ? this.#shortAtMs : this.#longAtMs) < APART_MS;
    if (isApart) {
      const border = this.#border(nowMs);
      const isOnSide = (lane: number) => lane >= border === isLong && isOpenLane(lane);
      const lane = this.#placement.place(installationId, this.#loads, isOnSide, running);
      if (lane >= 0) return lane;
    }
    return this.#placement.place(installationId, this.#loads, isOpenLane, running);
  }

  /** The first lane for long turns. */
  #border(nowMs: number): number {
    const sinceMs = nowMs - this.#lookedAtMs;
    if (sinceMs > LOOK_MS) {
      const busy = (this.#costs.shortCpuMs - this.#shortCpuMs) / sinceMs;
      this.#lookedAtMs = nowMs;
      this.#shortCpuMs = this.#costs.shortCpuMs;
      this.#lanesForShort = Math.max(1, Math.min(Math.ceil(this.#lanes / 2), Math.ceil(busy * ROOM)));
    }
    return this.#lanesForShort;
  }
}
