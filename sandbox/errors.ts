import type { Usage } from './contract.ts';

/** Why the sandbox could not run an invocation, through no fault of the plugin. */
export const SANDBOX_REFUSALS = {
  'sandbox-saturated': 'Too many invocations are waiting; try again shortly.',
  'sandbox-interrupted':
    'The sandbox process died repeatedly under this invocation, or could not resume it exactly; retry.',
  'sandbox-closed': 'The host is shutting down.',
  'invocation-aborted': 'The caller went away before the answer.',
} as const;

export type SandboxRefusalCode = keyof typeof SANDBOX_REFUSALS;

export class SandboxRefusal extends Error {
  override name = 'SandboxRefusal';
  readonly code: SandboxRefusalCode;
  /** What the invocation cost until then; null where nothing of it ran, or nobody knows. */
  readonly usage: Usage | null;
  constructor(code: SandboxRefusalCode, usage: Usage | null = null) {
    super(SANDBOX_REFUSALS[code]);
    this.code = code;
    this.usage = usage;
  }
}
