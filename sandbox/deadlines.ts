import { monotonicMs } from './clock.ts';

/** Something that has to be over at a time of the monotonic clock. */
export interface Due {
  readonly dueMs: number;
  /** Its time has come: afterwards it is over, or due later. */
  onDue(): void;
}

/** A look takes some tens of nanoseconds for each that is under way. With ten thousand, looks are ten milliseconds apart. */
const APART_MS_EACH = 1 / 1_000;

/**
 * One timer for all that is under way, since next to nothing of it lasts until it is due: making and clearing a timer for each
 * invocation took 1.5 us of it. It stands at the earliest time that anything had, and looks who is left when that has come.
 */
export class Deadlines {
  readonly #list: () => readonly Due[];
  #atMs = Number.POSITIVE_INFINITY;
  #timer: NodeJS.Timeout | undefined;

  /** `list` returns what is under way. */
  constructor(list: () => readonly Due[]) {
    this.#list = list;
  }

  /** Something new is due then. */
  watch(dueMs: number): void {
    if (dueMs >= this.#atMs) return;
    this.#atMs = dueMs;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(this.#look, Math.max(0, Math.ceil(dueMs - monotonicMs())));
    // What is under way keeps the process alive, not that it will end.
    this.#timer.unref();
  }

  close(): void {
    clearTimeout(this.#timer);
  }

  #look = (): void => {
    this.#atMs = Number.POSITIVE_INFINITY;
    const nowMs = monotonicMs();
    for (const due of this.#list()) if (due.dueMs <= nowMs) due.onDue();
    const left = this.#list();
    let nextMs = Number.POSITIVE_INFINITY;
    for (const { dueMs } of left) nextMs = Math.min(nextMs, dueMs);
    if (left.length > 0) this.watch(Math.max(nextMs, nowMs + left.length * APART_MS_EACH));
  };
}
