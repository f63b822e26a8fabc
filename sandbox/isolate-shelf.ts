import { type GuestScript, PluginIsolate } from './isolate/plugin-isolate.ts';
import type { Shelved } from './lane-run.ts';
import type { TurnMeter } from './turn-meter.ts';

const HEAP_MIB_DEFAULT = 32;

export interface ShelfPorts {
  isolatesMax: number;
  /** What all isolates together may hold before those that are idle have to go. */
  heldMiBMax: number;
  /** Called with the number of isolates when that has changed. */
  onCount(count: number): void;
  time: TurnMeter['time'];
}

/** Isolates that a lane keeps, the least recently used first to go, and a spare one with the guest already in it. */
export function createShelf(guest: GuestScript, { isolatesMax, heldMiBMax, onCount, time }: ShelfPorts) {
  const shelved = new Map<string, Shelved>();
  const byNumber = new Map<number, Shelved>();
  let numbers = 0;
  let spareHeapMiB = HEAP_MIB_DEFAULT;
  const make = () => {
    const { made, cpuMs } = time(() => new PluginIsolate(guest, spareHeapMiB));
    return { plugin: made, cpuMs };
  };
  // The guest is compiled with the first one, which nobody has asked for.
  let spare: ReturnType<typeof make> | null = { ...make(), cpuMs: 0 };

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
    let heldMiB = 0;
    for (const isolate of byNumber.values()) heldMiB += isolate.heldMiB;
    const hasRoom = () => byNumber.size < isolatesMax && heldMiB < heldMiBMax;
    for (const isolate of shelved.values()) {
      if (hasRoom()) return;
      if (isIdle(isolate)) heldMiB -= isolate.heldMiB;
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
        runs: new Set(),
        pending: 0,
        usedMiB: 0,
        externalMiB: 0,
        heldMiB: 0,
        // Before any time: the first turn is read.
        usedReadAtMs: Number.NEGATIVE_INFINITY,
        unreadTurns: 0,
      };
      shelved.set(isolate.key, isolate);
      byNumber.set(isolate.isolate, isolate);
      onCount(byNumber.size);
      return isolate;
    },
    /** The spare isolate if it fits, else a new one; with the CPU time that making it took, now or before. */
    takeIsolate(heapMiB: number): { plugin: PluginIsolate; cpuMs: number } {
      const taken = spare?.plugin.heapMiB === heapMiB ? spare : null;
      if (!taken) spare?.plugin.dispose();
      spare = null;
      spareHeapMiB = heapMiB;
      return taken ?? make();
    },
    /** Makes the next spare isolate (2-5 ms); call it when the answers are out. */
    restock(): void {
      spare ??= make();
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
