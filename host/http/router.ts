import Router from '@koa/router';
import type { Context, Middleware } from 'koa';
import type { Person, Principal } from '../../registry/index.ts';
import { contextOf, inContext } from '../database-context.ts';
import { HostRefusal } from '../errors.ts';
import { addressKey } from '../rate-limits/address-key.ts';
import type { RateLimits } from '../rate-limits/contract.ts';
import { type FindPrincipal, type FindSession, type Identity, identify, permit } from './authenticate.ts';
import { confine, requireAddress } from './confine.ts';
import { readCookie, sessionCookies } from './cookies.ts';
import { parseJson, requireJson } from './parse-json.ts';
import { hasBody, readBody } from './read-body.ts';
import { refuseCrossSite } from './refuse-cross-site.ts';
import { noteActor } from './request-origin.ts';
import { requireFactor } from './require-factor.ts';
import { BODY_BYTES_MAX, isAnswer, type Route, type RouteRequest } from './route.ts';
import { addressReader, bodyValidator } from './validate.ts';

/** What the steps of one request leave for its log line. */
export interface RequestState {
  requestId: string;
  /** Template of the matched route. */
  route?: string;
  principal?: Principal;
  person?: Person;
  /** The client's address. */
  address: string;
  signal: AbortSignal;
}

export interface RouterPorts {
  findPrincipal: FindPrincipal;
  findSession: FindSession;
  publicOrigin(): string;
  nowMs(): number;
  /** Absent where nobody is counted. */
  rateLimits?: Pick<RateLimits, 'limit'>;
  /** Whether the routes that say so let in who shows no credential; absent: they do not. */
  strangersRead?: boolean;
}

/** The control plane: dispatches to the routes of the table; other paths and methods are refused. */
export function createRouter(routes: readonly Route[], ports: RouterPorts): Middleware[] {
  const router = new Router({ sensitive: true, strict: true });
  for (const route of routes) router.register(route.path, [route.method], serve(route, ports));
  return [router.routes() as unknown as Middleware, refuseUnmatched];
}

/** Cheapest first, and nothing is read from somebody who may not do this: authenticate, permit, address, body, handler. */
function serve(route: Route, ports: RouterPorts) {
  const readAddress = addressReader(route.params, route.query);
  const checkBody = route.body && bodyValidator(route.body);
  return async (ctx: Context): Promise<void> => {
    const state = ctx.state as RequestState;
    state.route = route.path;
    refuseCrossSite(ctx.method, ctx.req.headers, ports.publicOrigin());
    const { principal, person } = route.allow === 'public' ? NOBODY : await admit(ctx, route, ports);
    const { params, query } = readAddress(ctx.params, ctx.querystring);
    confine(route, principal, params as never, query as never);
    const body = checkBody && (await receive(ctx, route.bodyBytesMax ?? BODY_BYTES_MAX, checkBody));
    const { requestId, signal, address } = state;
    const userAgent = ctx.req.headers['user-agent'];
    const cookie = (name: string) => readCookie(ctx.req.headers.cookie, name);
    const wantsHtml = ctx.accepts('json', 'html') === 'html';
    const lastEventId = EVENT_ID.exec(ctx.get('Last-Event-ID'))?.[0];
    const who = { principal, person, address, userAgent, cookie };
    const request = { params, query, body, ...who, requestId, signal, lastEventId, wantsHtml };
    const handle = () => route.handle(request as RouteRequest<'public', never, never, never>);
    reply(ctx, route, await inContext(contextOf(principal ?? asThemselves(person)), handle));
  };
}

const NOBODY: Identity = { principal: null, person: null };

/** A person who acts for no organisation. */
const asThemselves = (person: Person | null) => person && { account: person.account, organisation: null, role: 'user' };

async function admit(ctx: Context, route: Route, ports: RouterPorts): Promise<Identity> {
  const { authorization, cookie } = ctx.req.headers;
  const identity = await identify(ports, {
    authorization,
    accessCookie: readCookie(cookie, sessionCookies(ports.publicOrigin()).access),
    organisation: ctx.req.headers['gatehouse-organisation']?.toString(),
  });
  const state = ctx.state as RequestState;
  state.principal = identity?.principal ?? undefined;
  state.person = identity?.person ?? undefined;
  noteActor(identity?.principal ?? identity?.person ?? null);
  if (identity === null && route.strangers && ports.strangersRead) {
    await ports.rateLimits?.limit('catalogue-address', addressKey(state.address));
    return NOBODY;
  }
  if (ports.rateLimits && identity !== null) await countRequest(ports.rateLimits, identity);
  requireAddress(identity?.principal ?? null, () => state.address);
  permit(identity, route.allow);
  requireFactor(identity ?? NOBODY, route, ports.nowMs());
  return identity ?? NOBODY;
}

/** A person counts as one, however many sessions they have. */
async function countRequest({ limit }: Pick<RateLimits, 'limit'>, { principal, person }: Identity): Promise<void> {
  if (person !== null) await limit('api-account', person.account.id);
  else if (principal !== null) await limit('api-token', principal.credentialId);
}

const EVENT_ID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

async function receive(ctx: Context, bytesMax: number, check: (body: unknown, bytes: number) => void) {
  // An empty body has no type to complain about; parseJson says that it is empty.
  if (hasBody(ctx.req)) requireJson(ctx.req.headers['content-type']);
  const bytes = await readBody(ctx.req, ctx.res, bytesMax);
  const body = parseJson(bytes);
  check(body, bytes.length);
  return body;
}

function reply(ctx: Context, { reply: replies, allow }: Route, result: unknown): void {
  const { value, status, headers, mediaType } = isAnswer(result) ? result : { value: result };
  ctx.status = status ?? Number(Object.keys(replies)[0]);
  ctx.set('Cache-Control', allow === 'public' ? 'no-cache' : 'no-store');
  ctx.set({ ...headers });
  if (value === undefined) {
    ctx.body = null;
  } else if (mediaType !== undefined) {
    ctx.set('Content-Type', mediaType);
    ctx.body = value;
  } else {
    ctx.set('Content-Type', 'application/json; charset=utf-8');
    ctx.body = JSON.stringify(value);
  }
  if (headers?.ETag !== undefined && ctx.fresh) {
    ctx.status = 304;
    ctx.body = null;
  }
}

const refuseUnmatched: Middleware = (ctx) => {
  const layers = (ctx as unknown as { matched?: { methods: string[]; path: unknown }[] }).matched ?? [];
  if (layers.length === 0) {
    throw new HostRefusal('route-unknown', `There is nothing at ${ctx.path.slice(0, 200)}; /docs lists every route.`);
  }
  const allowed = [...new Set([...layers.flatMap(({ methods }) => methods), 'OPTIONS'])].sort();
  if (ctx.method !== 'OPTIONS') throw new HostRefusal('method-not-allowed', undefined, { method: ctx.method, allowed });
  ctx.status = 204;
  ctx.set({ Allow: allowed.join(', '), 'Cache-Control': 'no-store' });
};
