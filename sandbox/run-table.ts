import type { Run } from './run.ts';

/** What runs, by invocation id, and how much of it belongs to each installation. */
export class RunTable extends Map<string, Run> {
  readonly #counts = new Map<string, number>();

  override set(invocationId: string, run: Run): this {
    const { installationId } = run.invocation;
    if (!this.has(invocationId)) this.#counts.set(installationId, this.countOf(installationId) + 1);
    return super.set(invocationId, run);
  }

  override delete(invocationId: string): boolean {
    const installationId = this.get(invocationId)?.invocation.installationId;
    if (installationId === undefined) return false;
    const left = this.countOf(installationId) - 1;
    if (left > 0) this.#counts.set(installationId, left);
    else this.#counts.delete(installationId);
    return super.delete(invocationId);
  }

  /** Takes those of an installation that no lane has begun out of their lines. */
  stepBack(installationId: string): Run[] {
    return [...this.values()].filter((run) => run.invocation.installationId === installationId && run.stepBack());
  }

  countOf(installationId: string): number {
    return this.#counts.get(installationId) ?? 0;
  }
}
