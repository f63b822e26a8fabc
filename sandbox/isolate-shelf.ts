import { type GuestScript, PluginIsolate } from './isolate/plugin-isolate.ts';
import type { Shelved } from './lane-run.ts';
import { NumberTable } from './number-table.ts';
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
  /** By installation: nearly always one, and another while it goes from one release to the next. */
  const shelved = new Map<string, Shelved[]>();
  const byNumber = new Map<number, Shelved>();
  let numbers = 0;
  let uses = 0;
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
    const { installationId } = isolate;
    const others = shelved.get(installationId)?.filter((each) => each !== isolate) ?? [];
    if (others.length > 0) shelved.set(installationId, others);
    else shelved.delete(installationId);
    isolate.isShelved = false;
    if (isIdle(isolate)) drop(isolate);
  };
  const makeRoom = () => {
    let heldMiB = 0;
    for (const isolate of byNumber.values()) heldMiB += isolate.heldMiB;
    const hasRoom = () => byNumber.size < isolatesMax && heldMiB < heldMiBMax;
    if (hasRoom()) return;
    const idle = [...byNumber.values()].filter((isolate) => isolate.isShelved && isIdle(isolate));
    for (const isolate of idle.sort((one, other) => one.lastUse - other.lastUse)) {
      if (hasRoom()) return;
      heldMiB -= isolate.heldMiB;
      retire(isolate);
    }
  };

  return {
    retire,
    byNumber: (isolate: number) => byNumber.get(isolate),
    isAlive: (isolate: Shelved) => byNumber.has(isolate.isolate),
    /** The isolate for (installation, digest), where there is one; it counts as used. */
    find(installationId: string, digest: string): Shelved | undefined {
      const isolate = shelved.get(installationId)?.find((each) => each.digest === digest);
      if (isolate) isolate.lastUse = ++uses;
      return isolate;
    },
    /** A place for an isolate whose bundle is still to come. */
    reserve(installationId: string, digest: string, heapMiB: number): Shelved {
      makeRoom();
      const isolate: Shelved = {
        isolate: ++numbers,
        installationId,
        digest,
        heapMiB,
        isShelved: true,
        lastUse: ++uses,
        plugin: null,
        waiting: [],
        runs: new NumberTable(),
        pending: 0,
        usedMiB: 0,
        externalMiB: 0,
        heldMiB: 0,
        // Before any time: the first turn is read.
        usedReadAtMs: Number.NEGATIVE_INFINITY,
        unreadTurns: 0,
      };
      shelved.set(installationId, [...(shelved.get(installationId) ?? []), isolate]);
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
      if (!isolate.isShelved && isIdle(isolate)) drop(isolate);
    },
    evict(installationId: string): void {
      for (const isolate of shelved.get(installationId) ?? []) retire(isolate);
    },
  };
}

export type Shelf = ReturnType<typeof createShelf>;
