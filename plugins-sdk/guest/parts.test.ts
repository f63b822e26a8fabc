import { expect } from 'chai';
import { PARTS_GLOBAL, splitGuest } from '../contract/guest-text.ts';
import { buildGuest } from './build-guest.ts';
import { evaluateInGuest } from './guest-in-context.ts';

/** Everything that a plugin can replace, replaced by something that throws. */
const SABOTAGE = `
  const spoil = (owner) => {
    for (const name of Reflect.ownKeys(owner)) {
      if (name === 'constructor' || name === 'prototype') continue;
      const { configurable, writable, value } = Object.getOwnPropertyDescriptor(owner, name);
      if (typeof value === 'function' && (configurable || writable)) owned.push([owner, name]);
    }
  };
  const owned = [];
  for (const Native of [Object, Reflect, Array, String, Number, Math, JSON, Map, Set, WeakMap, Symbol, ArrayBuffer, Uint8Array, DataView, RegExp, Error, Date]) {
    spoil(Native);
    if (Native.prototype) spoil(Native.prototype);
  }
  spoil(Object.getPrototypeOf(Uint8Array));
  spoil(Object.getPrototypeOf(Uint8Array.prototype));
  const define = Reflect.defineProperty;
  for (let at = 0; at < owned.length; at += 1) define(owned[at][0], owned[at][1], { value: () => { throw new Error('spoilt') } });
`;

/** One global of each part; with it the whole part is run. */
const OF_EACH_PART = ['ReadableStream', 'FormData', 'CompressionStream', 'URL', 'URLSearchParams', 'CryptoKey'];

describe('parts of the guest that are made on first use', () => {
  for (const name of OF_EACH_PART) {
    it(`give ${name} as an ordinary global from its first use on`, async () => {
      const [first, ...then] = (await evaluateInGuest(`
        const look = () => { const { value, writable, configurable, enumerable } = Object.getOwnPropertyDescriptor(globalThis, '${name}'); return [typeof value, writable, configurable, enumerable] };
        const before = look()[0];
        const First = ${name};
        return [before, ...look(), First === ${name}, First.name]`)) as unknown[];
      expect(first).to.equal('undefined');
      expect(then).to.deep.equal(['function', true, true, false, true, name]);
    });

    it(`give ${name} to a plugin that has spoilt every built-in before`, async () => {
      expect(
        await evaluateInGuest(`${SABOTAGE} const kind = typeof ${name}; return new Response('"' + kind + '"')`).catch(
          String,
        ),
      ).to.equal('function');
    });
  }

  it('give the parser of URLs to a plugin that has spoilt every built-in before', async () => {
    const body = `${SABOTAGE} const { href } = new URL('../é', 'HTTP://A.example:80/b/c'); return new Response('"' + href + '"')`;
    expect(await evaluateInGuest(body).catch(String)).to.equal('http://a.example/%C3%A9');
  });

  it('are no text of the script that each isolate has, and leave none behind', async () => {
    const { core, parts } = splitGuest(await buildGuest());
    for (const name of OF_EACH_PART) expect(parts).to.contain(`"${name}")`);
    for (const ofParts of ['DecompressionStream")', 'ReadableStreamBYOBReader")', 'windows-1252']) {
      expect([core.includes(ofParts), parts.includes(ofParts)], ofParts).to.deep.equal([false, true]);
    }
    expect(await evaluateInGuest(`return ['${PARTS_GLOBAL}' in globalThis, 'eval' in globalThis]`)).to.deep.equal([
      false,
      false,
    ]);
  });

  it('have frames with the name of the runtime, by which they are left out of what is shown', async () => {
    const stack = await evaluateInGuest(`try { new URL('no address') } catch (error) { return error.stack }`);
    const lines = String(stack).split('\n').slice(1);
    const above = lines.slice(
      0,
      lines.findIndex((line) => line.includes('bundle.js:')),
    );
    expect(above.length).to.be.greaterThan(0);
    expect(above.filter((line) => !/gatehouse:guest:\d+:\d+/.test(line))).to.deep.equal([]);
  });

  it('can be replaced like other globals, before and after', async () => {
    expect(
      await evaluateInGuest(
        `ReadableStream = 1; const first = ReadableStream; delete globalThis.ReadableStream; return [first, typeof ReadableStream]`,
      ),
    ).to.deep.equal([1, 'undefined']);
  });
});
