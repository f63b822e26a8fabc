import { charCodeAt, stringSlice } from '../primordials.ts';
import { TextDecoder } from '../text-codec.ts';
import { utf8Encode } from '../utf8.ts';
import { webClass } from '../web-class.ts';
import { Converter } from './converter.ts';
import type { ReadableStream } from './readable-stream.ts';
import { optionsOf } from './strategies.ts';
import type { WritableStream } from './writable-stream.ts';

export class TextEncoderStream {
  #lead = '';
  readonly #converter = new Converter({
    convert: (chunk, put) => {
      // The two halves of a character may come in two chunks.
      let text = `${this.#lead}${chunk as string}`;
      const last = text.length > 0 ? charCodeAt(text, text.length - 1) : 0;
      const isCut = last >= 0xd800 && last <= 0xdbff;
      this.#lead = isCut ? stringSlice(text, text.length - 1) : '';
      if (isCut) text = stringSlice(text, 0, text.length - 1);
      if (text !== '') put(utf8Encode(text));
      return undefined;
    },
    flush: (put) => {
      if (this.#lead !== '') put(utf8Encode('\ufffd'));
    },
  });

  get encoding(): string {
    void this.#lead;
    return 'utf-8';
  }
  get readable(): ReadableStream {
    return this.#converter.readable;
  }
  get writable(): WritableStream {
    return this.#converter.writable;
  }
}
webClass(TextEncoderStream, 'TextEncoderStream');

export class TextDecoderStream {
  readonly #decoder: TextDecoder;
  readonly #converter: Converter;

  constructor(label: unknown = 'utf-8', options: unknown = undefined) {
    const given = optionsOf(options, 'The options');
    const decoder = new TextDecoder(label, { fatal: !!given?.fatal, ignoreBOM: !!given?.ignoreBOM });
    this.#decoder = decoder;
    this.#converter = new Converter({
      convert: (chunk, put) => {
        const text = decoder.decode(chunk as ArrayBuffer, { stream: true });
        if (text !== '') put(text);
        return undefined;
      },
      flush: (put) => {
        const text = decoder.decode();
        if (text !== '') put(text);
      },
    });
  }
  get encoding(): string {
    return this.#decoder.encoding;
  }
  get fatal(): boolean {
    return this.#decoder.fatal;
  }
  get ignoreBOM(): boolean {
    return this.#decoder.ignoreBOM;
  }
  get readable(): ReadableStream {
    return this.#converter.readable;
  }
  get writable(): WritableStream {
    return this.#converter.writable;
  }
}
webClass(TextDecoderStream, 'TextDecoderStream');
