import { type GuestScript, PluginIsolate } from './isolate/plugin-isolate.ts';
import type { Shelved } from './lane-run.ts';

const HEAP_MIB_DEFAULT = 32;

/** Isolates that a lane keeps, the least recently used first to go, and a spare one with the guest already in it. */
export function createShelf(guest: GuestScript, isolatesMax: number, onCount: (count: number) => void) {
  const shelved = new Map<string, Shelved>();
  const byNumber = new Map<number, Shelved>();
  let numbers = 0;
  let spareHeapMiB = HEAP_MIB_DEFAULT;
  let spare: PluginIsolate | null = new PluginIsolate(guest, spareHeapMiB);

  const isIdle = (isolate: Shelved) => isolate.runs.size === 0 && isolate.waiting.length === 0;
  const drop = (isolate: Shelved) => {
    if (byNumber.delete(isolate.isolate)) onCount(byNumber.size);
    isolate.plugin?.dispose();
  };
  /** Takes it off the shelf: nobody new comes in, and it goes with its last invocation, or now where there is none. */
  const retire = (isolate: Shelved) => {
    if (shelved.get(isolate.key) === isolate) shelved.delete(isolate.key);
    if (isIdle(isolate)) drop(isolate);
  };
  const makeRoom = () => {
    if (byNumber.size < isolatesMax) return;
    for (const isolate of shelved.values()) {
      if (byNumber.size < isolatesMax) return;
      if (isIdle(isolate)) retire(isolate);
    }
  };

  return {
    retire,
    byNumber: (isolate: number) => byNumber.get(isolate),
    isAlive: (isolate: Shelved) => byNumber.has(isolate.isolate),
    /** The isolate for (installation, digest), where there is one; it counts as used. */
    find(installationId: string, digest: string): Shelved | undefined {
      const key = `${installationId} ${digest}`;
      const isolate = shelved.get(key);
      if (!isolate) return undefined;
      shelved.delete(key);
      shelved.set(key, isolate);
      return isolate;
    },
    /** A place for an isolate whose bundle is still to come. */
    reserve(installationId: string, digest: string, heapMiB: number): Shelved {
      makeRoom();
      const isolate: Shelved = {
        isolate: ++numbers,
        key: `${installationId} ${digest}`,
        installationId,
        digest,
        heapMiB,
        plugin: null,
        waiting: [],
        runs: new Map(),
        pending: 0,
        usedMiB: 0,
        externalMiB: 0,
        usedReadAtMs: 0,
      };
      shelved.set(isolate.key, isolate);
      byNumber.set(isolate.isolate, isolate);
      onCount(byNumber.size);
      return isolate;
    },
    /** The spare isolate if it fits, else a new one. */
    takeIsolate(heapMiB: number): PluginIsolate {
      const taken = spare?.heapMiB === heapMiB ? spare : null;
      if (!taken) spare?.dispose();
      spare = null;
      spareHeapMiB = heapMiB;
      return taken ?? new PluginIsolate(guest, heapMiB);
    },
    /** Makes the next spare isolate (2-5 ms); call it when the answers are out. */
    restock(): void {
      spare ??= new PluginIsolate(guest, spareHeapMiB);
    },
    /** Called when an invocation has left. */
    left(isolate: Shelved): void {
      if (shelved.get(isolate.key) !== isolate && isIdle(isolate)) drop(isolate);
    },
    evict(installationId: string): void {
      for (const isolate of [...shelved.values()]) if (isolate.installationId === installationId) retire(isolate);
    },
  };
}

export type Shelf = ReturnType<typeof createShelf>;
