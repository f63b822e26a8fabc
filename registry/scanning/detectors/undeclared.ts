import type { AnyNode, Function as FunctionNode, Pattern } from 'acorn';
import { FUNCTIONS, type ReadCode, walk } from '../read-code.ts';
import { hostOf, isDeclaredHost } from '../rules/declared.ts';
import type { Detector } from './detector.ts';

const SENDERS = new Set(['fetch', 'Request', 'WebSocket', 'EventSource', 'XMLHttpRequest']);
/** Fields of a handler's context that are a capability of the same name. */
const CAPABILITIES = new Set(['kv', 'events', 'plugins', 'notify', 'queue', 'secrets']);
const ROUTE = /^(?:GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS) \/\S*$/;

/** Hosts that are written down and capabilities that handlers take, beside what the manifest says. */
export const undeclared: Detector = ({ code, manifest, report }) => {
  const declared = new Set<string>((manifest.capabilities ?? []).map(({ name }) => name));
  const reported = new Set<string>();
  const once = (key: string, hit: Parameters<typeof report>[0]) => {
    if (!reported.has(key)) report(hit);
    reported.add(key);
  };
  return (node) => {
    if (node.type === 'CallExpression' || node.type === 'NewExpression') {
      const name = code.globalOf(node.callee as AnyNode);
      if (name !== null && SENDERS.has(name)) lookAtTarget(code, node, (host) => sent(name, host, node));
    }
    const host = redirected(code, node);
    if (host !== null) sent('URL', host, node);
    for (const { field, at } of takenFields(code, node)) {
      if (CAPABILITIES.has(field) && !declared.has(field)) {
        once(`capability ${field}`, {
          family: 'undeclared',
          severity: 'medium',
          at,
          explanation: `It uses the capability "${field}", which the manifest does not declare.`,
        });
      }
    }
  };

  function sent(name: string, host: string | null, node: AnyNode) {
    if (host !== null && !isDeclaredHost(manifest.fetchHosts ?? [], host)) {
      return once(`host ${host}`, {
        family: 'undeclared',
        severity: 'high',
        at: node.start,
        explanation: `It sends to ${host}, which the manifest does not declare.`,
      });
    }
    if (name === 'fetch' && !declared.has('fetch')) {
      once('capability fetch', {
        family: 'undeclared',
        severity: 'medium',
        at: node.start,
        explanation: 'It uses `fetch`, and the manifest does not declare that capability.',
      });
    }
  }
};

/** The host that is put into a URL that was another one: `url.hostname = '…'`; null for everything else. */
function redirected(code: ReadCode, node: AnyNode): string | null {
  if (node.type !== 'AssignmentExpression' || node.left.type !== 'MemberExpression') return null;
  const part = code.propertyOf(node.left);
  const value = part === 'hostname' || part === 'host' || part === 'href' ? code.constantOf(node.right) : undefined;
  const made = code.givenTo(node.left.object as AnyNode);
  if (typeof value !== 'string' || made?.type !== 'NewExpression' || code.globalOf(made.callee as AnyNode) !== 'URL')
    return null;
  return hostOf(part === 'href' ? value : `https://${value}`);
}

