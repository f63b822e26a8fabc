import fs from 'node:fs';
import { expect } from 'chai';
import { evaluateInGuest } from './guest-in-context.ts';
import { WEB_APIS, webApisPage } from './web-apis.ts';

/** What the language itself has, and the door through which this test enters. */
const OF_THE_LANGUAGE =
  `AggregateError Array ArrayBuffer AsyncDisposableStack BigInt BigInt64Array BigUint64Array Boolean DataView Date
  DisposableStack Error EvalError Float16Array Float32Array Float64Array Function Infinity Int16Array Int32Array Int8Array Intl Iterator
  JSON Map Math NaN Number Object Promise Proxy RangeError ReferenceError Reflect RegExp Set String SuppressedError Symbol SyntaxError Temporal
  TypeError URIError Uint16Array Uint32Array Uint8Array Uint8ClampedArray WeakMap WeakSet decodeURI decodeURIComponent encodeURI
  encodeURIComponent escape isFinite isNaN parseFloat parseInt undefined unescape enter`.split(/\s+/);

const every = WEB_APIS.flatMap(({ apis }) => apis);

describe('The table of Web APIs', () => {
  it('says of every name truly whether it is there', async () => {
    const names = JSON.stringify(every.map(({ name }) => name));
    const found = (await evaluateInGuest(`
      return ${names}.map((path) => {
        let owner = globalThis;
        for (const name of path.split('.')) {
          if (!(name in Object(owner))) return false;
          // A property of a prototype may throw when it is read there.
          owner = Object.getOwnPropertyDescriptor(owner, name)?.value ?? owner[name];
        }
        return true;
      })`)) as boolean[];
    const wrong = every.filter(({ state }, at) => found[at] !== (state !== 'absent')).map(({ name }) => name);
    expect(wrong).to.deep.equal([]);
  });

  it('has every global of a plugin that is not of the language', async () => {
    const globals = (await evaluateInGuest('return Object.getOwnPropertyNames(globalThis)')) as string[];
    const named = new Set(every.map(({ name }) => name));
    expect(globals.filter((name) => !named.has(name) && !OF_THE_LANGUAGE.includes(name))).to.deep.equal([]);
  });

  it('names each thing once, and says why where it is different or absent', () => {
    const names = every.map(({ name }) => name);
    expect(names.filter((name, at) => names.indexOf(name) !== at)).to.deep.equal([]);
    expect(
      every.filter(({ state, note }) => (state === 'present') !== (note === '')).map(({ name }) => name),
    ).to.deep.equal([]);
  });

  it('is what docs/web-apis.md shows', () => {
    expect(fs.readFileSync(new URL('../../docs/web-apis.md', import.meta.url), 'utf8')).to.equal(webApisPage());
  });
});
