import { monotonicMs } from './clock.ts';
import type { TurnCosts } from './turn-costs.ts';

/**
 * A look in vain costs as much as four save. They come in runs: it takes the kernel some of them to see that who looks and whom it waits for
 * have one core, and another is free. A trial may have sixteen in a row.
 */
const CREDIT = { miss: -4, trial: 64, max: 256 };
/** Invocations for which nobody looks when the credit is used up; twice as many each time. */
const REST = { min: 256, max: 8_192 };

/** The event loop that does not sleep before it has done what is to be done `later`. */
interface Loop {
  nowMs(): number;
  later(work: () => void): void;
}

/**
 * Whoever sleeps has to be woken, on another core and with cold caches, and for a light turn that takes longer than the turn. So where one
 * invocation comes soon after the other, host and lane look for each other's next words instead of sleeping (busy polling, as
 * network cards are read): the host until the lane says something, the lane until the next invocation.
 *
 * That takes cores that nobody else needs. With more invocations at a time there is work for them, and what else runs on the machine shows
 * by looks in vain: who looked has kept from its core whom it waited for. Then both let it be for a while.
 */
export class BusyPoll {
  readonly #maxUs: number;
  readonly #maxMs: number;
  readonly #runs: { readonly size: number };
  readonly #costs: Pick<TurnCosts, 'expectedMs'>;
  readonly #loop: Loop;
  /** Until when the host looks; 0: it does not. */
  #untilMs = 0;
  #looking = false;
  /** Where the last invocation went. */
  #lane: object | null = null;
  /** That lane was told to look after it. */
  #granted = false;
  #credit = CREDIT.trial;
  #rest = 0;
  #nextRest = REST.min;

  /** Either end looks for at most `maxUs` microseconds before it sleeps; 0: it sleeps at once. `runs` are under way, on all lanes together. */
  constructor(
    maxUs: number,
    runs: { readonly size: number },
    costs: Pick<TurnCosts, 'expectedMs'>,
    loop: Loop = { nowMs: monotonicMs, later: setImmediate },
  ) {
    this.#maxUs = maxUs;
    this.#maxMs = maxUs / 1_000;
    this.#runs = runs;
    this.#costs = costs;
    this.#loop = loop;
  }

  /** An invocation leaves for a lane that has said nothing for `quietMs`. Returns the microseconds that the lane is to look for the next one. */
  onStart(lane: object, installationId: string, quietMs: number): number {
    const isSoon = lane === this.#lane && quietMs < this.#maxMs;
    if (this.#granted) this.#learn(isSoon);
    this.#lane = lane;
    this.#granted = false;
    this.#untilMs = 0;
    if (!isSoon || this.#runs.size !== 1 || this.#costs.expectedMs(installationId) >= this.#maxMs) return 0;
    if (this.#rest > 0) {
      this.#rest--;
      return 0;
    }
    this.#granted = true;
    this.#untilMs = this.#loop.nowMs() + this.#maxMs;
    if (!this.#looking) this.#loop.later(this.#look);
    this.#looking = true;
    return this.#maxUs;
  }

  /** A lane has said something. */
  onWord(): void {
    this.#untilMs = 0;
  }

  /** The event loop looks at every descriptor in each of its rounds. */
  #look = (): void => {
    this.#looking = this.#untilMs > 0;
    if (!this.#looking) return;
    if (this.#loop.nowMs() < this.#untilMs) {
      this.#loop.later(this.#look);
    } else {
      this.#looking = false;
      this.#untilMs = 0;
      this.#learn(false);
    }
  };

  #learn(wasWorthIt: boolean): void {
    this.#credit = Math.min(CREDIT.max, this.#credit + (wasWorthIt ? 1 : CREDIT.miss));
    if (this.#credit === CREDIT.max) this.#nextRest = REST.min;
    if (this.#credit >= 0) return;
    this.#credit = CREDIT.trial;
    this.#rest = this.#nextRest;
    this.#nextRest = Math.min(REST.max, this.#nextRest * 2);
  }
}
