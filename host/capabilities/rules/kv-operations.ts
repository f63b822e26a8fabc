import type { KvOperation, KvOperationResult } from '../../../plugins-sdk/contract/index.ts';

/** An entry as operations see it; null where there is none, or where its time is over. */
export interface OperableEntry {
  json: string;
  version: number;
  /** Milliseconds since 1970; null for ever. */
  expiresAtMs: number | null;
}

/** An operation whose value is JSON text already, so that it is stored as the plugin wrote it. */
export type StoredOperation =
  | Exclude<KvOperation, { set: string }>
  | { set: string; json: string; ttlSeconds?: number };

export type OperationsOutcome =
  | {
      ok: true;
      results: KvOperationResult[];
      /** What has to be written: the new entry by key, null for one that has to go. */
      changes: Map<string, OperableEntry | null>;
    }
  /** The first operation that cannot be done; none is. */
  | { ok: false; at: number; key: string; why: 'version' | 'integer' };

export const keyOf = (operation: KvOperation | StoredOperation): string =>
  'check' in operation
    ? operation.check
    : 'set' in operation
      ? operation.set
      : 'delete' in operation
        ? operation.delete
        : operation.increment;

/** Does operations one after another, each on what those before have left. Changes nothing that it was given. */
export function applyOperations(
  entries: ReadonlyMap<string, OperableEntry | null>,
  operations: readonly StoredOperation[],
  nowMs: number,
): OperationsOutcome {
  const changes = new Map<string, OperableEntry | null>();
  const results: KvOperationResult[] = [];
  const read = (key: string) => (changes.has(key) ? changes.get(key)! : (entries.get(key) ?? null));

  for (const [at, operation] of operations.entries()) {
    const key = keyOf(operation);
    const entry = read(key);
    const version = (entry?.version ?? 0) + 1;
    if ('check' in operation) {
      if ((entry?.version ?? 0) !== operation.version) return { ok: false, at, key, why: 'version' };
      results.push({ version: operation.version });
    } else if ('set' in operation) {
      const { json, ttlSeconds } = operation;
      changes.set(key, { json, version, expiresAtMs: ttlSeconds === undefined ? null : nowMs + ttlSeconds * 1_000 });
      results.push({ version });
    } else if ('delete' in operation) {
      changes.set(key, null);
      results.push({ deleted: entry !== null });
    } else {
      const value = incremented(entry?.json, operation.by ?? 1);
      if (value === null) return { ok: false, at, key, why: 'integer' };
      changes.set(key, { json: String(value), version, expiresAtMs: entry?.expiresAtMs ?? null });
      results.push({ value });
    }
  }
  return { ok: true, results, changes };
}

/** A number with `by` added; null where the text is no integer, or where the sum is no safe one. */
export function incremented(json: string | undefined, by: number): number | null {
  if (json !== undefined && !/^-?\d{1,16}$/.test(json)) return null;
  const value = Number(json ?? 0) + by;
  return Number.isSafeInteger(value) ? value : null;
}
