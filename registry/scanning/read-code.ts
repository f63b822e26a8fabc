import { type AnyNode, type Program, parse } from 'acorn';
import { analyze, type Variable } from 'eslint-scope';

/** A bundle as detectors see it. */
export interface ReadCode {
  text: string;
  /** Every node with what it lies in, the innermost last; outer ones come first. */
  visit(see: (node: AnyNode, ancestors: readonly AnyNode[]) => void): void;
  /** The name of a global that this identifier stands for, also by way of `globalThis`; null for everything else. */
  globalOf(node: AnyNode | null | undefined): string | null;
  /** The text or number that an expression always is, as far as that can be told; undefined where it cannot. */
  constantOf(node: AnyNode | null | undefined): string | number | undefined;
  /** `a.b` and `a['b']` alike: the name of the property, where it can be told. */
  propertyOf(node: AnyNode): string | undefined;
  /** What a name was given where it was declared, if it is never given anything else. */
  givenTo(node: AnyNode | null | undefined): AnyNode | null;
  /** The function that an expression is or names. */
  functionOf(node: AnyNode | null | undefined): AnyNode | null;
}

/** Deeper code is no code that a person wrote, and costs detectors their stack. */
const DEPTH_MAX = 1_500;
const NODES_MAX = 2_000_000;
const CONSTANT_DEPTH_MAX = 12;
const CONSTANT_CHARS_MAX = 65_536;
export const FUNCTIONS: ReadonlySet<string> = new Set([
  'FunctionDeclaration',
  'FunctionExpression',
  'ArrowFunctionExpression',
]);
const GLOBAL_NAMES = new Set(['globalThis', 'self', 'window', 'global']);

/** The code is not JavaScript, or too deep or large to be looked at; the message says which, where `at` is known: there. */
export class CodeUnreadable extends Error {
  override name = 'CodeUnreadable';
  readonly at: number | null;
  constructor(message: string, at: number | null = null) {
    super(message);
    this.at = at;
  }
}

/** Parses a bundle and finds out what its names stand for. Refuses with: CodeUnreadable. */
export function readCode(text: string): ReadCode {
  const program = parsed(text);
  requireBounds(program);
  const { free, resolved } = namesOf(program);

  const globalOf: ReadCode['globalOf'] = (node) => {
    if (!node) return null;
    if (node.type === 'Identifier') return free.has(node) ? node.name : (aliasOf(node) ?? null);
    if (node.type === 'ChainExpression') return globalOf(node.expression);
    // (0, eval)(…) is a well-known way of calling it unseen.
    if (node.type === 'SequenceExpression') return globalOf(node.expressions.at(-1));
    if (node.type !== 'MemberExpression') return null;
    const whole = globalOf(node.object as AnyNode);
    const name = whole !== null && GLOBAL_NAMES.has(whole) ? propertyOf(node) : undefined;
    return name ?? null;
  };
  const givenTo: ReadCode['givenTo'] = (node) => {
    const variable = node?.type === 'Identifier' ? resolved.get(node) : undefined;
    const [definition, ...more] = variable?.defs ?? [];
    if (definition?.type !== 'Variable' || more.length > 0) return null;
    const { id, init } = definition.node as unknown as { id: AnyNode; init: AnyNode | null };
    const written = variable!.references.filter((reference) => reference.isWrite()).length;
    return id.type === 'Identifier' && written === 1 ? init : null;
  };
  /** `const e = eval;` is as good as the name itself. */
  const aliasing = new Set<AnyNode>();
  const aliasOf = (node: AnyNode): string | null => {
    const value = givenTo(node);
    if (value === null || aliasing.has(value)) return null;
    if (value.type !== 'Identifier' && value.type !== 'MemberExpression') return null;
    aliasing.add(value);
    try {
      return globalOf(value);
    } finally {
      aliasing.delete(value);
    }
  };
  const constantOf: ReadCode['constantOf'] = (node) => constant(node ?? null, { globalOf, givenTo }, 0);
  const propertyOf: ReadCode['propertyOf'] = (node) => {
    if (node.type !== 'MemberExpression') return undefined;
    if (!node.computed) return 'name' in node.property ? node.property.name : undefined;
    const value = constantOf(node.property as AnyNode);
    return value === undefined ? undefined : String(value);
  };
  const functionOf: ReadCode['functionOf'] = (node) => {
    if (!node || FUNCTIONS.has(node.type)) return node ?? null;
    if (node.type !== 'Identifier') return null;
    const [definition] = resolved.get(node)?.defs ?? [];
    if (definition?.type === 'FunctionName') return definition.node as AnyNode;
    const value = givenTo(node);
    return value !== null && FUNCTIONS.has(value.type) ? value : null;
  };
  return { text, functionOf, visit: (see) => walk(program, see), globalOf, constantOf, propertyOf, givenTo };
}

