const SLOTS_MIN_LOG2 = 4;
/** As many as are kept however few are in use: some dozens come and go all the time. */
const SLOTS_KEPT = 1_024;
/** 2^32 over the golden ratio: what follows each other is far apart (Knuth, The Art of Computer Programming 3, 6.4). */
const SPREAD = 0x9e3779b1;

/**
 * Values by whole numbers from 0 on that mostly grow, such as tickets: what a Map would do, but for young garbage. Deleting and adding make V8 give a
 * Map a new table now and then, to which the old one points. Once one of them has grown old, all later ones outlive young collections,
 * with everything that was in them: 0.8 KB of each request, and a collection of the whole heap every two seconds. Here a place is used again.
 */
export class NumberTable<Value extends object> {
  #slotsLog2 = SLOTS_MIN_LOG2;
  /** Each value is in the first slot that was free from its home on. Half of them are, at least, and not many more: all are looked at. */
  #values: (Value | undefined)[] = new Array(2 ** SLOTS_MIN_LOG2).fill(undefined);
  #numbers: number[] = new Array(2 ** SLOTS_MIN_LOG2).fill(0);
  #size = 0;

  get size(): number {
    return this.#size;
  }

  get(number: number): Value | undefined {
    return this.#values[this.#slotOf(number)];
  }

  has(number: number): boolean {
    return this.get(number) !== undefined;
  }

  set(number: number, value: Value): void {
    const slot = this.#slotOf(number);
    const isNew = this.#values[slot] === undefined;
    this.#numbers[slot] = number;
    this.#values[slot] = value;
    if (isNew && ++this.#size * 2 >= this.#values.length) this.#resize(this.#slotsLog2 + 1);
  }

  /** False where it is not there. */
  delete(number: number): boolean {
    let hole = this.#slotOf(number);
    if (this.#values[hole] === undefined) return false;
    // Whatever follows without a gap may have been looked for past this slot: it moves up.
    const mask = this.#values.length - 1;
    for (let slot = this.#next(hole); this.#values[slot] !== undefined; slot = this.#next(slot)) {
      const home = this.#homeOf(this.#numbers[slot]!);
      if (((slot - home) & mask) < ((slot - hole) & mask)) continue;
      this.#numbers[hole] = this.#numbers[slot]!;
      this.#values[hole] = this.#values[slot];
      hole = slot;
    }
    this.#values[hole] = undefined;
    this.#size--;
    const slots = this.#values.length;
    if (slots > SLOTS_KEPT && this.#size * 8 < slots) this.#resize(this.#slotsLog2 - 1);
    return true;
  }

  /** That with the lowest number of those that pass. Copies nothing: plugins can have it called for each of their records. */
  find(passes: (value: Value) => boolean): Value | undefined {
    let found: Value | undefined;
    let lowest = Number.POSITIVE_INFINITY;
    for (let slot = 0; slot < this.#values.length; slot++) {
      const value = this.#values[slot];
      if (value === undefined || this.#numbers[slot]! > lowest || !passes(value)) continue;
      found = value;
      lowest = this.#numbers[slot]!;
    }
    return found;
  }

  /** In no order; a copy, since what is done with them may delete them. */
  values(): Value[] {
    return this.#values.filter((value) => value !== undefined);
  }

  /** By number, lowest first; a copy, too. */
  list(): Value[] {
    const slots = this.#values.flatMap((value, slot) =>
      value === undefined ? [] : [{ number: this.#numbers[slot]!, value }],
    );
    return slots.sort((one, other) => one.number - other.number).map(({ value }) => value);
  }

  /** Where it is, or would be. */
  #slotOf(number: number): number {
    let slot = this.#homeOf(number);
    while (this.#values[slot] !== undefined && this.#numbers[slot] !== number) slot = this.#next(slot);
    return slot;
  }

  #homeOf(number: number): number {
    return Math.imul(number, SPREAD) >>> (32 - this.#slotsLog2);
  }

  #next(slot: number): number {
    return (slot + 1) & (this.#values.length - 1);
  }

  #resize(slotsLog2: number): void {
    const [numbers, values] = [this.#numbers, this.#values];
    this.#slotsLog2 = slotsLog2;
    this.#numbers = new Array(2 ** slotsLog2).fill(0);
    this.#values = new Array(2 ** slotsLog2).fill(undefined);
    this.#size = 0;
    for (const [slot, value] of values.entries()) if (value !== undefined) this.set(numbers[slot]!, value);
  }
}
