import { NumberTable } from './number-table.ts';
import type { Run } from './run.ts';

/** Below this it is cheaper to remember installations than to look for those that need not be. */
const REMEMBER_MIN = 512;

/** What runs, and how much of it belongs to each installation. */
export class RunTable {
  readonly #runs = new NumberTable<Run>();
  /** Those of installations that run nothing stay, as 0, until there are many: deleting costs more than counting. */
  readonly #counts = new Map<string, number>();
  #sweepAt = REMEMBER_MIN;

  get size(): number {
    return this.#runs.size;
  }

  add(run: Run): void {
    if (this.#runs.has(run.number)) return;
    const { installationId } = run.invocation;
    this.#runs.set(run.number, run);
    this.#counts.set(installationId, this.countOf(installationId) + 1);
    if (this.#counts.size > this.#sweepAt) this.#sweep();
  }

  /** False where it is not there. */
  delete(run: Run): boolean {
    if (!this.#runs.delete(run.number)) return false;
    const { installationId } = run.invocation;
    this.#counts.set(installationId, this.countOf(installationId) - 1);
    return true;
  }

  /** In no order; a copy. */
  values(): Run[] {
    return this.#runs.values();
  }

  /** In the order in which they came; a copy, since what is done with them may end them. */
  list(): Run[] {
    return this.#runs.list();
  }

  /** Takes those of an installation that no lane has begun out of their lines. */
  stepBack(installationId: string): Run[] {
    return this.list().filter((run) => run.invocation.installationId === installationId && run.stepBack());
  }

  countOf(installationId: string): number {
    return this.#counts.get(installationId) ?? 0;
  }

  #sweep(): void {
    for (const [installationId, count] of this.#counts) if (count === 0) this.#counts.delete(installationId);
    this.#sweepAt = Math.max(REMEMBER_MIN, this.#counts.size * 2);
  }
}
