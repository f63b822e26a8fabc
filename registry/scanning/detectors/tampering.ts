import type { AnyNode } from 'acorn';
import type { ReadCode } from '../read-code.ts';
import type { Severity } from '../rules/scan-report.ts';
import type { Detector } from './detector.ts';
import { pathOf } from './reaching-code.ts';

/** Of the language and of the platform: what other code in the isolate relies on. */
const PROVIDED = new Set(
  'AbortController AbortSignal AggregateError Array ArrayBuffer Atomics BigInt Blob Boolean DataView Date Error EvalError Event EventTarget FinalizationRegistry Function Headers Intl Iterator JSON Map Math Number Object Promise Proxy RangeError ReadableStream Reflect RegExp Request Response Set String Symbol SyntaxError TextDecoder TextEncoder TypeError URL URLSearchParams Uint8Array WeakMap WeakRef WeakSet atob btoa clearInterval clearTimeout console crypto decodeURIComponent encodeURIComponent eval fetch globalThis isFinite isNaN parseFloat parseInt performance queueMicrotask setInterval setTimeout structuredClone undefined'.split(
    ' ',
  ),
);
const SETTERS = /^(?:Object|Reflect)\.(?:defineProperty|defineProperties|setPrototypeOf|assign|set)$/;
const isBuiltInPrototype = (path: string): boolean => {
  const [name, prototype] = path.split('.');
  return prototype === 'prototype' && PROVIDED.has(name!);
};

/** What an expression changes: left sides of assignments, operands of `delete` and `++`, first arguments of setters. */
function changed(code: ReadCode, node: AnyNode): { target: AnyNode; whole: boolean } | null {
  if (node.type === 'AssignmentExpression') return { target: node.left as AnyNode, whole: false };
  if (node.type === 'UpdateExpression') return { target: node.argument as AnyNode, whole: false };
  if (node.type === 'UnaryExpression' && node.operator === 'delete') return { target: node.argument, whole: false };
  if (node.type !== 'CallExpression') return null;
  const path = pathOf(code, node.callee as AnyNode);
  const first = node.arguments[0] as AnyNode | undefined;
  if (SETTERS.test(path) && first) return { target: first, whole: true };
  const legacy =
    node.callee.type === 'MemberExpression' && /^__define[GS]etter__$/.test(code.propertyOf(node.callee) ?? '');
  return legacy ? { target: (node.callee as { object: AnyNode }).object, whole: true } : null;
}

/** Inside an `if` it may be a polyfill that fills a gap. */
const graded = (ancestors: readonly AnyNode[]): Severity =>
  ancestors.some(({ type }) => type === 'IfStatement' || type === 'LogicalExpression') ? 'medium' : 'high';

export const prototypeTampering: Detector =
  ({ code, report }) =>
  (node, ancestors) => {
    const change = changed(code, node);
    if (change === null) return;
    const { target, whole } = change;
    const hit = (severity: Severity, explanation: string) =>
      report({ family: 'prototype-tampering', severity, at: node.start, explanation });
    const owner = whole ? target : target.type === 'MemberExpression' ? (target.object as AnyNode) : null;
    const path = owner === null ? '' : prototypePath(code, owner);
    if (path !== '') return hit(graded(ancestors), `It changes ${path}, which all code in the isolate shares.`);
    if (target.type === 'MemberExpression' && code.propertyOf(target) === '__proto__' && !whole) {
      hit(
        node.type === 'AssignmentExpression' ? 'medium' : 'low',
        'It changes what an object inherits from by way of `__proto__`.',
      );
    } else if (owner?.type === 'MemberExpression' && code.propertyOf(owner) === '__proto__') {
      hit('high', 'It writes into what an object inherits from, which others inherit from too.');
    } else if (reachesPrototype(code, owner)) {
      hit('high', 'It goes from a value over its constructor to a prototype that others share.');
    }
  };

