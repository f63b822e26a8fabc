import type { Knex } from 'knex';
import type { Json } from '../../plugins-sdk/contract/index.ts';
import type { CallKey } from './call-key.ts';
import { CapabilityError } from './capability-error.ts';

/** Bindings of the SQL below; all null for a call that need not be remembered. */
export const keyBindings = (key: CallKey | undefined) => ({
  invocationId: key?.invocationId ?? null,
  callSeq: key?.callSeq ?? null,
  argsSha256: key?.argsSha256 ?? null,
  keepUntil: key ? new Date(key.keepUntilMs).toISOString() : null,
});

/**
 * A CTE that records what `effect` returned, as JSON text in `result`. Where the call was recorded before, it breaks the statement,
 * and with it the second effect.
 */
export const recording = (effect: string, result: string): string => `
  noted AS (
    INSERT INTO call_results (invocation_id, call_seq, args_sha256, result, keep_until)
    SELECT CAST(:invocationId AS text), CAST(:callSeq AS integer), CAST(:argsSha256 AS text), ${result}, CAST(:keepUntil AS timestamptz)
    FROM ${effect} WHERE CAST(:invocationId AS text) IS NOT NULL
  )`;

/** Whatever is written once for each call: its record, and an event whose id is derived from it. */
const ONCE = ['call_results_pkey', 'events_pkey'];

const isRecorded = (error: unknown): boolean => {
  const { code, constraint } = error as { code?: string; constraint?: string };
  return code === '23505' && ONCE.includes(constraint ?? '');
};

/**
 * Does `work`, which records its key with its effect, or returns what was recorded when the same call was made before: then
 * either the record breaks the work, or the work finds what it changed itself and refuses. A record of other arguments is of an
 * execution that went another way: it gives place.
 */
export async function onceFor<Result>(
  database: Knex,
  key: CallKey | undefined,
  work: () => Promise<Result>,
): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    if (key === undefined || !(isRecorded(error) || error instanceof CapabilityError)) throw error;
    const own = { invocation_id: key.invocationId, call_seq: key.callSeq };
    const recorded = await database('call_results').where(own).first();
    if (recorded?.args_sha256 === key.argsSha256) return JSON.parse(recorded.result) as Result;
    if (!isRecorded(error)) throw error;
    if (recorded)
      await database('call_results')
        .where({ ...own, args_sha256: recorded.args_sha256 })
        .delete();
  }
  return work();
}

/** Records a call within the transaction that holds its effect; breaks the transaction where it was recorded before. */
export async function recordCall(transaction: Knex, key: CallKey | undefined, result: Json): Promise<void> {
  if (key === undefined) return;
  await transaction('call_results').insert({
    invocation_id: key.invocationId,
    call_seq: key.callSeq,
    args_sha256: key.argsSha256,
    result: JSON.stringify(result),
    keep_until: new Date(key.keepUntilMs),
  });
}

/** Forgets calls that nobody can make again. */
export async function sweepCallResults(database: Knex): Promise<void> {
  await database('call_results').where('keep_until', '<=', database.fn.now()).delete();
}
