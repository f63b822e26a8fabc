import type { AnyNode, CallExpression, NewExpression } from 'acorn';
import { type ReadCode, textOf } from '../read-code.ts';
import type { Detector, Hit } from './detector.ts';

const MAKERS = new Set(['Function', 'AsyncFunction', 'GeneratorFunction']);
const TIMERS = new Set(['setTimeout', 'setInterval', 'setImmediate']);
/** Old packages find the global object like this; it makes no code of anybody's text. */
const GLOBAL_IDIOM = /^\s*return this;?\s*$/;

/** `eval`, `Function`, timers with text, and WebAssembly: nobody can read beforehand what will run. */
export const dynamicCode: Detector =
  ({ code, report }) =>
  (node) => {
    const taken = takenUnseen(code, node);
    if (taken !== null) {
      const explanation = `It takes \`${taken}\` out of the global object in a way that hides it.`;
      report({ family: 'dynamic-code', severity: 'high', at: node.start, explanation });
    }
    if (node.type !== 'CallExpression' && node.type !== 'NewExpression') return;
    const callee = node.callee as AnyNode;
    const name = calledGlobal(code, callee) ?? reflected(code, node);
    const first = node.arguments[0] as AnyNode | undefined;
    if (name === 'eval' && first !== undefined) {
      report({ family: 'dynamic-code', severity: 'high', at: node.start, explanation: '`eval` runs text as code.' });
    } else if (name !== null && MAKERS.has(name)) {
      const body = code.constantOf(node.arguments.at(-1) as AnyNode | undefined);
      const idiom = typeof body === 'string' && GLOBAL_IDIOM.test(body);
      report({
        family: 'dynamic-code',
        severity: idiom ? 'medium' : 'high',
        at: node.start,
        explanation: idiom ? '`Function` is used to find the global object.' : `\`${name}\` makes code of text.`,
      });
    } else if (name !== null && TIMERS.has(name) && typeof code.constantOf(first) === 'string') {
      report({
        family: 'dynamic-code',
        severity: 'high',
        at: node.start,
        explanation: `\`${name}\` is given text to run.`,
      });
    } else if (/^WebAssembly(\.|$)/.test(pathOf(code, callee))) {
      report({
        family: 'dynamic-code',
        severity: 'high',
        at: node.start,
        explanation: 'WebAssembly is code that a moderator cannot read.',
      });
    }
  };

/** `globalThis['ev' + 'al']` and `const { eval: run } = globalThis`: the name of the maker of code, null for everything else. */
function takenUnseen(code: ReadCode, node: AnyNode): string | null {
  const isMaker = (name: string) => name === 'eval' || MAKERS.has(name);
  if (node.type === 'MemberExpression') {
    const name = node.computed && node.property.type !== 'Literal' ? code.globalOf(node) : null;
    return name !== null && isMaker(name) ? name : null;
  }
  if (node.type !== 'VariableDeclarator' || node.id.type !== 'ObjectPattern') return null;
  if (!/^(?:globalThis|self|window|global)$/.test(code.globalOf(node.init) ?? '')) return null;
  const names = node.id.properties.flatMap((each) =>
    each.type !== 'Property'
      ? []
      : [
          each.key.type === 'Identifier' && !each.computed
            ? each.key.name
            : String(code.constantOf(each.key as AnyNode)),
        ],
  );
  return names.find(isMaker) ?? null;
}

/** `Reflect.construct(Function, …)`. */
function reflected(code: ReadCode, node: CallExpression | NewExpression): string | null {
  const isReflect = /^Reflect\.(?:construct|apply)$/.test(pathOf(code, node.callee as AnyNode));
  return isReflect ? code.globalOf(node.arguments[0] as AnyNode | undefined) : null;
}

/** The global that is called, also by `.call`, `.apply` and `.bind` and by `Reflect`. */
function calledGlobal(code: ReadCode, callee: AnyNode): string | null {
  const direct = code.globalOf(callee);
  if (direct !== null || callee.type !== 'MemberExpression') return direct;
  const name = code.propertyOf(callee);
  return name === 'call' || name === 'apply' || name === 'bind' ? code.globalOf(callee.object as AnyNode) : null;
}

/** `WebAssembly.instantiate`; empty where it does not start at a global. */
export function pathOf(code: ReadCode, node: AnyNode): string {
  const whole = code.globalOf(node);
  if (whole !== null) return whole;
  if (node.type !== 'MemberExpression') return '';
  const [base, name] = [pathOf(code, node.object as AnyNode), code.propertyOf(node)];
  return base === '' || name === undefined ? '' : `${base}.${name}`;
}

/** From any value over its constructor to `Function`: the classic way out of a box. */
export const constructorChain: Detector =
  ({ code, report }) =>
  (node, ancestors) => {
    if (node.type !== 'MemberExpression' || code.propertyOf(node) !== 'constructor') return;
    const hit = (explanation: string) =>
      report({ family: 'constructor-chain', severity: 'high', at: node.start, explanation });
    const object = node.object as AnyNode;
    if (node.computed && node.property.type !== 'Literal')
      return hit('"constructor" is put together from parts, which hides it.');
    if (object.type === 'MemberExpression' && code.propertyOf(object) === 'constructor') {
      return hit('The constructor of a constructor is Function, which makes code of text.');
    }
    if (isFunctionLike(code, object)) return hit('The constructor of a function makes code of text.');
    const parent = ancestors.at(-1);
    const called = parent?.type === 'CallExpression' && parent.callee === node ? parent : undefined;
    if (
      called &&
      object.type !== 'ThisExpression' &&
      called.arguments.some((each) => typeof code.constantOf(each as AnyNode) === 'string')
    ) {
      hit('A constructor is called with text, as one calls Function.');
    }
  };

