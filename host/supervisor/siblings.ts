import cluster from 'node:cluster';
import type { Metrics } from '../metrics.ts';
import type { Order, Report } from './messages.ts';

/** The other host processes on the same port, as one of them knows them. */
export interface Siblings {
  /** False until all of them have been ready once. */
  areReady(): boolean;
  /** Metrics that show, when they are asked for, those of all hosts. */
  share(metrics: Metrics): Metrics;
}

/** What a host that a supervisor has started hears and says. */
export interface Supervision {
  begin: Promise<Extract<Order, { op: 'begin' }>>;
  /** Resolves when the supervisor wants it to end. */
  drained: Promise<void>;
  siblings: Siblings;
  ready(at: { url: string; adminUrl: string | null }): void;
  /** Lets go of the supervisor: without it, nothing keeps this process. */
  leave(): void;
}

/** Whether a supervisor has started this process. */
export const isSupervised = (): boolean => cluster.isWorker;

/** Call it once, in a process that a supervisor has started. It ends with its supervisor, however that ends. */
export function followSupervisor(): Supervision {
  const begin = Promise.withResolvers<Extract<Order, { op: 'begin' }>>();
  const drained = Promise.withResolvers<void>();
  const merged = new Map<number, (text: string) => void>();
  const say = (report: Report) => void process.send?.(report);
  let own: Metrics | null = null;
  let areReady = false;
  let asked = 0;

  process.on('message', (order: Order) => {
    if (order.op === 'begin') begin.resolve(order);
    else if (order.op === 'all-ready') areReady = true;
    else if (order.op === 'drain') drained.resolve();
    else if (order.op === 'expose') void own?.expose().then(({ text }) => say({ op: 'exposed', ask: order.ask, text }));
    else {
      merged.get(order.ask)?.(order.text);
      merged.delete(order.ask);
    }
  });
  say({ op: 'hello' });

  const mergedText = (): Promise<string> =>
    new Promise((resolve) => {
      asked += 1;
      merged.set(asked, resolve);
      say({ op: 'merge', ask: asked });
    });
  return {
    begin: begin.promise,
    drained: drained.promise,
    siblings: {
      areReady: () => areReady,
      share(metrics) {
        own = metrics;
        return {
          ...metrics,
          expose: async () => {
            const [{ mediaType }, text] = await Promise.all([metrics.expose(), mergedText()]);
            return { mediaType, text };
          },
        };
      },
    },
    ready: ({ url, adminUrl }) => say({ op: 'ready', url, adminUrl }),
    leave: () => void cluster.worker?.disconnect(),
  };
}
