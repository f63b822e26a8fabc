import { NativeRangeError } from '../primordials.ts';
import { isNotNegative } from './strategies.ts';

interface Link<Item> {
  readonly item: Item;
  next: Link<Item> | null;
}

/** First in, first out, without a method or an index that a plugin could have replaced. */
export class Queue<Item> {
  #head: Link<Item> | null = null;
  #tail: Link<Item> | null = null;
  length = 0;

  push(item: Item): void {
    const link: Link<Item> = { item, next: null };
    if (this.#tail === null) this.#head = link;
    else this.#tail.next = link;
    this.#tail = link;
    this.length += 1;
  }
  /** The first one; there is one. */
  peek(): Item {
    return this.#head!.item;
  }
  shift(): Item {
    const { item, next } = this.#head!;
    this.#head = next;
    if (next === null) this.#tail = null;
    this.length -= 1;
    return item;
  }
  clear(): void {
    this.#head = null;
    this.#tail = null;
    this.length = 0;
  }
}

/** The standard's queue-with-sizes. */
export class SizedQueue<Item> {
  readonly #items = new Queue<{ item: Item; size: number }>();
  total = 0;

  get length(): number {
    return this.#items.length;
  }
  push(item: Item, size: number): void {
    if (!isNotNegative(size) || size === Infinity)
      throw new NativeRangeError('The size of a chunk is a finite number from 0 on');
    this.#items.push({ item, size });
    this.total += size;
  }
  peek(): Item {
    return this.#items.peek().item;
  }
  shift(): Item {
    const { item, size } = this.#items.shift();
    this.total -= size;
    // Of fractions something may be left over.
    if (this.total < 0) this.total = 0;
    return item;
  }
  clear(): void {
    this.#items.clear();
    this.total = 0;
  }
}
