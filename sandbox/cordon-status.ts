import type { CordonKind, CordonStatus } from './contract.ts';
import type { Cordon } from './cordon-link.ts';

/** A cordon and why it is there. */
export interface Place {
  cordon: Cordon;
  kind: CordonKind;
  installationId?: string | null;
}

/** One line of `Sandbox.status()`. */
export const statusOf = ({ cordon, kind, installationId = null }: Place): CordonStatus => ({
  kind,
  pid: cordon.pid,
  state: cordon.draining && cordon.state === 'ready' ? 'draining' : cordon.state,
  startedAtMs: cordon.startedAtMs,
  lanes: cordon.lanes.length,
  running: cordon.lanes.reduce((sum, { runs }) => sum + runs.size, 0),
  residentMiB: Math.round(cordon.residentMiB),
  installationId,
});
