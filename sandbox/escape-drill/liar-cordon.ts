import { readSync, writeSync } from 'node:fs';
import { createHostHeadExpander } from '../compact-heads.ts';
import { BLACK_BOX_FD, CONTROL_FD, laneFds } from '../descriptors.ts';
import { FrameReader, FrameWriter } from '../frames.ts';
import type { Cost, HostMessage } from '../messages.ts';

/**
 * Stands where cordon.ts stands, taken over from the start: it says that it is ready, and answers the first invocation that it gets
 * with a lie. Arguments: `<lie> <seed>`. It has one lane.
 */
const { hearFd: HEAR_FD, speakFd: LANE_FD } = laneFds(0);
const LANE_SLOT_AT = 1024;
const ANSWER = JSON.stringify({ kind: 'schedule', value: 'forged' });

type Start = Extract<HostMessage, { op: 'start' }>;

const cost = (more: Partial<Cost> = {}): Cost => ({
  cpuMs: 1,
  turns: 1,
  hostCalls: 0,
  startedAtMs: 1,
  heapMiB: 1,
  externalMiB: 0,
  ...more,
});

/** Writes all of it, however often the host makes it wait; ends with the host. */
function write(fd: number, bytes: Buffer): void {
  for (let at = 0; at < bytes.length; ) {
    try {
      at += writeSync(fd, bytes, at);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') process.exit(0);
    }
  }
}

const sleepSync = (ms: number) => void Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);

function say(fd: number, head: object | string | number | null, tail = ''): void {
  const writer = new FrameWriter();
  writer.add(head as object, tail);
  write(fd, Buffer.from(writer.take()));
}
const onLane = (head: object | string | number | null, tail = '') => say(LANE_FD, head, tail);

function header(headBytes: number, tailBytes: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeUInt32LE(headBytes, 0);
  bytes.writeUInt32LE(tailBytes, 4);
  return bytes;
}

/** mulberry32: small, seeded, good enough to shuffle bytes. */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b_79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

const STRANGER = { installationId: 'stranger', digest: 'ee'.repeat(32) };
const forever = (act: (round: number) => void): void => {
  for (let round = 1; ; round++) act(round);
};

