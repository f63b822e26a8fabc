import type { AnyNode } from 'acorn';
import { textOf } from '../read-code.ts';
import type { Detector } from './detector.ts';

const HEX_NAMES_MIN = 5;
const ESCAPES_MIN = 12;
const ENCODED_CHARS_MIN = 200;
const CODES_MIN = 24;
const LINE_CHARS_MAX = 3_000;
const SYMBOLS_MIN = 80;
const CODE_WORDS = /\b(?:function|return|fetch|eval|require|globalThis|constructor)\b|=>/;

/** What tools make that hide what code does. Nothing in here is needed by anybody who wants to be read. */
export const obfuscation: Detector = ({ code, report }) => {
  const hexNames = new Set<string>();
  const hit = (severity: 'low' | 'medium' | 'high' | 'blocking', at: number | null, explanation: string) =>
    report({ family: 'obfuscation', severity, at, explanation });
  const line = longLine(code.text);
  if (line !== null)
    hit('medium', line, `A line has more than ${LINE_CHARS_MAX} characters of code; it seems minified.`);
  const symbols = symbolsOnly(code.text);
  if (symbols !== null)
    hit('blocking', symbols, 'The code is written in nothing but brackets and signs (JSFuck and the like).');
  return (node, ancestors) => {
    const text = textOf(node);
    if (node.type === 'Identifier' && /^_0x[0-9a-f]{3,}$/.test(node.name) && !hexNames.has(node.name)) {
      hexNames.add(node.name);
      if (hexNames.size === HEX_NAMES_MIN)
        hit('blocking', node.start, 'Names such as `_0x4f2a` are made by obfuscators.');
    } else if (text !== null) {
      const raw = code.text.slice(node.start, node.end);
      const escapes = raw.match(/\\(?:x[0-9a-f]{2}|u00[2-7][0-9a-f])/gi)?.length ?? 0;
      if (escapes >= ESCAPES_MIN && escapes * 2 > text.length)
        hit('high', node.start, 'Plain text is written in escapes.');
    } else if (isPacker(node)) {
      hit('blocking', node.start, 'The head of a packer: what follows is unpacked and run.');
    } else if (isRotation(code, node)) {
      hit('high', node.start, 'A table of texts is rotated before it is used, as obfuscators do.');
    } else if (isFlattened(code, node, ancestors)) {
      hit('high', node.start, 'The order of statements is hidden in a table (control-flow flattening).');
    } else if (node.type === 'CallExpression') {
      const decoded = code.globalOf(node.callee as AnyNode) === 'atob' ? code.constantOf(node) : undefined;
      if (typeof decoded === 'string' && CODE_WORDS.test(decoded)) hit('high', node.start, 'Code is hidden in base64.');
      else if (typeof decoded === 'string' && decoded.length > ENCODED_CHARS_MIN)
        hit('low', node.start, 'A long text is hidden in base64.');
      if (decodesCodes(code, node)) hit('high', node.start, 'Text is hidden in a table of numbers.');
    }
  };
};

/** Where a line starts that is too long for people, most of it being code and not text. */
function longLine(text: string): number | null {
  for (const match of text.matchAll(/[^\n]{3000,}/g)) {
    const statements = match[0].match(/[;{}]/g)?.length ?? 0;
    if (statements > match[0].length / 100) return match.index;
  }
  return null;
}

const symbolsOnly = (text: string): number | null => {
  for (const match of text.matchAll(/[[\]()!+{}\s]{80,}/g)) {
    // Ends of deeply nested code are brackets too, but none that are added up.
    const sums = match[0].match(/[!+]/g)?.length ?? 0;
    if (sums * 4 > SYMBOLS_MIN && match[0].replace(/\s/g, '').length >= SYMBOLS_MIN) return match.index;
  }
  return null;
};

/** `function(p, a, c, k, e, d)` of the packer by Dean Edwards. */
const isPacker = (node: AnyNode): boolean =>
  node.type === 'FunctionExpression' &&
  /^packe[dr]$/.test(node.params.map((each) => (each.type === 'Identifier' ? each.name : '?')).join(''));

