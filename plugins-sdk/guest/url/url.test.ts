import { domainToASCII } from 'node:url';
import { expect } from 'chai';
import fc from 'fast-check';
import { registerParts } from '../parts.ts';
import { URL as GuestUrl } from './index.ts';
import * as params from './params/index.ts';
import { parsePlain, parsePlainReference } from './parse-plain.ts';
import * as parser from './parser/index.ts';
import { writeHref } from './record.ts';

registerParts({ 'url-params': () => params, 'url-parser': () => parser });
const { URLSearchParams: GuestParams } = params;
const { parseUrl } = parser;

const FIELDS = [
  'href',
  'origin',
  'protocol',
  'username',
  'password',
  'host',
  'hostname',
  'port',
  'pathname',
  'search',
  'hash',
] as const;
type Field = (typeof FIELDS)[number];

/** What a URL shows, or that it is none. */
const shown = (make: () => Record<Field, string>) => {
  try {
    const url = make();
    return Object.fromEntries(FIELDS.map((field) => [field, url[field]]));
  } catch (error) {
    return (error as Error).name;
  }
};

const mixed = (...pieces: string[]) =>
  fc
    .array(
      fc.oneof(
        { weight: 4, arbitrary: fc.constantFrom(...pieces) },
        { weight: 1, arbitrary: fc.string({ maxLength: 3 }) },
      ),
      { maxLength: 10 },
    )
    .map((parts) => parts.join(''));
const odd = mixed(
  'http',
  'https',
  'file',
  'ws',
  'x-y',
  ':',
  '//',
  '/',
  '\\',
  '.',
  '..',
  '%2e',
  '%41',
  '?',
  '#',
  '@',
  'a',
  'B',
  'c.d',
  '[::1]',
  '127.1',
  '0x7f',
  ':80',
  ':443',
  ':8080',
  'C|',
  'C:',
  ' ',
  '\t',
  'é',
  "'",
  '"',
  '<',
  '^',
  '{',
  '|',
  '%',
  'localhost',
  '256',
  '&',
  '=',
);
/** Mostly what the fast way takes, with some of what it must not. */
const plainish = fc
  .tuple(
    fc.constantFrom('http://', 'https://'),
    fc.constantFrom(
      ...['a.example', 'localhost', 'a-b.c', 'a.1', '1.a', 'A.b', 'a_b', 'a.', 'a..b', '', '127.0.0.1', '1.2.3.4.'],
      ...['256.1.1.1', '1.2.3', '01.2.3.4', '1.2.3.4.5', '255.0.10.1'],
    ),
    fc.constantFrom('', ':80', ':443', ':8080', ':0', ':00', ':65536', ':', ':8a'),
    fc.constantFrom('/', '/', '/a/', ''),
    mixed('/', 'a', '.', '..', '%2e', '%2F', '%41', '~', "'", '?', '#', '&', '=', ';', '^', '\\', 'é', '|', '[', ']'),
  )
  .map((parts) => parts.join(''));
const references = mixed(
  'a',
  'b.c',
  '/',
  '//',
  '.',
  '..',
  '%2e',
  '%2F',
  '%41',
  '?',
  '#',
  ':',
  'a:',
  '&',
  '=',
  "'",
  ' ',
  '\\',
  '|',
  'é',
);

