import type { QueuePorts } from '../capabilities/queue.ts';
import { HostRefusal } from '../errors.ts';
import type { Log } from '../http/log.ts';
import type { Installations } from '../installations/contract.ts';
import type { Queues } from './contract.ts';
import type { DeferredDispatcher } from './defer-dispatcher.ts';
import type { MessageStore } from './message-store.ts';
import { createMessageRunner, type RunMessagePorts } from './run-message.ts';

export interface QueuesPorts extends Omit<RunMessagePorts, 'store'> {
  store: MessageStore;
  dispatcher: DeferredDispatcher;
  log: Log;
}

const OVERDUE_MS = 60_000;
const OVERDUE_PAGE_SIZE = 500;
const KEEP_DONE_MS = 86_400_000;
const KEEP_DEAD_MS = 30 * 86_400_000;

/** Messages are stored first and handed out then; what is lost in between is found by the sweep. */
export const sendVia =
  ({ store, dispatcher, log }: Pick<QueuesPorts, 'store' | 'dispatcher' | 'log'>): QueuePorts['queue']['send'] =>
  async (message) => {
    const added = await store.add(message);
    if (added?.stored) {
      const { id, rank } = added;
      await dispatcher
        .dispatch({ id, rank, delayMs: message.delayMs })
        .catch((error) => log.warn({ err: error, messageId: id }, 'message not handed out yet'));
    }
    return added;
  };

/** A host where nobody sends anything to a queue joins in when there are messages of others, at the next sweep. */
export async function startQueues(ports: QueuesPorts): Promise<{ sweep(stopping: AbortSignal): Promise<void> }> {
  const { store, dispatcher } = ports;
  dispatcher.start(createMessageRunner(ports));
  const joinIn = async () => void ((await store.isUsed()) && (await dispatcher.open()));
  await joinIn();
  return {
    sweep: async (stopping) => {
      await joinIn();
      for await (const id of store.overdue(OVERDUE_MS, OVERDUE_PAGE_SIZE)) {
        if (stopping.aborted) return;
        await dispatcher.dispatch({ id, delayMs: 0, rank: 0 });
      }
      await store.sweep(KEEP_DONE_MS, KEEP_DEAD_MS);
    },
  };
}

/** What operators see and do. */
export const createQueues = ({
  store,
  dispatcher,
  find,
}: Pick<QueuesPorts, 'store' | 'dispatcher'> & { find: Installations['find'] }): Queues => ({
  list: async (actor, id, filter) => {
    await find(actor, id);
    return store.page(id, filter);
  },
  retry: async (actor, id, messageId) => {
    await find(actor, id);
    const revived = await store.revive(id, messageId);
    if (revived === null) throw new HostRefusal('queue-message-unknown');
    await dispatcher.dispatch({ id: messageId, delayMs: 0, rank: 0 });
    return revived;
  },
  remove: async (actor, id, messageId) => {
    await find(actor, id);
    await store.remove(id, messageId);
  },
});
