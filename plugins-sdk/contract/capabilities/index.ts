import { config } from './config.ts';
import type { Capability } from './contract.ts';
import { crypto } from './crypto.ts';
import { events } from './events.ts';
import { fetch } from './fetch.ts';
import { kv } from './kv.ts';
import { log } from './log.ts';
import { notify } from './notify.ts';
import { plugins } from './plugins.ts';
import { queue } from './queue.ts';
import { secrets, secretValues } from './secrets.ts';

export type { Capability } from './contract.ts';
export {
  type Events,
  hookOfTopic,
  TOPIC_PATTERN,
  Topic,
  type TopicEvent,
  type TopicHookName,
} from './events.ts';
export type { Kv, KvEntry, KvOperation, KvOperationResult } from './kv.ts';
export type { Log, LogLevel } from './log.ts';
export type { Notify, OperatorMessage } from './notify.ts';
export { CALL_HEADER_PATTERN, type PluginRequest, type Plugins } from './plugins.ts';
export { hookOfQueue, QUEUE_PATTERN, type Queue, type QueueEvent, type QueueHookName } from './queue.ts';
export { SECRET_NAME_PATTERN, type Secrets } from './secrets.ts';
export * from './sizes.ts';

/** Everything that a plugin can be granted, a file each. */
export const CAPABILITIES = {
  kv,
  config,
  log,
  events,
  plugins,
  notify,
  queue,
  fetch,
  secrets,
  'secret-values': secretValues,
} as const satisfies Record<string, Capability>;

export type CapabilityName = keyof typeof CAPABILITIES;
export const CAPABILITY_NAMES = Object.keys(CAPABILITIES) as CapabilityName[];
export const isCapabilityName = (name: string): name is CapabilityName => Object.hasOwn(CAPABILITIES, name);

/** Services that every plugin may call without a grant, because they touch nothing: pure computation. */
const SERVICES = { crypto } as const satisfies Record<string, Capability>;

type CallsOf<Each> = Each extends { calls: infer Calls } ? keyof Calls & string : never;
type Every = (typeof CAPABILITIES)[CapabilityName] | (typeof SERVICES)[keyof typeof SERVICES];

export type HostCallName = CallsOf<Every>;

const every: Capability[] = [...Object.values<Capability>(CAPABILITIES), ...Object.values<Capability>(SERVICES)];

/** Every host call and the schema of its arguments. */
export const HOST_CALLS = Object.assign({}, ...every.map(({ calls }) => calls)) as Record<
  HostCallName,
  Capability['calls'][string]
>;

export const isHostCallName = (name: string): name is HostCallName => Object.hasOwn(HOST_CALLS, name);

/** The part of a call's name before the dot. */
export const capabilityOf = (name: HostCallName): string => name.slice(0, name.indexOf('.'));

/** The grant that a call needs: the part of its name before the dot. Null for services, which need none. */
export function grantFor(name: HostCallName): CapabilityName | null {
  const capability = capabilityOf(name);
  return isCapabilityName(capability) ? capability : null;
}
