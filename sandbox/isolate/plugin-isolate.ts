import ivm from 'isolated-vm';
import { PARTS_GLOBAL, splitGuest } from '../../plugins-sdk/contract/guest-text.ts';

/** isolated-vm refuses less. */
const HEAP_MIB_MIN = 8;
const MIB = 1024 * 1024;
/** What V8 and isolated-vm allocate for an isolate and tell nobody (measured as growth of a process by 300 isolates). */
const UNTOLD_MIB = 0.4;
const GUEST_TIMEOUT_MS = 5_000;
const TIMED_OUT = 'Script execution timed out.';
const GUEST_NAME = 'gatehouse:guest';
const BOUNDARY = '(<isolated-vm boundary>)';
/** What isolated-vm says instead of an object that it cannot copy; the stack is then the lane's own. */
const NO_ERROR = 'An object was thrown from supplied code within isolated-vm';
/** Where isolated-vm says that an error without a place happened. */
const ENGINE_PLACE = ' [<isolated-vm>:0:0]';
const MESSAGE_UNITS_MAX = 4_096;
const STACK_UNITS_MAX = 16_384;
/**
 * isolated-vm puts a text of 1 KiB or more beside the heap of an isolate, where V8 does not see it grow: nothing is collected until the
 * memory limit is reached, and what isolated-vm asks for then throws away all compiled code too. 10 kB of body each made that happen
 * three times a second. In shorter pieces a text is garbage like any other.
 */
const PIECE_BYTES = 1_023;
/** 256 of them cost about as much as copying the text at once. Longer texts come too seldom to matter. */
const PIECES_MAX = 256;

/** How one entry ended. `records` is what the guest said; see plugins-sdk/contract/turns.ts. */
export type Entry =
  | { ended: 'returned'; records: string }
  /** The isolate was interrupted in the middle of something: dispose of it. */
  | { ended: 'timeout' }
  | { ended: 'heap' }
  /** The guest runtime itself failed. */
  | { ended: 'broken'; message: string };

export type StartUp =
  | { ended: 'started' }
  | { ended: 'timeout' }
  | { ended: 'heap' }
  | { ended: 'threw'; name: string; message: string; stack: string };

interface CachedScript {
  code: string;
  /** Once compiled, the code cache that was made from it (by us, so it can be trusted). */
  cache?: ivm.ExternalCopy<ArrayBuffer>;
}

/** The guest runtime: its core as a script, and the texts of its parts, which all isolates read in one place. */
export interface GuestScript extends CachedScript {
  parts: ivm.ExternalCopy<string> | null;
  /** isolated-vm counts them in each isolate. */
  partsBytes: number;
}

/** Takes the guest as SandboxPorts.guest has it. */
export function guestScript(guest: string): GuestScript {
  const { core: code, parts } = splitGuest(guest);
  return { code, parts: parts === '' ? null : new ivm.ExternalCopy(parts), partsBytes: parts.length };
}

/** Code of a bundle. Compiled a second time, it leaves a code cache for the third: one that is run once pays nothing for it. */
export interface BundleScript extends CachedScript {
  compiled?: true;
}

/** One isolate with the guest runtime in it, waiting for a bundle or running one. Every entry is synchronous and timed. */
export class PluginIsolate {
  readonly heapMiB: number;
  /** What isolated-vm is told. */
  readonly limitMiB: number;
  readonly #partsBytes: number;
  readonly #isolate: ivm.Isolate;
  readonly #context: ivm.Context;
  readonly #turn: ivm.Reference;
  readonly #drain: ivm.Reference;
  readonly #run = { timeout: 1 };
  readonly #none: [] = [];

  /**
   * Compiles and runs the guest, takes `turn` and `drain` out of its globals, and what it said while it rehearsed. Throws where the
   * guest is not one.
   */
  constructor(guest: GuestScript, heapMiB: number) {
    this.heapMiB = heapMiB;
    this.#partsBytes = guest.partsBytes;
    this.limitMiB = Math.max(HEAP_MIB_MIN, heapMiB);
    this.#isolate = new ivm.Isolate({ memoryLimit: this.limitMiB });
    this.#context = this.#isolate.createContextSync();
    const script = this.#compile(guest, guest.code, GUEST_NAME, true);
    // Not released: the next isolate reads the same memory.
    if (guest.parts) this.#context.global.setSync(PARTS_GLOBAL, guest.parts.copyInto());
    script.runSync(this.#context, { timeout: GUEST_TIMEOUT_MS, release: true });
    this.#turn = this.#take('turn');
    this.#drain = this.#take('drain');
    this.#drain.applySync(undefined, this.#none);
  }

  #take(name: string): ivm.Reference {
    const global = this.#context.global;
    const taken = global.getSync(name, { reference: true }) as ivm.Reference;
    if (taken.typeof !== 'function') throw new Error(`the guest runtime left no function ${name}`);
    global.deleteSync(name);
    return taken;
  }