/** `Array.prototype`, also by `Object.getPrototypeOf([])`; empty where it is none. */
function prototypePath(code: ReadCode, node: AnyNode): string {
  const value = code.givenTo(node) ?? node;
  const path = pathOf(code, value);
  if (isBuiltInPrototype(path)) return path.split('.').slice(0, 2).join('.');
  if (
    value.type !== 'CallExpression' ||
    !/^(?:Object|Reflect)\.getPrototypeOf$/.test(pathOf(code, value.callee as AnyNode))
  )
    return '';
  const of = value.arguments[0];
  if (of?.type === 'ArrayExpression') return 'Array.prototype';
  if (of?.type === 'ObjectExpression') return 'Object.prototype';
  return of?.type === 'Literal' ? 'the prototype of a literal' : '';
}

const reachesPrototype = (code: ReadCode, node: AnyNode | null): boolean =>
  node?.type === 'MemberExpression' &&
  code.propertyOf(node) === 'prototype' &&
  node.object.type === 'MemberExpression' &&
  code.propertyOf(node.object) === 'constructor' &&
  node.object.object.type !== 'ThisExpression';

export const globalTampering: Detector =
  ({ code, report }) =>
  (node, ancestors) => {
    const change = changed(code, node);
    if (change === null) return;
    const { target, whole } = change;
    const name = whole ? definedGlobal(code, node, target) : code.globalOf(target);
    const path = whole ? pathOf(code, target) : target.type === 'MemberExpression' ? pathOf(code, target) : '';
    const hit = (severity: Severity, explanation: string) =>
      report({ family: 'global-tampering', severity, at: node.start, explanation });
    if (name !== null && PROVIDED.has(name)) return hit(graded(ancestors), `It replaces the global \`${name}\`.`);
    const [first, second, ...more] = path.split('.');
    const ofProvided = second !== undefined && second !== 'prototype' && more.length === 0 && PROVIDED.has(first!);
    // Old packages tune these two, and they are meant to be set.
    if (/^Error\.(?:stackTraceLimit|prepareStackTrace)$/.test(path)) return;
    if (ofProvided)
      return hit(graded(ancestors), `It changes \`${first}.${second}\`, which all code in the isolate shares.`);
    const assigned = whole && PROVIDED.has(path) && path !== 'globalThis' ? assignedName(code, node) : null;
    if (assigned !== null)
      return hit(graded(ancestors), `It changes \`${path}.${assigned}\`, which all code in the isolate shares.`);
    if (
      whole &&
      PROVIDED.has(path) &&
      path !== 'globalThis' &&
      !/^Object\.assign$/.test(pathOf(code, (node as { callee: AnyNode }).callee))
    ) {
      return hit('medium', `It defines something on \`${path}\`.`);
    }
    if (name !== null) hit('low', `It keeps something in the global \`${name}\`.`);
  };

/** Of `Object.assign(JSON, { parse })`: the first name that is written down; null for every other call. */
function assignedName(code: ReadCode, node: AnyNode): string | null {
  if (node.type !== 'CallExpression' || pathOf(code, node.callee as AnyNode) !== 'Object.assign') return null;
  for (const each of node.arguments.slice(1)) {
    const property = each.type === 'ObjectExpression' ? each.properties[0] : undefined;
    if (property?.type === 'Property') return String(code.constantOf(property.key as AnyNode) ?? nameOf(property.key));
  }
  return null;
}

const nameOf = (key: { type: string; name?: string }): string => key.name ?? '…';

/** Of `Object.defineProperty(globalThis, 'fetch', …)`. */
function definedGlobal(code: ReadCode, node: AnyNode, target: AnyNode): string | null {
  if (node.type !== 'CallExpression' || !/^(?:globalThis|self|window|global)$/.test(code.globalOf(target) ?? ''))
    return null;
  const second = node.arguments[1] as AnyNode | undefined;
  const name = code.constantOf(second);
  if (name !== undefined) return String(name);
  if (second?.type !== 'ObjectExpression') return null;
  const names = second.properties.flatMap((each) =>
    each.type === 'Property' && each.key.type === 'Identifier' ? [each.key.name] : [],
  );
  return names.find((each) => PROVIDED.has(each)) ?? names[0] ?? null;
}
