import {
  apply,
  create,
  defineHidden,
  defineOpen,
  defineProperty,
  getOwnPropertyDescriptor,
  iteratorPrototype,
  keys,
  NativeTypeError,
  symbolIterator,
  symbolToStringTag,
} from './primordials.ts';
import { showAs } from './web-class.ts';

type Kind = 'entries' | 'keys' | 'values';
export type Pairs = readonly (readonly [name: string, value: unknown])[];

/**
 * The methods that Web IDL gives an interface with pairs: entries, keys, values, forEach and `Symbol.iterator`. They read the list
 * anew at each step, as the standard says. `pairsOf` throws for what is no such object.
 */
export function definePairMethods(Class: { prototype: object }, name: string, pairsOf: (self: unknown) => Pairs): void {
  showAs(Class, pairsOf);
  let advance: (iterator: unknown) => { value: unknown; done: boolean };
  let begin: (self: unknown, kind: Kind) => object;
  class Steps extends Returned {
    readonly #self: unknown;
    readonly #kind: Kind;
    #at = 0;
    constructor(self: unknown, kind: Kind) {
      super(create(prototype));
      this.#self = self;
      this.#kind = kind;
    }
    static {
      begin = (self, kind) => {
        pairsOf(self);
        return new Steps(self, kind);
      };
      advance = (iterator) => (iterator as Steps).#next();
    }
    #next(): { value: unknown; done: boolean } {
      const pairs = pairsOf(this.#self);
      if (this.#at >= pairs.length) return { value: undefined, done: true };
      const pair = pairs[this.#at]!;
      this.#at += 1;
      const value = this.#kind === 'keys' ? pair[0] : this.#kind === 'values' ? pair[1] : [pair[0], pair[1]];
      return { value, done: false };
    }
  }
  const prototype = create(iteratorPrototype) as object;
  defineVisible(prototype, {
    next(): { value: unknown; done: boolean } {
      return advance(this);
    },
  });
  const tag = { __proto__: null, value: `${name} Iterator`, writable: false, configurable: true, enumerable: false };
  defineProperty(prototype, symbolToStringTag, tag as PropertyDescriptor);
  defineVisible(Class.prototype, {
    entries(): object {
      return begin(this, 'entries');
    },
    keys(): object {
      return begin(this, 'keys');
    },
    values(): object {
      return begin(this, 'values');
    },
    forEach(visit: unknown, self: unknown = undefined): void {
      pairsOf(this);
      if (typeof visit !== 'function') throw new NativeTypeError('forEach takes a function');
      for (let at = 0; at < pairsOf(this).length; at += 1) {
        const pair = pairsOf(this)[at]!;
        visitWith(visit as Visit, self, pair[1], pair[0], this);
      }
    },
  });
  defineHidden(Class.prototype, symbolIterator, getOwnPropertyDescriptor(Class.prototype, 'entries')!.value);
}

type Visit = (value: unknown, name: string, self: unknown) => void;
const visitWith = (visit: Visit, self: unknown, value: unknown, name: string, owner: unknown): void => {
  apply(visit, self, [value, name, owner]);
};

/** Lets a class below put its fields on an object whose prototype is the standard's and not a class's. */
class Returned {
  constructor(object: object) {
    // biome-ignore lint/correctness/noConstructorReturn: this is the point of it.
    return object;
  }
}

function defineVisible(owner: object, methods: Record<string, unknown>): void {
  const names = keys(methods);
  for (let at = 0; at < names.length; at += 1) {
    const name = names[at]!;
    defineOpen(owner, name, methods[name]);
  }
}