function parsed(text: string): Program {
  try {
    return parse(text, { ecmaVersion: 2025, sourceType: 'script', allowHashBang: true, ranges: true });
  } catch (error) {
    if (isTooDeep(error)) throw new CodeUnreadable('It nests too deeply to be parsed.');
    const { message, pos = null } = error as { message: string; pos?: number };
    throw new CodeUnreadable(`It is not JavaScript: ${message}`, pos);
  }
}

const isTooDeep = (error: unknown): boolean =>
  error instanceof RangeError || /stack space/.test((error as Error).message);

function requireBounds(program: Program): void {
  let nodes = 0;
  walk(program, (node, ancestors) => {
    nodes += 1;
    if (ancestors.length > DEPTH_MAX)
      throw new CodeUnreadable(`It nests more than ${DEPTH_MAX} levels deep.`, node.start);
    if (nodes > NODES_MAX) throw new CodeUnreadable(`It has more than ${NODES_MAX} parts.`, node.start);
  });
}

/** Without recursion: hostile code may nest as deeply as it likes. */
export function walk(root: AnyNode, see: (node: AnyNode, ancestors: readonly AnyNode[]) => void): void {
  const ancestors: AnyNode[] = [];
  const left: (AnyNode | null)[] = [root];
  while (left.length > 0) {
    const node = left.pop()!;
    if (node === null) {
      ancestors.pop();
      continue;
    }
    see(node, ancestors);
    ancestors.push(node);
    left.push(null);
    const inner = Object.values(node).flatMap((value) =>
      isNode(value) ? [value] : Array.isArray(value) ? value.filter(isNode) : [],
    );
    for (const each of inner.reverse()) left.push(each);
  }
}

/** What a text that is written down says, a part of a template as well; null for every other node. */
export const textOf = (node: AnyNode): string | null =>
  node.type === 'Literal' && typeof node.value === 'string'
    ? node.value
    : node.type === 'TemplateElement'
      ? (node.value.cooked ?? null)
      : null;

const isNode = (value: unknown): value is AnyNode =>
  typeof value === 'object' && value !== null && 'type' in value && typeof value.type === 'string' && 'start' in value;

function namesOf(program: Program): { free: Set<unknown>; resolved: Map<unknown, Variable> } {
  try {
    // After a call of something named `eval`, which anybody can write, names around it would count as known to nobody.
    const scopes = analyze(program as never, { ecmaVersion: 2022, sourceType: 'script', ignoreEval: true });
    const free = new Set<unknown>(scopes.globalScope!.through.map(({ identifier }) => identifier));
    const resolved = new Map<unknown, Variable>();
    for (const scope of scopes.scopes) {
      for (const { identifier, resolved: variable } of scope.references)
        if (variable) resolved.set(identifier, variable);
    }
    return { free, resolved };
  } catch (error) {
    if (error instanceof RangeError) throw new CodeUnreadable('It nests too deeply to be looked through.');
    throw error;
  }
}

type Names = Pick<ReadCode, 'globalOf' | 'givenTo'>;