const PROVIDED_FUNCTIONS =
  /^(?:fetch|atob|btoa|structuredClone|queueMicrotask|parse(?:Int|Float)|(?:set|clear)(?:Timeout|Interval)|(?:en|de)codeURI(?:Component)?|Array|Boolean|Date|Error|Function|Map|Number|Object|Promise|RegExp|Set|String|Symbol|URL)$/;

/** A function or the name of one, a method of a literal, or the prototype of either. */
function isFunctionLike(code: ReadCode, node: AnyNode): boolean {
  if (code.functionOf(node) !== null || PROVIDED_FUNCTIONS.test(code.globalOf(node) ?? '')) return true;
  if (node.type === 'ParenthesizedExpression') return isFunctionLike(code, node.expression);
  if (node.type === 'MemberExpression') {
    const { type } = node.object;
    return (
      ['ArrayExpression', 'Literal', 'TemplateLiteral', 'ObjectExpression'].includes(type) &&
      code.propertyOf(node) !== undefined
    );
  }
  if (node.type !== 'CallExpression' || pathOf(code, node.callee as AnyNode) !== 'Object.getPrototypeOf') return false;
  return code.functionOf(node.arguments[0] as AnyNode | undefined) !== null;
}

/** `import()`, and `require` of what is not in the bundle. */
export const dynamicImport: Detector =
  ({ code, report }) =>
  (node) => {
    if (node.type === 'ImportExpression') {
      const target = code.constantOf(node.source);
      if (DANGEROUS_BUILT_INS.test(String(target))) return report(asksForNode(node.start, String(target)));
      const severity = target === undefined || /^(?:https?:|data:|blob:)/.test(String(target)) ? 'high' : 'medium';
      report({ family: 'dynamic-import', severity, at: node.start, explanation: 'Code is loaded at run time.' });
    } else if (node.type === 'CallExpression' && code.globalOf(node.callee as AnyNode) === 'importScripts') {
      report({
        family: 'dynamic-import',
        severity: 'high',
        at: node.start,
        explanation: '`importScripts` loads code at run time.',
      });
    } else if (node.type === 'CallExpression' && isRequire(code, node)) {
      const target = code.constantOf(node.arguments[0] as AnyNode | undefined);
      if (target === undefined) {
        report({
          family: 'dynamic-import',
          severity: 'medium',
          at: node.start,
          explanation: '`require` is given a name that is only known at run time.',
        });
      } else if (DANGEROUS_BUILT_INS.test(String(target))) {
        report(asksForNode(node.start, String(target)));
      }
    }
  };

const asksForNode = (at: number, target: string): Hit => ({
  family: 'host-probing',
  severity: 'high',
  at,
  explanation: `It asks for "${target}" of Node.js, which no plugin has.`,
});

const DANGEROUS_BUILT_INS =
  /^(?:node:)?(?:child_process|vm|worker_threads|fs(?:\/promises)?|net|tls|dgram|cluster|module|inspector|v8|os|repl|isolated-vm)$/;

/** esbuild's own `__require` stands for a `require` of the sources. */
const isRequire = (code: ReadCode, { callee }: CallExpression | NewExpression): boolean =>
  code.globalOf(callee as AnyNode) === 'require' || (callee.type === 'Identifier' && callee.name === '__require');

const PROBES: readonly [RegExp, string][] = [
  [
    /^process\.(?:binding|_linkedBinding|dlopen|mainModule|getBuiltinModule|kill|reallyExit)$/,
    'It reaches for the insides of Node.js.',
  ],
  [/^(?:Deno|Bun)\.\w+$/, 'It looks for another runtime than that of plugins.'],
  [/^Error\.prepareStackTrace$/, 'It takes hold of stack frames, which hold functions of whoever called.'],
  [/^__gatehouse(?!_define$)\w*/, 'It reaches for the insides of the guest runtime.'],
];

/** What is only there outside of the sandbox. */
export const hostProbing: Detector =
  ({ code, report }) =>
  (node, ancestors) => {
    if (node.type === 'MemberExpression') {
      const path = pathOf(code, node);
      const probe = path === '' ? undefined : PROBES.find(([pattern]) => pattern.test(path));
      // `typeof Deno.version` in a package is a question, not an attempt.
      const asked = ancestors.some(({ type }) => type === 'UnaryExpression');
      if (probe)
        report({
          family: 'host-probing',
          severity: asked || path.startsWith('Error.') ? 'medium' : 'high',
          at: node.start,
          explanation: probe[1],
        });
      const name = code.propertyOf(node);
      const hit = (explanation: string) =>
        report({ family: 'host-probing', severity: 'high', at: node.start, explanation });
      if (name === 'getThis') hit('It asks a stack frame for what its caller holds.');
      if (name === 'caller' && node.object.type === 'MemberExpression' && code.propertyOf(node.object) === 'callee')
        hit('It takes hold of the function that called it.');
      if (
        (name === 'caller' || name === 'callee') &&
        node.object.type === 'Identifier' &&
        node.object.name === 'arguments'
      ) {
        report({
          family: 'host-probing',
          severity: 'medium',
          at: node.start,
          explanation: 'It looks at who called it.',
        });
      }
    } else if (
      /(?:^|\W)(?:isolated-vm|\/proc\/self\/(?:environ|maps|mem)|\/etc\/(?:passwd|shadow))\b/.test(textOf(node) ?? '')
    ) {
      report({
        family: 'host-probing',
        severity: 'high',
        at: node.start,
        explanation: 'It names something of the machine outside of the sandbox.',
      });
    }
  };
