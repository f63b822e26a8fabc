import type { PluginShape } from '../contract/invocation.ts';
import { contextOf, routeContextOf } from './context.ts';
import type { Input } from './input.ts';
import type { Invocation } from './invocation.ts';
import { keys, NativeTypeError, SafeMap, setPrototypeOf } from './primordials.ts';
import { requestFromWire } from './request.ts';

type Handler = (...args: unknown[]) => unknown;

interface Plugin {
  routes: SafeMap<string, Handler>;
  hooks: SafeMap<string, Handler>;
  schedule: SafeMap<string, Handler>;
  health: Handler | undefined;
  configure: Handler | undefined;
  shape: PluginShape;
}

let plugin: Plugin | null = null;

/** Takes the definition that the bundle exports by default. Its handlers are copied: later changes to it change nothing. */
export function takeDefinition(definition: unknown): void {
  if (plugin !== null) throw new NativeTypeError('A bundle defines one plugin, once.');
  if (typeof definition !== 'object' || definition === null) {
    throw new NativeTypeError('The entry file must have a default export: export default definePlugin({ ... })');
  }
  const { routes, hooks, schedule, health, configure } = definition as Record<string, unknown>;
  const [routeMap, hookMap, jobMap] = [handlerMap(routes), handlerMap(hooks), handlerMap(schedule)];
  plugin = {
    routes: routeMap,
    hooks: hookMap,
    schedule: jobMap,
    health: typeof health === 'function' ? (health as Handler) : undefined,
    configure: typeof configure === 'function' ? (configure as Handler) : undefined,
    shape: withoutPrototype({
      routes: withoutPrototype(namesOf(routes)),
      hooks: withoutPrototype(namesOf(hooks)),
      schedule: withoutPrototype(namesOf(schedule)),
      health: typeof health === 'function',
      configure: typeof configure === 'function',
    }),
  };
}

export function dropDefinition(): void {
  plugin = null;
}

/** JSON finds no `toJSON` that a plugin has planted on a prototype. */
const withoutPrototype = <Value extends object>(value: Value): Value => setPrototypeOf(value, null) as Value;

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;
const namesOf = (handlers: unknown): string[] => (isObject(handlers) ? keys(handlers) : []);

function handlerMap(handlers: unknown): SafeMap<string, Handler> {
  const map = new SafeMap<string, Handler>();
  const names = namesOf(handlers);
  for (let at = 0; at < names.length; at += 1) {
    const handler = (handlers as Record<string, unknown>)[names[at]!];
    if (typeof handler === 'function') map.set(names[at]!, handler as Handler);
  }
  return map;
}

/** The call that an input asks for: null where the bundle defined nothing, undefined where it has no such handler. */
export function callFor(invocation: Invocation, input: Input): (() => unknown) | undefined | null {
  if (plugin === null) return null;
  const { routes, hooks, schedule, health, configure, shape } = plugin;
  switch (input.kind) {
    case 'http': {
      const handler = routes.get(input.route);
      return (
        handler &&
        (() =>
          handler(
            requestFromWire(input.request, invocation),
            routeContextOf(invocation, input.contextJson, input.params),
          ))
      );
    }
    case 'hook': {
      const handler = hooks.get(input.event.hook);
      return handler && (() => handler(input.event, contextOf(invocation, input.contextJson)));
    }
    case 'schedule': {
      const handler = schedule.get(input.name);
      const job = { name: input.name, dueAt: input.dueAt };
      return handler && (() => handler(job, contextOf(invocation, input.contextJson)));
    }
    case 'health':
      return () => health?.(contextOf(invocation, input.contextJson));
    case 'configure':
      return () => configure?.(input.config, contextOf(invocation, input.contextJson));
    case 'describe':
      return () => shape;
  }
}

/** What the manifest promised and the bundle does not have, for the fault's message. */
export function missingHandler(input: Input): string {
  const [field, name, known] =
    input.kind === 'hook'
      ? ['hooks', input.event.hook, plugin?.shape.hooks]
      : input.kind === 'schedule'
        ? ['schedule', input.name, plugin?.shape.schedule]
        : ['routes', input.kind === 'http' ? input.route : input.kind, plugin?.shape.routes];
  const has = known !== undefined && known.length > 0 ? `; it has ${listed(known)}` : '';
  return `definePlugin has no handler ${field}["${name}"]${has}.`;
}

function listed(names: string[]): string {
  let text = '';
  for (let at = 0; at < names.length && at < 20; at += 1) text += `${at > 0 ? ', ' : ''}"${names[at]}"`;
  return text;
}
