/**
 * The protocol between a lane and the guest inside an isolate. Nothing but strings crosses, and only synchronously:
 *
 *   turn(head, ...body)   one entry; `head` is a TurnHead, see `turnText`; the pieces of `body` are JSON text that the head speaks about
 *   drain()               afterwards, when the microtasks of the turn have run: everything the guest has to say
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
      limits: { outputBytes: number; hostCalls: number; timers: number; pieces: number; logBytes: number };
    }
  | { op: 'result'; id: string; seq: number; nowMs: number; ok: boolean }
  /** The invocation is over (limit, disconnect): forget it and settle nothing. */
  | { op: 'forget'; id: string };

/**
 * - `call`: a host call; `seq` counts from 1 within the invocation, `name` is for example `kv.get`, the payload is its
 *   arguments as JSON. The name `timer` with `{"ms":n}` is answered by the sandbox itself.
 * - `log`: `name` is `<source>:<level>`, source `console` or `log`; payload `{"message":…,"facts":…}`; `seq` counts log
 *   records from 1, so that a re-execution can be told from new records.
 * - `done`: the payload is a GuestOutput as JSON, after which a long body may follow; see wire-text.ts.
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
    const idAt = text.indexOf(' ', at) + 1;
    const seqAt = text.indexOf(' ', idAt) + 1;
    const nameAt = text.indexOf(' ', seqAt) + 1;
    const lengthAt = text.indexOf(' ', nameAt) + 1;
    // A field that is not there is found behind the line, or at 0.
    const whole = idAt > at && seqAt > idAt + 1 && nameAt > seqAt && lengthAt > nameAt + 1 && end > lengthAt;
    const op = whole ? opAt(text, at, idAt - at - 1) : undefined;
    const units = whole ? Number(text.slice(lengthAt, end)) : -1;
    const payloadAt = end + 1;
    if (op === undefined || !(Number.isInteger(units) && units >= 0) || payloadAt + units > text.length) {
      throw new Error(`guest record malformed at ${at}`);
    }
    records.push({
      op,
      id: text.slice(idAt, seqAt - 1),
      seq: Number(text.slice(seqAt, nameAt - 1)) || 0,
      name: text.slice(nameAt, lengthAt - 1),
      payload: text.slice(payloadAt, payloadAt + units),
    });
    at = payloadAt + units;
  }
  return records;
}

/** One of the constants and not a piece of `text`: comparing pieces makes V8 look them up (1.5 us a turn). */
function opAt(text: string, at: number, units: number): GuestOp | undefined {
  for (const op of GUEST_OPS) if (op.length === units && text.startsWith(op, at)) return op;
  return undefined;
}

/** A start as a list: it comes with every invocation, and names need not be written and parsed each time. */
export type StartList = [
  id: string,
  seed: string,
  nowMs: number,
  outputBytes: number,
  hostCalls: number,
  timers: number,
  pieces: number,
  logBytes: number,
];

/** The text of a head, as `turn` takes it. */
export function turnText(head: TurnHead): string {
  if (head.op !== 'start') return JSON.stringify(head);
  const { id, seed, nowMs, limits } = head;
  const { outputBytes, hostCalls, timers, pieces, logBytes } = limits;
  return JSON.stringify([id, seed, nowMs, outputBytes, hostCalls, timers, pieces, logBytes] satisfies StartList);
}
