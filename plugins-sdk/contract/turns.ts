/**
 * The protocol between a lane and the guest inside an isolate. Nothing but strings crosses, and only synchronously:
 *
 *   turn(head, body)   one entry; `head` is a TurnHead as JSON, `body` is JSON text that the head speaks about
 *   drain()            afterwards, when the microtasks of the turn have run: everything the guest has to say
 *
 * What `drain()` returns is a run of records. Each is one header line `<op> <invocationId> <seq> <name> <length>\n`
 * followed by `length` UTF-16 units of payload, so that a large answer is never encoded twice. An empty field is `-`.
 */
export type TurnHead =
  | {
      op: 'start';
      id: string;
      /** 64 hex digits: the key of the invocation's random generator. */
      seed: string;
      /** Milliseconds since 1970 that `Date` shows during this turn. */
      nowMs: number;
      limits: { outputBytes: number; hostCalls: number; timers: number; logBytes: number };
    }
  | { op: 'result'; id: string; seq: number; nowMs: number; ok: boolean }
  /** The invocation is over (limit, disconnect): forget it and settle nothing. */
  | { op: 'forget'; id: string };

/**
 * - `call`: a host call; `seq` counts from 1 within the invocation, `name` is for example `kv.get`, the payload is its
 *   arguments as JSON. The name `timer` with `{"ms":n}` is answered by the sandbox itself.
 * - `log`: `name` is `<source>:<level>`, source `console` or `log`; payload `{"message":…,"facts":…}`; `seq` counts log
 *   records from 1, so that a re-execution can be told from new records.
 * - `done`: the payload is a GuestOutput as JSON.
 * - `fault`: the payload is a PluginFault as JSON.
 */
export const GUEST_OPS = ['call', 'log', 'done', 'fault'] as const;
export type GuestOp = (typeof GUEST_OPS)[number];

export interface GuestRecord {
  op: GuestOp;
  id: string;
  seq: number;
  name: string;
  payload: string;
}

/** Reads what `drain()` returned. Throws on text that the guest runtime cannot have written: treat it as hostile. */
export function readRecords(text: string): GuestRecord[] {
  const records: GuestRecord[] = [];
  for (let at = 0; at < text.length; ) {
    const end = text.indexOf('\n', at);
    const [op, id, seq, name, length] = text.slice(at, end < 0 ? at : end).split(' ');
    const units = Number(length);
    const payloadAt = end + 1;
    if (!GUEST_OPS.includes(op as GuestOp) || !id || !name || !(units >= 0) || payloadAt + units > text.length) {
      throw new Error(`guest record malformed at ${at}`);
    }
    records.push({
      op: op as GuestOp,
      id,
      seq: Number(seq) || 0,
      name,
      payload: text.slice(payloadAt, payloadAt + units),
    });
    at = payloadAt + units;
  }
  return records;
}
