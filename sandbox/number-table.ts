const SLOTS_MIN = 16;

/**
 * Values by whole numbers from 0 on that mostly grow, such as tickets: what a Map would do, but for young garbage. Deleting and adding make V8 give a
 * Map a new table now and then, to which the old one points. Once one of them has grown old, all later ones outlive young collections,
 * with everything that was in them: 0.8 KB of each request, and a collection of the whole heap every two seconds. Here a place is used again.
 */
export class NumberTable<Value extends object> {
  /** Each value is in the first free slot from that of its number on. */
  #numbers: number[] = new Array(SLOTS_MIN).fill(0);
  #values: (Value | undefined)[] = new Array(SLOTS_MIN).fill(undefined);
  #mask = SLOTS_MIN - 1;
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
    if (isNew && ++this.#size * 2 > this.#mask) this.#grow();
  }

  /** False where it is not there. */
  delete(number: number): boolean {
    let hole = this.#slotOf(number);
    if (this.#values[hole] === undefined) return false;
    // Whatever follows without a gap may have been looked for past this slot: it moves up.
    for (let slot = this.#next(hole); this.#values[slot] !== undefined; slot = this.#next(slot)) {
      const home = this.#numbers[slot]! & this.#mask;
      if (((slot - home) & this.#mask) < ((slot - hole) & this.#mask)) continue;
      this.#numbers[hole] = this.#numbers[slot]!;
      this.#values[hole] = this.#values[slot];
      hole = slot;
    }
    this.#values[hole] = undefined;
    this.#size--;
    return true;
  }

  /** By number, lowest first; a copy, since what is done with them may delete them. */
  list(): Value[] {
    const slots = this.#values.flatMap((value, slot) =>
      value === undefined ? [] : [{ number: this.#numbers[slot]!, value }],
    );
    return slots.sort((one, other) => one.number - other.number).map(({ value }) => value);
  }

  /** Where it is, or would be. */
  #slotOf(number: number): number {
    let slot = number & this.#mask;
    while (this.#values[slot] !== undefined && this.#numbers[slot] !== number) slot = this.#next(slot);
    return slot;
  }

  #next(slot: number): number {
    return (slot + 1) & this.#mask;
  }

  #grow(): void {
    const [numbers, values] = [this.#numbers, this.#values];
    const slots = values.length * 2;
    this.#numbers = new Array(slots).fill(0);
    this.#values = new Array(slots).fill(undefined);
    this.#mask = slots - 1;
    this.#size = 0;
    for (const [slot, value] of values.entries()) if (value !== undefined) this.set(numbers[slot]!, value);
  }
}
