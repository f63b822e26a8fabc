import type { Run } from './run.ts';

/** What runs, and how much of it belongs to each installation. */
export class RunTable {
  readonly #runs = new Set<Run>();
  readonly #counts = new Map<string, number>();

  get size(): number {
    return this.#runs.size;
  }

  add(run: Run): void {
    if (this.#runs.has(run)) return;
    const { installationId } = run.invocation;
    this.#runs.add(run);
    this.#counts.set(installationId, this.countOf(installationId) + 1);
  }

  /** False where it is not there. */
  delete(run: Run): boolean {
    if (!this.#runs.delete(run)) return false;
    const { installationId } = run.invocation;
    const left = this.countOf(installationId) - 1;
    if (left > 0) this.#counts.set(installationId, left);
    else this.#counts.delete(installationId);
    return true;
  }

  /** In the order in which they came; a copy, since what is done with them may end them. */
  list(): Run[] {
    return [...this.#runs];
  }

  /** Takes those of an installation that no lane has begun out of their lines. */
  stepBack(installationId: string): Run[] {
    return this.list().filter((run) => run.invocation.installationId === installationId && run.stepBack());
  }

  countOf(installationId: string): number {
    return this.#counts.get(installationId) ?? 0;
  }
}
