import { resolvedWith, upon } from './promises.ts';

/** What feeds a stream. `pull` and `cancel` do not throw but reject. */
export interface Source {
  start(): unknown;
  pull(): Promise<unknown>;
  cancel(reason: unknown): Promise<unknown>;
}

/** Calls a source whenever its stream wants more, one call at a time. */
export class Pump {
  #source: Source | null;
  readonly #wantsMore: () => boolean;
  readonly #fail: (reason: unknown) => void;
  #isStarted = false;
  #isPulling = false;
  #pullAgain = false;

  constructor(source: Source, wantsMore: () => boolean, fail: (reason: unknown) => void) {
    this.#source = source;
    this.#wantsMore = wantsMore;
    this.#fail = fail;
  }

  /** Throws what `start` throws. */
  begin(): void {
    upon(
      resolvedWith(this.#source!.start()),
      () => {
        this.#isStarted = true;
        this.pullIfNeeded();
      },
      this.#fail,
    );
  }

  get shouldPull(): boolean {
    return this.#isStarted && this.#wantsMore();
  }

  pullIfNeeded(): void {
    if (!this.shouldPull) return;
    if (this.#isPulling) {
      this.#pullAgain = true;
      return;
    }
    this.#isPulling = true;
    upon(
      this.#source!.pull(),
      () => {
        this.#isPulling = false;
        if (!this.#pullAgain) return;
        this.#pullAgain = false;
        this.pullIfNeeded();
      },
      this.#fail,
    );
  }

  cancel(reason: unknown): Promise<unknown> {
    const result = this.#source!.cancel(reason);
    this.forget();
    return result;
  }

  /** Lets go of what the plugin gave, so that it can be collected. */
  forget(): void {
    this.#source = null;
  }
}
