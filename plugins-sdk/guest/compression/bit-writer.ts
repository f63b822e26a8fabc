import { bytesSet, copyOfBytes, NativeUint8Array } from '../primordials.ts';

/** Writes bits, the lowest first. */
export class BitWriter {
  #bytes = new NativeUint8Array(512);
  #length = 0;
  #hold = 0;
  #count = 0;

  /** At most 16 bits. */
  put(value: number, bits: number): void {
    this.#hold |= value << this.#count;
    this.#count += bits;
    while (this.#count >= 8) {
      this.byte(this.#hold & 0xff);
      this.#hold >>>= 8;
      this.#count -= 8;
    }
  }

  /** Up to the next whole byte. */
  align(): void {
    if (this.#count > 0) this.put(0, 8 - this.#count);
  }

  byte(value: number): void {
    if (this.#length === this.#bytes.length) this.#grow(this.#length * 2);
    this.#bytes[this.#length] = value;
    this.#length += 1;
  }

  bytes(bytes: Uint8Array): void {
    const needed = this.#length + bytes.length;
    if (needed > this.#bytes.length) this.#grow(needed * 2);
    bytesSet(this.#bytes, bytes, this.#length);
    this.#length = needed;
  }

  /** The whole bytes so far. */
  take(): Uint8Array<ArrayBuffer> {
    const taken = copyOfBytes(this.#bytes, 0, this.#length);
    this.#length = 0;
    return taken;
  }

  #grow(size: number): void {
    const bytes = new NativeUint8Array(size);
    bytesSet(bytes, this.#bytes);
    this.#bytes = bytes;
  }
}