  /** The cache is made before the code has run, so what it does cannot be in there. */
  #compile(from: CachedScript, code: string, filename: string, keepsCache: boolean): ivm.Script {
    const script = this.#isolate.compileScriptSync(code, {
      filename,
      ...(from.cache ? { cachedData: from.cache } : { produceCachedData: keepsCache }),
    });
    from.cache ??= (script as { cachedData?: ivm.ExternalCopy<ArrayBuffer> }).cachedData;
    return script;
  }

  /** Runs the bundle's top-level code. */
  start(bundle: BundleScript, timeoutMs: number): StartUp {
    const startedAtMs = performance.now();
    try {
      // `void 0`: the value of the last expression must not be copied out of the isolate.
      const script = this.#compile(bundle, `${bundle.code}\n;void 0`, 'bundle.js', bundle.compiled === true);
      bundle.compiled = true;
      script.runSync(this.#context, { timeout: timeoutMs, release: true });
      return { ended: 'started' };
    } catch (error) {
      if (this.#isolate.isDisposed) return { ended: 'heap' };
      if (isTimeout(error, performance.now() - startedAtMs, timeoutMs)) return { ended: 'timeout' };
      return { ended: 'threw', ...describe(error) };
    }
  }

  /** One turn and, when its microtasks have run, what the guest has to say. */
  turn(head: string, body: string, timeoutMs: number): Entry {
    const startedAtMs = performance.now();
    this.#run.timeout = timeoutMs;
    let drainOptions: { timeout: number } | undefined;
    try {
      this.#turn.applySync(undefined, argumentsOf(head, body), this.#run);
    } catch (error) {
      if (this.#isolate.isDisposed) return { ended: 'heap' };
      if (isTimeout(error, performance.now() - startedAtMs, timeoutMs)) return { ended: 'timeout' };
      // A promise that the plugin left to reject unheard ends up here, after the turn: no reason to lose its answer.
      // What else the turn left to be run is not known, so it runs within the time of a turn.
      drainOptions = this.#run;
    }
    try {
      // After a turn that returned no microtask is left, and `drain` itself runs captured code of the guest only: nothing
      // of the plugin can run here, and a timer of isolated-vm costs a wake-up of its thread. The watchdog covers it.
      const records = this.#drain.applySync(undefined, this.#none, drainOptions) as unknown;
      return typeof records === 'string'
        ? { ended: 'returned', records }
        : { ended: 'broken', message: 'drain() did not return a string' };
    } catch (error) {
      if (this.#isolate.isDisposed) return { ended: 'heap' };
      if (isTimeout(error, performance.now() - startedAtMs, timeoutMs)) return { ended: 'timeout' };
      return { ended: 'broken', message: describe(error).message };
    }
  }

  /**
   * V8 heap and what the isolate has outside of it for itself, and the latter alone, in MiB; and about what the process holds in memory
   * for it all, pages that are partly filled included. 0 once disposed.
   */
  memory(): { usedMiB: number; externalMiB: number; heldMiB: number } {
    if (this.#isolate.isDisposed) return { usedMiB: 0, externalMiB: 0, heldMiB: 0 };
    const statistics = this.#isolate.getHeapStatisticsSync();
    const externalMiB = (statistics.externally_allocated_size - this.#partsBytes) / MIB;
    const { used_heap_size, total_physical_size, malloced_memory } = statistics;
    const heldMiB = (total_physical_size + malloced_memory) / MIB + externalMiB + UNTOLD_MIB;
    return { usedMiB: used_heap_size / MIB + externalMiB, externalMiB, heldMiB };
  }

  /**
   * Whether it holds more than its limit when all garbage is collected; it is disposed of then. V8 lets a heap grow to a multiple of
   * what it was given. isolated-vm looks that closely when something outside of the heap grew, and before it compiles.
   */
  isOverfull(): boolean {
    try {
      this.#isolate.compileScriptSync('').release();
    } catch {
      // That is how it says so.
    }
    return this.#isolate.isDisposed;
  }

  dispose(): void {
    if (!this.#isolate.isDisposed) this.#isolate.dispose();
  }
}

/** Arguments of `turn`. Texts in US-ASCII have a byte for each unit, others two. */
function argumentsOf(head: string, body: string): string[] {
  if (body.length <= PIECE_BYTES >> 1) return [head, body];
  const units = Buffer.byteLength(body) === body.length ? PIECE_BYTES : PIECE_BYTES >> 1;
  if (body.length > units * PIECES_MAX) return [head, body];
  const pieces = [head];
  for (let at = 0; at < body.length; at += units) pieces.push(body.slice(at, at + units));
  return pieces;
}

/** A plugin can forge the words but not the time that has passed. */
const isTimeout = (error: unknown, elapsedMs: number, timeoutMs: number): boolean =>
  elapsedMs >= timeoutMs - 1 && error instanceof Error && error.message === TIMED_OUT;

/** Strings of what the bundle threw: isolated-vm copied it, so nothing of it is alive. Frames of the lane are cut off. */
function describe(thrown: unknown): { name: string; message: string; stack: string } {
  if (typeof thrown !== 'object' || thrown === null) {
    return { name: '', message: String(thrown).slice(0, MESSAGE_UNITS_MAX), stack: '' };
  }
  const { name, message, stack } = thrown as Record<string, unknown>;
  const text = (value: unknown, unitsMax: number) => (typeof value === 'string' ? value.slice(0, unitsMax) : '');
  const said = text(message, MESSAGE_UNITS_MAX);
  if (said.startsWith(NO_ERROR))
    return { name: '', message: 'The bundle threw an object that is no Error.', stack: '' };
  return {
    name: text(name, 128) || 'Error',
    message: said.replace(ENGINE_PLACE, '') || 'The bundle threw something without a message.',
    stack: ownFrames(text(stack, STACK_UNITS_MAX)),
  };
}

/** The frames of the bundle. What lies behind the boundary is the lane's; without one, all of it is. */
function ownFrames(stack: string): string {
  const boundaryAt = stack.indexOf(BOUNDARY);
  if (boundaryAt < 0) return '';
  const lines = stack.slice(0, Math.max(0, stack.lastIndexOf('\n', boundaryAt))).split('\n');
  return lines
    .filter((line) => !line.includes(`${GUEST_NAME}:`) && !line.includes('at eval (<anonymous>)'))
    .join('\n')
    .replace(ENGINE_PLACE, '');
}
