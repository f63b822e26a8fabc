import type { Limits, PluginFaultCode } from '../../plugins-sdk/contract/index.ts';

/** One attack: what it tries, how it must end, and that a neighbour must not notice. */
export interface Attack {
  /** A sentence that continues "stops a plugin that ...". */
  that: string;
  /** The whole bundle; it defines a plugin whose handler `job` is called. */
  code: string;
  /** The codes it may end with, or `answers`: it is harmless, and the plugin gets its answer through. */
  ends: PluginFaultCode[] | 'answers';
  limits?: Partial<Limits>;
}

/** A bundle whose only handler has this body; it is async. */
export const attackIn = (body: string): string =>
  `__gatehouse_define({ schedule: { job: async (job, ctx) => { ${body} } } });`;
