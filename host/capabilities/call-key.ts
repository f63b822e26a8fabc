import { sha256Hex } from '../../plugins-sdk/contract/index.ts';
import type { CapabilityContext } from './call-scope.ts';

/** Names one call of one invocation, whoever executes it and however often. */
export interface CallKey {
  invocationId: string;
  callSeq: number;
  /** SHA-256 of the call with its arguments, hex: an execution that took another way makes another call. */
  argsSha256: string;
  /** How long its result is kept, in milliseconds since 1970. */
  keepUntilMs: number;
}

/** A host that lost its database tries again within the deadline; after that nobody can ask for the result of a call. */
const KEEP_MS = 60 * 60_000;
/** An invocation that another host may execute again, some days later at the most. */
const KEEP_REPEATABLE_MS = 7 * 86_400_000;

export const callKey = (
  { invocationId, callSeq, deadlineAtMs, seed }: CapabilityContext,
  name: string,
  args: unknown,
): CallKey => ({
  invocationId,
  callSeq,
  argsSha256: sha256Hex(`${name} ${JSON.stringify(args)}`),
  keepUntilMs: deadlineAtMs + (seed === null ? KEEP_MS : KEEP_REPEATABLE_MS),
});
