import { monotonicMs } from './clock.ts';
import type { TurnCosts } from './turn-costs.ts';

/** The event loop that does not sleep before it has done what is to be done `later`. */
interface Loop {
  nowMs(): number;
  later(work: () => void): void;
}

/**
 * Whoever sleeps has to be woken, on another core and with cold caches, and for a light turn that takes longer than the turn. So while there
 * is one invocation at a time, host and lane look for each other's next words instead of sleeping (busy polling, as network cards
 * are read): the host until the lane has answered, the lane until the next invocation where the last one came as soon. With more
 * invocations at a time there is something to do meanwhile, and the cores are for that.
 */
export class BusyPoll {
  readonly #maxUs: number;
  readonly #runs: { readonly size: number };
  readonly #costs: Pick<TurnCosts, 'expectedMs'>;
  readonly #loop: Loop;
  #untilMs = 0;
  #looking = false;

  /** Either end looks for at most `maxUs` microseconds before it sleeps; 0: it sleeps at once. `runs` are under way, on all lanes together. */
  constructor(
    maxUs: number,
    runs: { readonly size: number },
    costs: Pick<TurnCosts, 'expectedMs'>,
    loop: Loop = { nowMs: monotonicMs, later: setImmediate },
  ) {
    this.#maxUs = maxUs;
    this.#runs = runs;
    this.#costs = costs;
    this.#loop = loop;
  }

  /** An invocation leaves for a lane that has said nothing for `quietMs`. Returns the microseconds that the lane is to look for the next one. */
  onStart(installationId: string, quietMs: number): number {
    this.#untilMs = 0;
    if (this.#maxUs === 0 || this.#runs.size !== 1) return 0;
    const maxMs = this.#maxUs / 1_000;
    if (this.#costs.expectedMs(installationId) < maxMs) {
      this.#untilMs = this.#loop.nowMs() + maxMs;
      if (!this.#looking) this.#loop.later(this.#look);
      this.#looking = true;
    }
    return quietMs < maxMs ? this.#maxUs : 0;
  }

  /** A lane has said something. */
  onWord(): void {
    this.#untilMs = 0;
  }

  /** The event loop looks at every descriptor in each of its rounds. */
  #look = (): void => {
    this.#looking = this.#untilMs > 0 && this.#loop.nowMs() < this.#untilMs;
    if (this.#looking) this.#loop.later(this.#look);
  };
}
