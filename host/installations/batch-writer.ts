export interface BatchWriter<Item> {
  /** Never blocks and never throws; drops the oldest items where the store cannot keep up. */
  add(item: Item): void;
  /** Resolves when everything added before has been written, or given up. */
  flush(): Promise<void>;
}

export interface BatchWriterOptions<Item> {
  write(items: Item[]): Promise<void>;
  /** At most once for those that were dropped before a batch, and once for a batch that was not written. */
  onLost(count: number, error: unknown): void;
  /** The first item of a batch waits at most this long. */
  delayMs: number;
  itemsMax: number;
}

/** Writes items in batches, one batch at a time, so that the data plane never waits for the log. */
export function batchWriter<Item>({ write, onLost, delayMs, itemsMax }: BatchWriterOptions<Item>): BatchWriter<Item> {
  let waiting: Item[] = [];
  let timer: NodeJS.Timeout | null = null;
  let writing: Promise<void> = Promise.resolve();
  let dropped = 0;

  const tellDropped = () => {
    if (dropped > 0) onLost(dropped, new Error('log overrun'));
    dropped = 0;
  };
  const writeBatch = async (items: Item[]) => {
    try {
      if (items.length > 0) await write(items);
    } catch (error) {
      onLost(items.length, error);
    }
  };
  const flush = () => {
    if (timer) clearTimeout(timer);
    timer = null;
    writing = writing.then(() => {
      const items = waiting;
      waiting = [];
      tellDropped();
      return writeBatch(items);
    });
    return writing;
  };
  return {
    add: (item) => {
      waiting.push(item);
      if (waiting.length > itemsMax) {
        waiting.shift();
        dropped += 1;
      }
      timer ??= setTimeout(flush, delayMs);
    },
    flush,
  };
}
