import type { HostCallRequest, HostCallResult } from '../../sandbox/index.ts';

/** One host call of an invocation, for people who ask where its time went. */
export interface TracedCall {
  /** Such as `kv.get`; what a plugin may have made up is cut off. */
  name: string;
  /** Milliseconds since the invocation began. */
  startMs: number;
  /** Null where it had no result when the invocation ended. */
  ms: number | null;
  /** Arguments and result, as JSON. */
  bytes: number;
  /** False where the call was refused; null where it had no result. */
  ok: boolean | null;
}

/** The calls of one invocation, oldest first, without those above `CALLS_MAX`. */
export interface Waterfall {
  calls: TracedCall[];
  /** How many were left out. */
  omitted: number;
}

const CALLS_MAX = 100;
const NAME_UNITS_MAX = 64;

/** Follows the host calls of one invocation: arithmetic beside each call, nothing for an invocation that makes none. */
export class CallTrace {
  readonly #calls: TracedCall[] = [];
  readonly #zeroMs: number;
  #omitted = 0;

  /** `elapsedMs` is how long the invocation has been running. */
  constructor(elapsedMs: number) {
    this.#zeroMs = performance.now() - Math.max(0, elapsedMs);
  }

  /** Returns the very same promise. */
  follow({ name, args }: HostCallRequest, result: Promise<HostCallResult>): Promise<HostCallResult> {
    if (this.#calls.length >= CALLS_MAX) {
      this.#omitted += 1;
      return result;
    }
    const startMs = this.#elapsedMs();
    const shown = name.length > NAME_UNITS_MAX ? `${name.slice(0, NAME_UNITS_MAX)}…` : name;
    const call: TracedCall = { name: shown, startMs, ms: null, bytes: Buffer.byteLength(args), ok: null };
    this.#calls.push(call);
    result.then(
      ({ ok, json }) => {
        call.ms = rounded(this.#elapsedMs() - startMs);
        call.bytes += Buffer.byteLength(json);
        call.ok = ok;
      },
      () => {},
    );
    return result;
  }

  /** As it is now; a call that ends later changes nothing in it. */
  waterfall(): Waterfall {
    return { calls: this.#calls.map((call) => ({ ...call })), omitted: this.#omitted };
  }

  #elapsedMs(): number {
    return rounded(performance.now() - this.#zeroMs);
  }
}

/** Microseconds are enough, and short in JSON. */
const rounded = (ms: number): number => Math.round(ms * 1_000) / 1_000;
