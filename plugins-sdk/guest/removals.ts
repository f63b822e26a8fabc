import {
  apply,
  construct,
  defineGlobal,
  defineProperty,
  deleteProperty,
  freeze,
  getOwnPropertyDescriptor,
  getPrototypeOf,
  global,
  NativeArrayBuffer,
  NativeTypeError,
  nameFunction,
} from './primordials.ts';

/**
 * WebAssembly, SharedArrayBuffer, Atomics: memory that no heap limit counts, and a clock made of a shared counter.
 * WeakRef and FinalizationRegistry: they show when garbage is collected, which no replay can repeat.
 */
const REMOVED_GLOBALS = ['WebAssembly', 'SharedArrayBuffer', 'Atomics', 'WeakRef', 'FinalizationRegistry', 'eval'];

/** Takes away what limits cannot cover or what would make an invocation unrepeatable. */
export function removeForbidden(): void {
  for (let at = 0; at < REMOVED_GLOBALS.length; at += 1) deleteProperty(global, REMOVED_GLOBALS[at]!);
  removeResizableBuffers();
  removeCodeFromStrings();
}

/** The pages that a resizable buffer reserves are not counted by the isolate's memory limit. */
function removeResizableBuffers(): void {
  const { prototype } = NativeArrayBuffer;
  const names = ['resize', 'resizable', 'maxByteLength'];
  for (let at = 0; at < names.length; at += 1) deleteProperty(prototype, names[at]!);
  const FixedBuffer = function FixedBuffer(length: number): object {
    if (!new.target) throw new NativeTypeError("Constructor ArrayBuffer requires 'new'");
    return construct(NativeArrayBuffer, [length], new.target);
  };
  replaceConstructor(NativeArrayBuffer, FixedBuffer, ['isView', Symbol.species]);
}

/**
 * No eval and no Function(...): the code that was reviewed and signed is the code that runs. `Function` itself stays,
 * for `instanceof` and for its prototype.
 */
function removeCodeFromStrings(): void {
  const kinds = [function plain() {}, async function plain() {}, function* plain() {}, async function* plain() {}];
  for (let at = 0; at < kinds.length; at += 1) {
    const prototype = getPrototypeOf(kinds[at]!) as object;
    const Native = (prototype as { constructor: { name: string } }).constructor;
    const Refusing = function Refusing(): never {
      throw new EvalErrorNow('Code cannot be made from strings in a plugin: what was reviewed is what runs.');
    };
    defineProperty(Refusing, 'name', { value: Native.name, configurable: true });
    defineProperty(Refusing, 'prototype', { value: prototype, writable: false });
    defineProperty(prototype, 'constructor', { value: Refusing, writable: false, configurable: false });
    if (at === 0) defineGlobal('Function', Refusing);
  }
}
const EvalErrorNow = EvalError;

/** Puts `Replacement` where `Native` was: as the global, and as the `constructor` of its prototype. */
export function replaceConstructor(
  Native: { readonly name: string; readonly length: number; readonly prototype: object },
  Replacement: object,
  statics: PropertyKey[],
): void {
  defineProperty(Replacement, 'name', { value: Native.name, configurable: true });
  defineProperty(Replacement, 'length', { value: Native.length, configurable: true });
  defineProperty(Replacement, 'prototype', { value: Native.prototype, writable: false });
  defineProperty(Native.prototype, 'constructor', { value: Replacement, writable: true, configurable: true });
  for (let at = 0; at < statics.length; at += 1) {
    const name = statics[at]!;
    const found = getOwnPropertyDescriptor(Native, name);
    if (found) defineProperty(Replacement, name, found);
  }
  defineGlobal(Native.name, Replacement);
}

/** The runtime's own classes: a plugin that shares them between its invocations cannot bend them. */
export function freezeClass(Class: { prototype: object }, name: string): void {
  nameFunction(Class, name);
  freeze(Class.prototype);
  freeze(Class);
}

/** A function that behaves like `method` and has its name. */
export function replaceMethod(
  owner: object,
  name: string,
  make: (native: (...args: unknown[]) => unknown) => (self: unknown, args: unknown[]) => unknown,
): void {
  const native = (owner as Record<string, (...args: unknown[]) => unknown>)[name]!;
  const call = make(native);
  const method = {
    [name](this: unknown, ...args: unknown[]): unknown {
      return apply(call, undefined, [this, args]);
    },
  }[name]!;
  defineProperty(method, 'length', { value: native.length, configurable: true });
  defineProperty(owner, name, { value: method, writable: true, configurable: true, enumerable: false });
}