/** What could be all of a host, or is followed by the rest of a URL; `https://eu-` is neither. */
const WITH_HOST = /^[^:]+:[\\/]*[^\\/?#]+(?:[\\/?#]|\.[^.:\\/?#-]+(?::\d*)?$)/;

/** Null where the target is only known at run time. Parts before the first unknown one may tell the host already. */
function lookAtTarget(
  code: ReadCode,
  { arguments: args }: Extract<AnyNode, { type: 'CallExpression' | 'NewExpression' }>,
  tell: (host: string | null) => void,
): void {
  const target = args[0] as AnyNode | undefined;
  const start = startOf(code, target, 0);
  tell(code.constantOf(target) !== undefined || WITH_HOST.test(start) ? hostOf(start) : null);
}

/** The beginning of a text, as far as it is known. */
function startOf(code: ReadCode, node: AnyNode | null | undefined, depth: number): string {
  if (!node || depth > 8) return '';
  const whole = code.constantOf(node);
  if (whole !== undefined) return String(whole);
  if (node.type === 'TemplateLiteral') {
    const first = node.quasis[0]!.value.cooked ?? '';
    return first === '' ? startOf(code, node.expressions[0], depth + 1) + (node.quasis[1]?.value.cooked ?? '') : first;
  }
  if (node.type === 'BinaryExpression' && node.operator === '+') {
    const left = startOf(code, node.left as AnyNode, depth + 1);
    return code.constantOf(node.left as AnyNode) === undefined ? left : left + startOf(code, node.right, depth + 1);
  }
  if (node.type === 'Identifier') return startOf(code, code.givenTo(node), depth + 1);
  if (node.type === 'NewExpression' && code.globalOf(node.callee as AnyNode) === 'URL') {
    const base = node.arguments[1] as AnyNode | undefined;
    const path = startOf(code, node.arguments[0] as AnyNode, depth + 1);
    return /^[a-z]+:\/\//i.test(path) ? path : startOf(code, base, depth + 1);
  }
  return '';
}

/** What handlers take of their context: `async (request, { kv })`, and `ctx.kv` of `async (request, ctx)`. */
function takenFields(code: ReadCode, node: AnyNode): { field: string; at: number }[] {
  if (node.type !== 'Property') return [];
  const name = node.key.type === 'Identifier' ? node.key.name : String(code.constantOf(node.key) ?? '');
  if (!ROUTE.test(name) && !/^(?:order|events|queue)\./.test(name) && !LIFE.has(name)) return [];
  const handler = code.functionOf(node.value as AnyNode) as FunctionNode | null;
  const context = handler === null ? undefined : (handler.params[name === 'health' ? 0 : 1] as Pattern | undefined);
  if (handler === null || context === undefined) return [];
  if (context.type === 'ObjectPattern') {
    return context.properties.flatMap((each) =>
      each.type === 'Property' && each.key.type === 'Identifier' ? [{ field: each.key.name, at: each.start }] : [],
    );
  }
  if (context.type !== 'Identifier') return [];
  const taken: { field: string; at: number }[] = [];
  walk(handler.body as AnyNode, (inner) => {
    if (inner.type === 'MemberExpression' && inner.object.type === 'Identifier' && inner.object.name === context.name) {
      taken.push({ field: code.propertyOf(inner) ?? '', at: inner.start });
    }
  });
  return taken;
}

const LIFE = new Set(['install', 'update', 'enable', 'disable', 'uninstall', 'health', 'configure']);
const AT_INSTALLATION = new Set(['install', 'update', 'enable', 'configure']);

/** What runs before anybody asked for anything: hooks of installation, and the code at the top. */
export const installBehaviour: Detector =
  ({ code, report }) =>
  (node, ancestors) => {
    if (node.type === 'Property' && node.key.type === 'Identifier' && AT_INSTALLATION.has(node.key.name)) {
      const handler = code.functionOf(node.value as AnyNode);
      if (handler === null) return;
      const seen = { fetch: false, secrets: false, keys: false };
      lookThrough(code, handler, seen, new Set());
      if (seen.fetch && (seen.secrets || seen.keys)) {
        report({
          family: 'install-behaviour',
          severity: 'high',
          at: node.start,
          explanation: `\`${node.key.name}\` reads secrets or stored entries and sends something away.`,
        });
      } else if (seen.fetch) {
        report({
          family: 'install-behaviour',
          severity: 'low',
          at: node.start,
          explanation: `\`${node.key.name}\` sends something away.`,
        });
      }
    }
    if (
      (node.type === 'CallExpression' || node.type === 'NewExpression') &&
      SENDERS.has(code.globalOf(node.callee as AnyNode) ?? '')
    ) {
      const within = ancestors.filter(({ type }) => FUNCTIONS.has(type));
      // The bundle itself is one function that is called at once.
      const atTop = within.every((each) =>
        ancestors.some((outer) => outer.type === 'CallExpression' && outer.callee === each),
      );
      if (atTop && code.globalOf(node.callee as AnyNode) !== 'Request') {
        report({
          family: 'install-behaviour',
          severity: 'high',
          at: node.start,
          explanation: 'It sends something as soon as its code is loaded.',
        });
      }
    }
  };

/** Into functions that it calls by their names, each once. */
function lookThrough(
  code: ReadCode,
  handler: AnyNode,
  seen: { fetch: boolean; secrets: boolean; keys: boolean },
  looked: Set<AnyNode>,
): void {
  looked.add(handler);
  walk(handler, (node) => {
    if (node.type === 'Identifier' && node.name === 'secrets') seen.secrets = true;
    if (node.type === 'MemberExpression') {
      const name = code.propertyOf(node);
      if (name === 'secrets') seen.secrets = true;
      if (name === 'list' && /kv$/.test(code.text.slice(node.object.start, node.object.end))) seen.keys = true;
    }
    if (node.type !== 'CallExpression') return;
    if (code.globalOf(node.callee as AnyNode) === 'fetch') seen.fetch = true;
    const called = looked.size < FUNCTIONS_MAX ? code.functionOf(node.callee as AnyNode) : null;
    if (called !== null && !looked.has(called) && !FUNCTIONS.has(node.callee.type))
      lookThrough(code, called, seen, looked);
  });
}

const FUNCTIONS_MAX = 50;
