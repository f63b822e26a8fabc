import type { Log } from '../http/log.ts';
import type { Dispatcher, Verdict } from './contract.ts';

/** A dispatcher that need not be there yet. */
export interface DeferredDispatcher extends Dispatcher {
  /** Opens it, so that this host takes messages too. Rejects where it cannot be opened; the next who needs it tries again. */
  open(): Promise<void>;
}

/**
 * Opens a dispatcher when the first message is handed out, or when somebody says that there are messages: what stands behind it is
 * 260 files of JavaScript, which a host without messages need not hold.
 */
export function deferDispatcher(open: () => Promise<Dispatcher>, log: Log): DeferredDispatcher {
  let run: ((id: string) => Promise<Verdict>) | null = null;
  let opening: Promise<Dispatcher> | null = null;
  let current: Dispatcher | null = null;
  let isClosed = false;
  const opened = (): Promise<Dispatcher> => {
    if (isClosed) return Promise.reject(new Error('The queues of this host are closed.'));
    opening ??= open().then(
      (dispatcher) => {
        current = dispatcher;
        if (run !== null) dispatcher.start(run);
        return dispatcher;
      },
      (error) => {
        opening = null;
        throw error;
      },
    );
    return opening;
  };
  return {
    dispatch: async (message) => (await opened()).dispatch(message),
    open: async () => void (await opened()),
    start: (given) => {
      run = given;
      current?.start(given);
    },
    close: async () => {
      isClosed = true;
      const dispatcher = await opening?.catch((error) => void log.warn({ err: error }, 'queue not reachable'));
      await dispatcher?.close();
    },
  };
}
