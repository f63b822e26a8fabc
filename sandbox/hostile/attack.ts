import type { GuestInput, Json, Limits, PluginFaultCode } from '../../plugins-sdk/contract/index.ts';

/** The codes that an invocation may end with, or the answer that it must give. */
export type Ends = readonly PluginFaultCode[] | { answers: Json };

/** What of a GuestInput an attack decides; the rig adds the context. */
export type Asked =
  | { kind: 'http'; route: string; headers?: [string, string][]; body?: string }
  | { kind: 'schedule'; name: string }
  | { kind: Exclude<GuestInput['kind'], 'http' | 'schedule' | 'hook' | 'configure'> };

/** A further invocation of the same bundle, after the attack's own. */
export interface Step {
  /** `attacker`: the same installation, and the same isolate where that is still alive. `bystander`: another one. */
  by: 'attacker' | 'bystander';
  asks?: Asked;
  ends: Ends;
}

/** One attack: what it tries, and how it must end. That its neighbours must not notice goes for all of them. */
export interface Attack {
  /** A sentence that continues "a plugin that ...". */
  that: string;
  /** The whole bundle. */
  code: string;
  ends: Ends;
  /** Without it, the job `job`. */
  asks?: Asked;
  limits?: Partial<Limits>;
  /** Of the fault's message. */
  says?: RegExp;
  /** Nothing is granted; otherwise everything is. */
  ungranted?: true;
  /** Messages of the log, in order; not looked at where it is absent. */
  logs?: (string | RegExp)[];
  later?: Step[];
}

/** A bundle whose only handler is the job `job` with this body; it is async. */
export const jobIn = (body: string, before = ''): string =>
  `${before}\n__gatehouse_define({ schedule: { job: async (job, ctx) => { ${body} } } });`;

/** A bundle with these jobs: async functions of `job` and `ctx`. */
export const jobsIn = (jobs: Record<string, string>, before = ''): string =>
  `${before}\n__gatehouse_define({ schedule: { ${Object.entries(jobs)
    .map(([name, body]) => `${name}: async (job, ctx) => { ${body} }`)
    .join(', ')} } });`;

/** A bundle whose only handler is the route `GET /` with this body; it is async. */
export const routeIn = (body: string, before = ''): string =>
  `${before}\n__gatehouse_define({ routes: { 'GET /': async (request, ctx) => { ${body} } } });`;
