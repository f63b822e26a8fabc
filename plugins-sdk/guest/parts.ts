import { PARTS_GLOBAL } from '../contract/guest-text.ts';
import {
  apply,
  defineLazyGlobal,
  deleteProperty,
  global,
  nameFunction,
  setPrototypeOf,
  stringSlice,
} from './primordials.ts';

type Loaders = Record<string, () => unknown>;
interface Entry {
  load: (() => unknown) | null;
  loaded: unknown;
}

const entries: Record<string, Entry> = setPrototypeOf({}, null) as Record<string, Entry>;

/** Captured before removals.ts takes it away: it must never be in the hands of a plugin. */
// biome-ignore lint/security/noGlobalEval: for texts of our own, which no plugin can touch
const evaluate = globalThis.eval as (text: string) => unknown;
let texts = '';

/** Takes the texts of all parts away from where whoever runs the guest has put them, for plugins must not find them. */
export function takePartTexts(): void {
  texts = global[PARTS_GLOBAL] as string;
  deleteProperty(global, PARTS_GLOBAL);
}

/**
 * Compiles a piece of the texts, a function, and calls it with names of the core.
 * @public The build writes the calls; see build-parts.ts.
 */
export function makePart(from: number, to: number, ...values: unknown[]): unknown {
  return apply(evaluate(stringSlice(texts, from, to)) as () => unknown, undefined, values);
}

/** Told once, before plugin code runs, how each part is made; see load-parts.ts. */
export function registerParts(loaders: Loaders): void {
  for (const [name, load] of Object.entries(loaders)) entries[name] = { load, loaded: undefined };
}

/**
 * A part of the runtime that is compiled and run when it is first asked for, so that isolates that never do stay small. Ask with
 * its type: `takePart<typeof import('./streams/index.ts')>('streams')`. What it exports is the same for ever after.
 */
export function takePart<Part>(name: string): Part {
  const entry = entries[name]!;
  if (entry.load !== null) {
    // A part that failed half-way (the end of the stack, say) is made anew the next time.
    entry.loaded = entry.load();
    entry.load = null;
  }
  return entry.loaded as Part;
}

/** The part where it was made already, else null: without it, none of its objects can exist. */
export function partIfMade<Part>(name: string): Part | null {
  const entry = entries[name]!;
  return entry.load === null ? (entry.loaded as Part) : null;
}

/** Globals that are exports of a part, under the same names. They are plain data properties from their first use on. */
export function definePartGlobals(part: string, names: readonly string[]): void {
  const make = (name: string): unknown => {
    const value = takePart<Record<string, unknown>>(part)[name];
    if (typeof value === 'function') nameFunction(value, name);
    return value;
  };
  for (let at = 0; at < names.length; at += 1) defineLazyGlobal(names[at]!, make);
}
