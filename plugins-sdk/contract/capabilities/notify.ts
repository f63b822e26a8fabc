import { type Static, Type } from 'typebox';
import type { Capability } from './contract.ts';
import { REFUSALS } from './refusals.ts';
import { NOTIFY_LINK_UNITS_MAX, NOTIFY_TEXT_UNITS_MAX, NOTIFY_TITLE_UNITS_MAX } from './sizes.ts';

const line = (lengthMax: number) =>
  Type.String({ minLength: 1, maxLength: lengthMax, pattern: '^[^\\u0000-\\u001f\\u007f]+$' });

const Message = Type.Object(
  {
    title: line(NOTIFY_TITLE_UNITS_MAX),
    text: Type.String({
      minLength: 1,
      maxLength: NOTIFY_TEXT_UNITS_MAX,
      pattern: '^[^\\u0000-\\u0008\\u000b-\\u001f\\u007f]+$',
    }),
    severity: Type.Unsafe<'info' | 'warn' | 'error'>(
      Type.Union(['info', 'warn', 'error'].map((name) => Type.Literal(name))),
    ),
    link: Type.Optional(
      Type.String({
        pattern: '^/(?!/)[!-~]*$',
        maxLength: NOTIFY_LINK_UNITS_MAX,
        description: "Path of one of the plugin's own routes.",
      }),
    ),
  },
  { additionalProperties: false },
);

export const notify = {
  purpose: 'Send you messages that stand among your notifications.',
  calls: { 'notify.send': Message },
  refusals: REFUSALS.notify,
} as const satisfies Capability;

/** A message to the operator. */
export type OperatorMessage = Static<typeof Message>;

/** Messages to the operator of the installation. */
export interface Notify {
  /** Resolves when it is stored. Refuses with: notify-rate-exceeded, notify-link-unknown. */
  send(
    message: Omit<OperatorMessage, 'severity'> & { severity?: OperatorMessage['severity'] },
  ): Promise<{ notificationId: string }>;
}