/** `list.push(list.shift())` in a loop. */
const isRotation = (code: { propertyOf(node: AnyNode): string | undefined }, node: AnyNode): boolean => {
  if (node.type !== 'CallExpression' || node.callee.type !== 'MemberExpression' || node.arguments.length !== 1)
    return false;
  const [inner] = node.arguments;
  if (
    code.propertyOf(node.callee) !== 'push' ||
    inner?.type !== 'CallExpression' ||
    inner.callee.type !== 'MemberExpression'
  )
    return false;
  const [list, same] = [node.callee.object, inner.callee.object];
  const isSame = list.type === 'Identifier' && same.type === 'Identifier' && list.name === same.name;
  return isSame && code.propertyOf(inner.callee) === 'shift' && node.callee.computed;
};

/** `while (true) switch (order[i++])` with an order that is spelt as text. */
function isFlattened(code: Parameters<Detector>[0]['code'], node: AnyNode, ancestors: readonly AnyNode[]): boolean {
  if (node.type !== 'SwitchStatement' || node.discriminant.type !== 'MemberExpression') return false;
  const { object, property } = node.discriminant;
  if (property.type !== 'UpdateExpression') return false;
  const order = code.givenTo(object as AnyNode);
  const looped = ancestors.slice(-3).some(({ type }) => type === 'WhileStatement' || type === 'ForStatement');
  return (
    looped &&
    order?.type === 'CallExpression' &&
    order.callee.type === 'MemberExpression' &&
    code.propertyOf(order.callee) === 'split'
  );
}

/** `[104, 105, …].map(…fromCharCode…)` and `String.fromCharCode(...codes)`. */
function decodesCodes(
  code: Parameters<Detector>[0]['code'],
  node: Extract<AnyNode, { type: 'CallExpression' }>,
): boolean {
  const tableOf = (each: AnyNode | null | undefined): boolean => {
    const value = code.givenTo(each) ?? each;
    if (value?.type !== 'ArrayExpression' || value.elements.length < CODES_MIN) return false;
    return value.elements.every((element) => element?.type === 'Literal' && typeof element.value === 'number');
  };
  if (node.callee.type !== 'MemberExpression') return false;
  const name = code.propertyOf(node.callee);
  if (name === 'fromCharCode' || name === 'fromCodePoint') {
    const [first] = node.arguments;
    return first?.type === 'SpreadElement' && tableOf(code.givenTo(first.argument) ?? first.argument);
  }
  if ((name !== 'map' && name !== 'reduce') || !tableOf(node.callee.object as AnyNode)) return false;
  return /fromC(?:har|ode)/.test(code.text.slice(node.start, Math.min(node.end, node.start + 20_000)));
}

const STRING_CHARS_MAX = 16_384;
const ENCODED_CHARS_MAX = 6_000;
const ELEMENTS_MAX = 2_000;

/** Literals that nobody reads; what is encoded hides more in fewer characters. */
export const oversizedLiterals: Detector =
  ({ report }) =>
  (node) => {
    const hit = (size: number, max: number, explanation: string) =>
      report({
        family: 'oversized-literal',
        severity: size > max * 4 ? 'high' : 'medium',
        at: node.start,
        explanation,
      });
    if (node.type === 'ArrayExpression' && node.elements.length > ELEMENTS_MAX) {
      hit(node.elements.length, ELEMENTS_MAX * 4, `A list of ${node.elements.length} elements.`);
    }
    const text = textOf(node) ?? '';
    if (text.length <= ENCODED_CHARS_MAX) return;
    const encoded = /^[A-Za-z0-9+/=_-]+$/.test(text.slice(0, 20_000)) && !/^data:(?:image|font)\//.test(text);
    if (encoded) hit(text.length, ENCODED_CHARS_MAX, `A text of ${text.length} characters that is encoded.`);
    else if (text.length > STRING_CHARS_MAX)
      hit(text.length, STRING_CHARS_MAX * 4, `A text of ${text.length} characters.`);
  };
