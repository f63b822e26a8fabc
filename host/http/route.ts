import type { Static, TSchema } from 'typebox';
import type { Person, Principal } from '../../registry/index.ts';
import type { Allow } from './authenticate.ts';
import type { ProblemCode } from './problem-codes.ts';

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

/** Who asks on a route that lets strangers in. */
export const viewerOf = (request: { principal: Principal }): Principal | null => request.principal;

/** By status: the schema of the answer's JSON, or null for an answer without a body. */
export type Reply = Readonly<Record<number, TSchema | null>>;

type Input<Schema> = Schema extends TSchema ? Static<Schema> : undefined;
type Output<Replies extends Reply> = {
  [Status in keyof Replies]: Replies[Status] extends TSchema ? Static<Replies[Status]> : undefined;
}[keyof Replies];

/** What a handler receives: everything has been checked against the route's schemas. */
export interface RouteRequest<Allowed, Params, Query, Body> {
  params: Params;
  query: Query;
  body: Body;
  /** For which organisation somebody acts; null on public routes, and for a person on routes for accounts who has named none. */
  principal: Allowed extends 'public' ? null : Allowed extends 'account' ? Principal | null : Principal;
  /** The person who acts; null on public routes and for API tokens. */
  person: Allowed extends 'account' ? Person : Person | null;
  requestId: string;
  /** The client's address, as far as it can be believed. */
  address: string;
  userAgent: string | undefined;
  cookie(name: string): string | undefined;
  /** Aborted when the client goes away, and when it has its answer. */
  signal: AbortSignal;
  /** Where a reader of server-sent events wants to go on; a UUID. */
  lastEventId: string | undefined;
  /** True for a browser: it asks for HTML before JSON. */
  wantsHtml: boolean;
}

interface RouteSpec<Allowed extends Allow, Params, Query, Body, Replies extends Reply> {
  method: Method;
  /** `:name` stands for one segment. */
  path: string;
  summary: string;
  /** Heading in the documentation. */
  consumer: string;
  allow: Allowed;
  /** Whoever shows no credential is let in as well, where the host lets strangers read; the handler then gets nobody: see `viewerOf`. */
  strangers?: true;
  /** Dangerous: a person needs a second factor confirmed in the last ten minutes. */
  stepUp?: boolean;
  params?: Params;
  query?: Query;
  body?: Body;
  /** Default 256 KiB. */
  bodyBytesMax?: number;
  reply: Replies;
  /** Codes of this route itself; those of authentication, validation and outages are added by `refusalsOf`. */
  refuses: readonly ProblemCode[];
  /** About the host itself: not to be reached by strangers, where there is a listener for admins. */
  forAdmins?: true;
  handle(
    request: RouteRequest<Allowed, Input<Params>, Input<Query>, Input<Body>>,
  ): Promise<Output<Replies> | Answer> | Output<Replies> | Answer;
}

/** A route as the router, the validators, the documentation and the tests see it. */
export type Route = RouteSpec<Allow, TSchema | undefined, TSchema | undefined, TSchema | undefined, Reply>;

/** Declares one route. The handler's arguments and result get their types from the schemas. */
export const route = <
  const Allowed extends Allow,
  const Replies extends Reply,
  Params extends TSchema | undefined = undefined,
  Query extends TSchema | undefined = undefined,
  Body extends TSchema | undefined = undefined,
>(
  spec: RouteSpec<Allowed, Params, Query, Body, Replies>,
): Route => spec as unknown as Route;

const ANSWER = Symbol('answer');

/** An answer that says more than its value. */
export interface Answer {
  readonly [ANSWER]: true;
  readonly value: unknown;
  /** Default: the first status of the route's `reply`. */
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string | string[]>>;
  /** Where set, `value` is text or bytes and is sent as it is. */
  readonly mediaType?: string;
}

/** Wraps a handler's value with a status, headers or a media type of its own. */
export const answer = (value: unknown, options: Omit<Answer, typeof ANSWER | 'value'> = {}): Answer => ({
  ...options,
  [ANSWER]: true,
  value,
});

export const isAnswer = (value: unknown): value is Answer =>
  typeof value === 'object' && value !== null && ANSWER in value;

export const BODY_BYTES_MAX = 256 * 1024;

/** Every code that a route can answer with, its own and those of the steps before its handler. */
export function refusalsOf({ method, allow, stepUp, body, params, query, refuses }: Route): ProblemCode[] {
  const steps: ProblemCode[] = [];
  if (allow !== 'public') steps.push('token-missing', 'token-invalid');
  if (allow === 'account') steps.push('session-needed');
  if (allow !== 'public') steps.push('membership-missing');
  if (allow !== 'public' && allow !== 'account') steps.push('organisation-needed');
  if (typeof allow !== 'string') steps.push('permission-denied');
  if (typeof allow !== 'string' || stepUp || (allow === 'any-token' && method !== 'GET')) steps.push('factor-required');
  if (stepUp) steps.push('step-up-required');
  if (method !== 'GET') steps.push('request-cross-site');
  if (params || query) steps.push('query-invalid');
  if (body) steps.push('content-type-unsupported', 'body-too-large', 'body-malformed', 'body-invalid');
  return [...new Set<ProblemCode>([...steps, ...refuses, 'rate-limited', 'database-unavailable', 'internal-error'])];
}
