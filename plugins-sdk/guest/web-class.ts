import {
  defineHidden,
  defineProperty,
  getOwnPropertyDescriptor,
  getPrototypeOf,
  nameFunction,
  ownKeys,
  SafeMap,
  SafeSet,
  symbolToStringTag,
} from './primordials.ts';

/**
 * Prototypes of all interfaces, and of what is like them in the language: their objects are more than their fields, so that a structured
 * clone of them is refused.
 */
export const platformPrototypes = new SafeSet<object>();

type PairsOf = (self: never) => readonly (readonly [name: string, value: unknown])[];
const pairsByPrototype = new SafeMap<object, PairsOf>();

/** Tells what a reader of a log sees of objects of a class, whose state is no field of theirs. Throws for others. */
export function showAs(Class: { readonly prototype: object }, pairsOf: PairsOf): void {
  pairsByPrototype.set(Class.prototype, pairsOf);
}

/** Null for all that is no object of such a class, or only looks like one. */
export function shownPairs(value: object): ReturnType<PairsOf> | null {
  let prototype: object | null = value;
  for (let depth = 0; prototype !== null && depth < INHERITED_MAX; depth += 1) {
    const pairsOf = pairsByPrototype.get(prototype);
    if (pairsOf !== undefined) {
      try {
        return pairsOf(value as never);
      } catch {
        return null;
      }
    }
    prototype = getPrototypeOf(prototype) as object | null;
  }
  return null;
}
/** A proxy may have prototypes without end. */
const INHERITED_MAX = 8;

const ENUMERABLE = { __proto__: null, enumerable: true } as PropertyDescriptor;

/** Gives a class what Web IDL gives an interface: its name, `[object Name]`, and members that can be enumerated. */
export function webClass(Class: { readonly prototype: object }, name: string): void {
  nameFunction(Class, name);
  platformPrototypes.add(Class.prototype);
  enumerate(Class.prototype);
  enumerate(Class);
  const tag = { __proto__: null, value: name, writable: false, configurable: true, enumerable: false };
  defineProperty(Class.prototype, symbolToStringTag, tag as PropertyDescriptor);
}

function enumerate(owner: object): void {
  const names = ownKeys(owner);
  for (let at = 0; at < names.length; at += 1) {
    const name = names[at]!;
    if (
      typeof name === 'symbol' ||
      name === 'constructor' ||
      name === 'prototype' ||
      name === 'name' ||
      name === 'length'
    )
      continue;
    // Nothing else changes where nothing else is given.
    defineProperty(owner, name, ENUMERABLE);
  }
}

/** A second name for a method, the same function. */
export function aliasMethod(prototype: object, symbol: symbol, method: PropertyKey): void {
  defineHidden(prototype, symbol, getOwnPropertyDescriptor(prototype, method)!.value);
}
