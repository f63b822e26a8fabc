import type { GuestOp } from '../contract/turns.ts';

let pending = '';

/** Puts one record behind the others; see contract/turns.ts for its form. */
export function emit(op: GuestOp, id: string, seq: number | '-', name: string, payload: string): void {
  pending += `${op} ${id} ${seq} ${name} ${payload.length}\n${payload}`;
}

/** Everything the guest has to say since the last call. */
export function takeRecords(): string {
  const records = pending;
  pending = '';
  return records;
}