/** What authors of hidden code write to spell a word without writing it. */
function constant(node: AnyNode | null, names: Names, depth: number): string | number | undefined {
  if (node === null || depth > CONSTANT_DEPTH_MAX) return undefined;
  const of = (each: AnyNode | null | undefined) => constant(each ?? null, names, depth + 1);
  switch (node.type) {
    case 'Literal':
      return typeof node.value === 'string' || typeof node.value === 'number' ? node.value : undefined;
    case 'TemplateLiteral': {
      const inner = node.expressions.map(of);
      if (inner.some((each) => each === undefined)) return undefined;
      return short(node.quasis.map(({ value }, index) => `${value.cooked ?? ''}${inner[index] ?? ''}`).join(''));
    }
    case 'BinaryExpression': {
      if (node.operator !== '+') return undefined;
      const [left, right] = [of(node.left as AnyNode), of(node.right)];
      if (left === undefined || right === undefined) return undefined;
      return typeof left === 'number' && typeof right === 'number' ? left + right : short(`${left}${right}`);
    }
    case 'Identifier':
      return of(names.givenTo(node));
    case 'ParenthesizedExpression':
    case 'ChainExpression':
      return of(node.expression);
    case 'CallExpression':
      return constantCall(node, names, of);
    default:
      return undefined;
  }
}

const short = (text: string): string | undefined => (text.length > CONSTANT_CHARS_MAX ? undefined : text);

const percentDecoded = (text: string): string =>
  text.replace(/(?:%[0-9a-f]{2})+/gi, (bytes) => Buffer.from(bytes.replaceAll('%', ''), 'hex').toString('utf8'));
const DECODERS: Readonly<Record<string, (text: string) => string>> = {
  atob: (text) => Buffer.from(text, 'base64').toString('latin1'),
  decodeURI: percentDecoded,
  decodeURIComponent: percentDecoded,
  unescape: percentDecoded,
};

function constantCall(
  { callee, arguments: args }: Extract<AnyNode, { type: 'CallExpression' }>,
  names: Names,
  of: (node: AnyNode | null | undefined) => string | number | undefined,
): string | undefined {
  const values = args.map((each) => of(each as AnyNode));
  const decode = DECODERS[names.globalOf(callee as AnyNode) ?? ''];
  if (decode && typeof values[0] === 'string') return short(decode(values[0]));
  if (callee.type !== 'MemberExpression' || callee.computed || callee.property.type !== 'Identifier') return undefined;
  const { name } = callee.property;
  if (name === 'fromCharCode' || name === 'fromCodePoint') {
    const codes = values.filter((value) => typeof value === 'number' && value >= 0 && value <= 0x10ffff) as number[];
    return codes.length === values.length && codes.length > 0
      ? String.fromCodePoint(...codes.map(Math.trunc))
      : undefined;
  }
  if (name === 'join') {
    const letters = lettersOf(callee.object as AnyNode, of);
    return letters && typeof values[0] === 'string' ? short(letters.join(values[0])) : undefined;
  }
  const text = name === 'concat' || name.startsWith('to') ? of(callee.object as AnyNode) : undefined;
  if (typeof text !== 'string') return undefined;
  if (name === 'concat' && values.every((value) => value !== undefined)) return short(text + values.join(''));
  return name === 'toLowerCase' ? text.toLowerCase() : name === 'toUpperCase' ? text.toUpperCase() : undefined;
}

/** Of `['a', 'b']`, `'ba'.split('')` and `….reverse()`. */
function lettersOf(
  node: AnyNode,
  of: (node: AnyNode | null | undefined) => string | number | undefined,
): string[] | null {
  if (node.type === 'ArrayExpression') {
    const values = node.elements.map((each) => of(each as AnyNode | null));
    return values.every((value) => value !== undefined) ? values.map(String) : null;
  }
  if (node.type !== 'CallExpression' || node.callee.type !== 'MemberExpression') return null;
  const { object, property } = node.callee;
  if (property.type !== 'Identifier') return null;
  if (property.name === 'reverse') return lettersOf(object as AnyNode, of)?.reverse() ?? null;
  const text = property.name === 'split' ? of(object as AnyNode) : undefined;
  const separator = of(node.arguments[0] as AnyNode | undefined);
  return typeof text === 'string' && typeof separator === 'string' ? text.split(separator) : null;
}
