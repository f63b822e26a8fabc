import type { QueuePorts } from '../capabilities/queue.ts';
import type { NewMessage, StoredMessage } from './contract.ts';
import { createMessageRunner, type RunMessagePorts } from './run-message.ts';

export type QueuedMessage = NewMessage &
  Pick<StoredMessage, 'state' | 'attempts' | 'createdAtMs'> & { dueAtMs: number; error: string | null };

export interface MemoryQueue extends Pick<QueuePorts, 'queue'> {
  store: RunMessagePorts['store'];
  /** Every message, oldest first. */
  messages(): (NewMessage &
    Pick<StoredMessage, 'state' | 'attempts' | 'createdAtMs'> & { dueAtMs: number; error: string | null })[];
  clear(): void;
}

/** Messages of `gate dev` and of the test harness: gone with the process, otherwise as in PostgreSQL. */
export function memoryQueue(nowMs: () => number): MemoryQueue {
  const all = new Map<string, QueuedMessage>();
  return {
    queue: {
      send: async (message) => {
        const { installationId, queue, key, callId } = message;
        const known = [...all.values()].find(
          (each) =>
            each.callId === callId ||
            (key !== null && each.key === key && each.queue === queue && each.installationId === installationId),
        );
        if (known) return { id: known.id, stored: false };
        all.set(message.id, {
          ...message,
          state: 'waiting',
          attempts: 0,
          error: null,
          createdAtMs: nowMs(),
          dueAtMs: nowMs() + message.delayMs,
        });
        return { id: message.id, stored: true };
      },
    },
    store: {
      find: async (id) => all.get(id) ?? null,
      done: async (id) => {
        const message = all.get(id);
        if (message) message.state = 'done';
      },
      failed: async (id, error, delayMs) => {
        const message = all.get(id);
        if (!message) return;
        message.attempts += 1;
        message.error = error;
        if (delayMs === null) message.state = 'dead';
        else message.dueAtMs = nowMs() + delayMs;
      },
    },
    messages: () => [...all.values()],
    clear: () => all.clear(),
  };
}

/** Runs what is due until nothing is, one after another; returns how many attempts that were. */
export async function runDueMessages(
  { store, messages }: MemoryQueue,
  ports: Omit<RunMessagePorts, 'store'>,
): Promise<number> {
  const run = createMessageRunner({ ...ports, store });
  for (let attempts = 0; ; attempts += 1) {
    const due = messages().find(({ state, dueAtMs }) => state === 'waiting' && dueAtMs <= ports.nowMs());
    if (due === undefined || attempts === ATTEMPTS_MAX) return attempts;
    await run(due.id);
  }
}

/** A message that sends another for ever must not keep a test for ever. */
const ATTEMPTS_MAX = 1_000;
