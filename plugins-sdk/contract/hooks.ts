import { type Static, Type } from 'typebox';

const Id = Type.String({ minLength: 1, maxLength: 128 });
const Money = Type.Object({
  amountMinor: Type.String({ pattern: '^-?[0-9]{1,18}$', description: 'Integer of minor units, as a string.' }),
  currency: Type.String({ pattern: '^[A-Z]{3,4}$' }),
});

/** One order of virtual goods, as a shop reports it. */
const Order = Type.Object({
  orderId: Id,
  lines: Type.Array(Type.Object({ sku: Id, quantity: Type.Integer({ minimum: 1, maximum: 1_000 }) }), {
    minItems: 1,
    maxItems: 100,
  }),
  customer: Type.Optional(Type.Object({ customerId: Id })),
  total: Type.Optional(Money),
});

/** Events that a caller may deliver to an installation, with the schema of their payload. */
export const EVENT_HOOKS = {
  'order.created': Order,
  'order.paid': Order,
  'order.cancelled': Type.Object({ orderId: Id, reason: Type.Optional(Type.String({ maxLength: 500 })) }),
} as const;

const Versions = Type.Object({ fromVersion: Type.Union([Type.String(), Type.Null()]), toVersion: Type.String() });

/**
 * Events of the installation's own life; only the host raises them. What puts a release into service may be refused by it:
 * a fault of `install`, `update` (raised in the release that takes over) or `enable` prevents that. `disable`, `uninstall` and
 * the `update` of a rollback are only told.
 */
export const LIFECYCLE_HOOKS = {
  install: Type.Object({ version: Type.String() }),
  update: Versions,
  enable: Type.Object({ version: Type.String() }),
  disable: Type.Object({ version: Type.String() }),
  uninstall: Type.Object({ version: Type.String() }),
} as const;

export const HOOKS = { ...EVENT_HOOKS, ...LIFECYCLE_HOOKS } as const;

export type EventHookName = keyof typeof EVENT_HOOKS;
export type HookName = keyof typeof HOOKS;
export type HookPayload<Name extends HookName> = Static<(typeof HOOKS)[Name]>;
export type OrderPayload = Static<typeof Order>;

/** What a hook handler receives. `eventId` is the same on every redelivery, so it is the key for exactly-once work. */
export interface HookEvent<Name extends HookName = HookName> {
  hook: Name;
  eventId: string;
  /** ISO 8601, UTC. */
  occurredAt: string;
  payload: HookPayload<Name>;
}

export const isHookName = (name: string): name is HookName => Object.hasOwn(HOOKS, name);
export const isEventHookName = (name: string): name is EventHookName => Object.hasOwn(EVENT_HOOKS, name);
