import { expect } from 'chai';
import fc from 'fast-check';
import { HostRefusal } from '../errors.ts';
import { JSON_DEPTH_MAX, parseJson, requireJson } from './parse-json.ts';

const refusal = (action: () => unknown): HostRefusal => {
  try {
    action();
  } catch (error) {
    if (error instanceof HostRefusal) return error;
    throw error;
  }
  throw new Error('nothing was refused');
};
const parse = (text: string) => parseJson(Buffer.from(text));
const nested = (levels: number) => '['.repeat(levels) + ']'.repeat(levels);

describe('parseJson', () => {
  it('reads whatever JSON.stringify writes, with any white space', () => {
    const plain = fc.jsonValue({ maxDepth: 8 }).filter((value) => !JSON.stringify(value).match(/__proto__|\\u/));
    fc.assert(
      fc.property(plain, fc.constantFrom(undefined, 1, '\t'), (value, space) => {
        expect(parse(JSON.stringify(value, null, space))).to.deep.equal(JSON.parse(JSON.stringify(value)));
      }),
    );
  });

  it('refuses an empty body with a sentence of its own', () => {
    expect(refusal(() => parse('')).message).to.equal('The body is empty; send a JSON document.');
  });

  it('refuses bytes that are not UTF-8', () => {
    for (const bytes of [
      [0x22, 0xff, 0x22],
      [0x22, 0xc0, 0xaf, 0x22],
      [0x22, 0xed, 0xa0, 0x80, 0x22],
    ]) {
      expect(refusal(() => parseJson(Buffer.from(bytes))).message).to.include('UTF-8');
    }
  });

  it(`reads ${JSON_DEPTH_MAX} levels and refuses one more`, () => {
    expect(parse(nested(JSON_DEPTH_MAX))).to.be.an('array');
    expect(refusal(() => parse(nested(JSON_DEPTH_MAX + 1))).message).to.include('deeper');
  });

  it('refuses a million levels without parsing them', () => {
    expect(refusal(() => parse('['.repeat(1_000_000))).message).to.include('deeper');
    expect(refusal(() => parse('{"a":'.repeat(1_000_000))).message).to.include('deeper');
  });

  it('does not count brackets inside texts', () => {
    const text = `${'['.repeat(100)}\\"${'{'.repeat(100)}\\\\`;
    expect(parse(`"${text}"`)).to.equal(JSON.parse(`"${text}"`));
  });

  it('refuses broken JSON without repeating it, and says where it is broken as far as that is known', () => {
    const { code, message } = refusal(() => parse('{"password": hunter2}'));
    expect(code).to.equal('body-malformed');
    expect(message).to.equal('The body is not well-formed JSON.');
    expect(refusal(() => parse('{"a":1')).message).to.equal('The body is not well-formed JSON at character 6.');
  });

  it('refuses a member that is given twice, however it is written and wherever it is', () => {
    for (const text of [
      '{"a":1,"a":2}',
      '{"a":1,"\\u0061":2}',
      '[{"b":{"a":[1,2],"a":2}}]',
      '{"a":{"a":1},"b":2,"a":3}',
    ]) {
      expect(refusal(() => parse(text)).message, text).to.equal('The member "a" is given twice.');
    }
  });

  it('takes the same name in different objects, and as a text', () => {
    const text = '{"a":{"a":["a","a",{"a":1}]},"b":"a"}';
    expect(parse(text)).to.deep.equal(JSON.parse(text));
  });

  it('refuses __proto__ as a member at any depth, also when it is escaped', () => {
    for (const text of ['{"__proto__":{"admin":true}}', '{"a":[{"__proto__":1}]}', '{"__pr\\u006fto__":1}']) {
      expect(refusal(() => parse(text)).message, text).to.include('__proto__');
    }
    expect(parse('{"a":"__proto__"}')).to.deep.equal({ a: '__proto__' });
  });

  it('refuses texts that PostgreSQL cannot store, and says where', () => {
    for (const text of ['{"a":["\\u0000"]}', '{"a":["x\\ud800y"]}']) {
      expect(refusal(() => parse(text)).facts, text).to.deep.equal({ pointer: '/a/0' });
    }
    expect(parse('"\\ud83d\\ude00 \\u00e9"')).to.equal('😀 é');
  });
});

describe('requireJson', () => {
  it('takes application/json in UTF-8', () => {
    for (const type of ['application/json', 'Application/JSON; charset=utf-8', 'application/json;charset="UTF-8"']) {
      expect(() => requireJson(type)).not.to.throw();
    }
  });

  it('refuses every other type, and none at all', () => {
    for (const type of [undefined, '', 'text/json', 'application/json; charset=latin1', 'application/jsonp']) {
      expect(refusal(() => requireJson(type)).code, type).to.equal('content-type-unsupported');
    }
  });
});