describe('URL', () => {
  it('reads every text as the platform does', () => {
    fc.assert(
      fc.property(fc.oneof(odd, plainish), (text) => {
        expect(shown(() => new GuestUrl(text))).to.deep.equal(shown(() => new URL(text)));
      }),
      { numRuns: 4_000 },
    );
  });

  it('reads every text against a base as the platform does', () => {
    const bases = [
      'http://u:p@h.example:81/a/b?c#d',
      'file:///C:/x/y',
      'file://host/x',
      'mailto:a@b',
      'x-y:/a/../b',
      'https://h.example',
      'http://127.0.0.1:8080/run/a/b/',
      'https://h.example?c#d',
    ];
    fc.assert(
      fc.property(fc.oneof(odd, references), fc.constantFrom(...bases), (text, base) => {
        expect(shown(() => new GuestUrl(text, base))).to.deep.equal(shown(() => new URL(text, base)));
      }),
      { numRuns: 4_000 },
    );
  });

  it('gives the same for a plain text the fast way and the exact way', () => {
    let fast = 0;
    fc.assert(
      fc.property(plainish, (text) => {
        const plain = parsePlain(text);
        if (plain === null) return;
        fast += 1;
        expect(plain).to.deep.equal(parseUrl(text, null));
        expect(writeHref(plain)).to.equal(text);
      }),
      { numRuns: 4_000 },
    );
    expect(fast).to.be.above(100);
  });

  it('gives the same for a plain reference the fast way and the exact way', () => {
    const bases = [
      'http://u:p@h.example:81/a/b?c#d',
      'http://127.0.0.1:8080/',
      'file:///C:/x/y',
      'x-y:/a',
      'mailto:a',
    ].map((text) => parseUrl(text, null)!);
    let fast = 0;
    fc.assert(
      fc.property(references, fc.constantFrom(...bases), (text, base) => {
        const plain = parsePlainReference(text, base);
        if (plain === null) return;
        fast += 1;
        expect(plain).to.deep.equal(parseUrl(text, base));
      }),
      { numRuns: 4_000 },
    );
    expect(fast).to.be.above(100);
  });

  it('takes ordinary addresses the fast way', () => {
    for (const text of [
      'https://shop.example/',
      'http://localhost:8080/a/b.html?x=1&y=%20#top',
      "https://a.b/c;d=e,f!$&'()*+",
      'http://127.0.0.1:8080/run/a/',
    ]) {
      expect(parsePlain(text)?.path, text).to.be.a('string');
    }
    const base = parsePlain('https://shop.example/a/b?c')!;
    for (const text of ['', 'd', 'd/e?f#g', '/d', '?f', '#g']) {
      expect(parsePlainReference(text, base)?.path, text).to.be.a('string');
    }
  });

  it('sets every part as the platform does', () => {
    const setters = FIELDS.filter((field) => field !== 'origin');
    const starts = [
      'https://u:p@h.example:8080/a/b?c=d#e',
      'file:///C:/x',
      'mailto:a@b ?c',
      'x-y://h/p',
      'x-y:/a',
      'http://1.2.3.4/',
    ];
    fc.assert(
      fc.property(fc.constantFrom(...starts), fc.constantFrom(...setters), odd, (start, field, value) => {
        const set = (url: Record<Field, string>) => {
          url[field as 'href'] = value;
          return url;
        };
        expect(shown(() => set(new GuestUrl(start)))).to.deep.equal(shown(() => set(new URL(start))));
      }),
      { numRuns: 4_000 },
    );
  });

  it('reads international domains as the platform does', () => {
    const letters = fc.constantFrom(
      'a',
      'ß',
      'ς',
      'İ',
      'é',
      'e\u0301',
      '1',
      'क्',
      'ー',
      '。',
      'Ａ',
      '\u00ad',
      'Ꭰ',
      '\u{1f600}',
      '\u0300',
      '.',
    );
    fc.assert(
      fc.property(fc.array(letters, { minLength: 1, maxLength: 6 }), (parts) => {
        const domain = `x${parts.join('')}`;
        const ascii = domainToASCII(domain);
        const mine = shown(() => new GuestUrl(`http://${domain}/`));
        expect(typeof mine === 'string' ? '' : mine.hostname).to.equal(ascii);
      }),
      { numRuns: 4_000 },
    );
  });

  it('refuses labels that mix directions of writing, and joiners where nothing joins', () => {
    const domains = [
      'אב',
      'א1ב',
      'אa',
      'aא',
      'א١1',
      'ب\u200cب',
      'a\u200cb',
      'क्\u200dष',
      'xn--a',
      'xn--4ca',
      'xn--zca',
      'a.אb',
      'ab\u200f',
    ];
    const read = domains.filter((domain) => GuestUrl.canParse(`https://${domain}/`));
    expect(read).to.deep.equal(['אב', 'א1ב', 'ب\u200cب', 'क्\u200dष', 'xn--4ca', 'xn--zca']);
  });

  it('keeps a URL and its parameters in step', () => {
    const url = new GuestUrl('https://h.example/?a=1&b=2');
    const params = url.searchParams;
    params.append('c', 'é &');
    expect(url.href).to.equal('https://h.example/?a=1&b=2&c=%C3%A9+%26');
    url.search = '?z=9';
    expect([...params]).to.deep.equal([['z', '9']]);
    params.delete('z');
    expect(url.href).to.equal('https://h.example/');
    expect(url.searchParams).to.equal(params);
  });

  it('makes a URL that nobody else changes, however often its text is read', () => {
    const shop = 'https://shop.example/a?b=1#c';
    const asked = 'http://[::1]:8080/x/./y';
    const readers: Record<string, () => GuestUrl> = {
      'with new': () => new GuestUrl(shop),
      'with new, by the exact way': () => new GuestUrl(asked),
      'with new and a base': () => new GuestUrl('greetings/Ada?d', shop),
      'with new and a base that is a URL': () => new GuestUrl('e', new GuestUrl(asked) as never),
      'with parse': () => GuestUrl.parse(shop)!,
      'with parse and a base': () => GuestUrl.parse('f', asked)!,
      'with the setter of href': () => {
        const url = new GuestUrl('http://other.example/');
        url.href = shop;
        return url;
      },
    };
    for (const [how, read] of Object.entries(readers)) {
      const before = shown(read);
      const changed = read();
      changed.protocol = 'ws:';
      changed.username = 'u';
      changed.port = '99';
      changed.pathname = '/changed';
      changed.searchParams.set('changed', 'yes');
      changed.hash = 'changed';
      for (const [other, again] of Object.entries(readers)) {
        if (other === how) expect(shown(again), how).to.deep.equal(before);
        else void again();
      }
      expect(shown(read), how).to.deep.equal(before);
      expect(new GuestUrl('.', shop).href, how).to.equal('https://shop.example/');
    }
  });

  it('tells a base that is no URL from one that is, right after it', () => {
    for (const base of ['https://a.example/b', 'nope', 'https://a.example/b', '']) {
      expect(GuestUrl.canParse('c', base), base).to.equal(base !== '' && base !== 'nope');
      expect(GuestUrl.canParse('', base), base).to.equal(base !== '' && base !== 'nope');
    }
    expect(GuestUrl.canParse('')).to.equal(false);
  });

  it('knows what is no URL', () => {
    expect(GuestUrl.canParse('nope')).to.equal(false);
    expect(GuestUrl.parse('/a', 'https://b')?.href).to.equal('https://b/a');
    expect(() => new GuestUrl('http://a b/')).to.throw(TypeError, 'Invalid URL: "http://a b/"');
    expect(() => new GuestUrl('x'.repeat(1_000))).to.throw(TypeError, 'Invalid URL: "a long text"');
  });
});

describe('URLSearchParams', () => {
  it('reads and writes every text as the platform does', () => {
    fc.assert(
      fc.property(mixed('a', '=', '&', '+', '%20', '%zz', '%C3%A9', '?', ' '), (text) => {
        const [mine, platform] = [new GuestParams(text), new URLSearchParams(text)];
        expect([...mine]).to.deep.equal([...platform]);
        expect(`${mine}`).to.equal(`${platform}`);
        mine.sort();
        platform.sort();
        expect(`${mine}`).to.equal(`${platform}`);
      }),
      { numRuns: 2_000 },
    );
  });

  it('sees what is added while it is walked', () => {
    const params = new GuestParams('a=1');
    const seen: string[] = [];
    for (const name of params.keys()) {
      seen.push(name);
      if (seen.length < 3) params.append(`b${seen.length}`, '');
    }
    expect(seen).to.deep.equal(['a', 'b1', 'b2']);
  });
});
