import type { SandboxPorts } from './contract.ts';
import type { LaneLink } from './cordon-link.ts';
import type { LaneMessage } from './messages.ts';

/** Sends a lane the code that it asked for, or the word that what it has kept may run. Where there is none, those that wait for it are told why. */
export async function answerNeed(
  link: LaneLink,
  { isolate, installationId, digest, has }: Extract<LaneMessage, { op: 'need' }>,
  { loadBundle }: Pick<SandboxPorts, 'loadBundle'>,
): Promise<void> {
  link.line.onLoading(installationId);
  try {
    const code = await loadBundle(digest);
    link.send({ op: 'bundle', isolate, ok: true }, has ? '' : code);
  } catch (error) {
    for (const run of link.runs.list()) {
      const { invocation } = run;
      const waits = !run.begun && invocation.digest === digest && invocation.installationId === installationId;
      if (waits) run.reject(error);
    }
    link.send({ op: 'bundle', isolate, ok: false });
  } finally {
    link.line.onLoaded(installationId);
  }
}