const LIES: Record<string, (start: Start, seed: number) => void> = {
  'bytes that are no frame': () => write(LANE_FD, Buffer.alloc(64, 0xff)),
  'a head without end': () =>
    forever(() => write(LANE_FD, Buffer.concat([header(60 << 20, 0), Buffer.alloc(1 << 20, 0x5b)]))),
  'a head that is no JSON': () => write(LANE_FD, Buffer.concat([header(2, 0), Buffer.from('}{')])),
  'a head that is null': () => onLane(null),
  'a head that is a list of anything': () => onLane(['x', null, {}, [], -1, 2, 3, 4]),
  'a message that there is not': () => onLane({ op: 'constructor', ticket: 1 }),
  'numbers that are none': ({ ticket }) => onLane({ op: 'done', ticket, outputBytes: 1e300, cost: cost() }, ANSWER),
  'the code of a stranger': () => onLane({ op: 'need', isolate: 1, has: false, ...STRANGER }),
  'that it needs its code again and again': ({ installationId, digest }) =>
    forever(() => onLane({ op: 'need', isolate: 1, has: false, installationId, digest })),
  'the bill of a stranger': () => onLane({ op: 'started', ...STRANGER, cpuMs: 5_000 }),
  'small bills without end': ({ installationId, digest }) =>
    forever(() => onLane({ op: 'started', installationId, digest, cpuMs: 1 })),
  'that it loses what it is given': ({ ticket }) => onLane({ op: 'interrupted', ticket, cost: cost(), inside: false }),
  'more calls than it may make': ({ ticket }) =>
    forever((seq) => onLane({ op: 'call', ticket, seq, name: 'kv.get', cost: cost() }, '{"key":"a"}')),
  'larger calls than it may make': ({ ticket }) =>
    forever((seq) =>
      onLane({ op: 'call', ticket, seq, name: 'kv.get', cost: cost() }, JSON.stringify({ key: 'a'.repeat(1 << 20) })),
    ),
  'more log than it may write': ({ ticket }) =>
    forever((seq) =>
      onLane({ op: 'log', ticket, seq, name: 'log:info' }, JSON.stringify({ message: 'x'.repeat(4096) })),
    ),
  'an answer that is too large': ({ ticket }) => {
    const output = JSON.stringify('x'.repeat(2 << 20));
    onLane({ op: 'done', ticket, outputBytes: output.length, cost: cost() }, output);
  },
  'an answer that is larger than it says': ({ ticket }) =>
    onLane({ op: 'done', ticket, outputBytes: 10, cost: cost() }, JSON.stringify('x'.repeat(4 << 20))),
  'a fault without end': ({ ticket }) => onLane({ op: 'fault', ticket, cost: cost() }, '['.repeat(8 << 20)),
  'more CPU time than has passed': ({ ticket }) =>
    onLane({ op: 'done', ticket, outputBytes: ANSWER.length, cost: cost({ cpuMs: 1e9 }) }, ANSWER),
  'what concerns nobody': () => forever((count) => onLane({ op: 'isolates', count })),
  'a flood on the control channel': () => forever(() => say(CONTROL_FD, { op: 'beat', residentMiB: 1 })),
  'nonsense on the control channel': () => write(CONTROL_FD, Buffer.alloc(64, 0xff)),
  'a flood of errors': () => forever(() => write(2, Buffer.alloc(4096, 0x78))),
  'mutations of frames': (start, seed) => {
    const random = randomFrom(seed);
    const pick = <T>(values: readonly T[]): T => values[Math.floor(random() * values.length)]!;
    const value = (): unknown =>
      pick<unknown>([
        0,
        -1,
        1.5,
        2 ** 60,
        null,
        true,
        '',
        'x',
        [],
        {},
        start.ticket,
        start.ticket + 1,
        start.id,
        '__proto__',
        cost(),
      ]);
    const OPS = [
      'need',
      'started',
      'call',
      'log',
      'done',
      'fault',
      'interrupted',
      'left',
      'isolates',
      'ready',
      'pid',
      'bundle',
    ];
    forever(() => {
      const head: Record<string, unknown> = {
        op: pick(OPS),
        ticket: start.ticket,
        seq: 1,
        name: 'kv.get',
        cost: cost(),
      };
      Object.assign(head, {
        installationId: start.installationId,
        digest: start.digest,
        isolate: 1,
        count: 1,
        outputBytes: 2,
        cpuMs: 1,
      });
      for (let n = Math.floor(random() * 3); n > 0; n--) head[pick(Object.keys(head))] = value();
      const writer = new FrameWriter();
      writer.add(
        random() < 0.1 ? (value() as object) : head,
        pick(['', '{}', 'null', '"', ANSWER, '{"code":"cpu-limit"}']),
      );
      const bytes = Buffer.from(writer.take());
      if (random() < 0.02) bytes[Math.floor(random() * bytes.length)] = Math.floor(random() * 256);
      write(random() < 0.02 ? CONTROL_FD : LANE_FD, bytes);
    });
  },
  /** The next ones the host must not believe, but cannot take for lies either. */
  'answers for everybody': () => {
    for (let ticket = 1; ticket <= 500; ticket++) {
      onLane({ op: 'done', ticket, outputBytes: ANSWER.length, cost: cost() }, ANSWER);
    }
  },
  'another number of its process': ({ ticket }) => {
    say(CONTROL_FD, { op: 'pid', pid: 1 });
    say(CONTROL_FD, { op: 'ready' });
    say(CONTROL_FD, { op: 'beat', residentMiB: Number.NaN });
    onLane({ op: 'done', ticket, outputBytes: ANSWER.length, cost: cost() }, ANSWER);
  },
  'nothing but that it lives': () =>
    forever(() => {
      say(CONTROL_FD, { op: 'beat', residentMiB: 1 });
      sleepSync(250);
    }),
  'blame for a stranger': () => {
    const slot = Buffer.alloc(1024);
    slot.writeDoubleLE(1, 0);
    slot.writeDoubleLE(2, 8);
    const text = `invocation ${STRANGER.installationId} ${STRANGER.digest}`;
    slot.writeDoubleLE(text.length, 16);
    slot.write(text, 32);
    writeSync(BLACK_BOX_FD, slot, 0, slot.length, LANE_SLOT_AT);
    process.abort();
  },
};

const [, , lie, seed] = process.argv as [string, string, string, string];
const tell = LIES[lie];
if (!tell) throw new Error(`there is no lie ${lie}`);
const expand = createHostHeadExpander();
const reader = new FrameReader((head) => {
  const message = expand(head);
  if (message.op === 'guest') say(CONTROL_FD, { op: 'ready' });
  else if (message.op === 'start') tell(message, Number(seed));
});
const chunk = Buffer.alloc(256 * 1024);
for (;;) {
  let bytes = 0;
  try {
    bytes = readSync(HEAR_FD, chunk, 0, chunk.length, null);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error;
    sleepSync(5);
    continue;
  }
  if (bytes === 0) process.exit(0);
  reader.push(chunk.subarray(0, bytes));
}
