import type { IncomingMessage } from 'node:http';
import Koa, { type Middleware } from 'koa';
import { v7 as uuidv7 } from 'uuid';
import { addressKey } from '../rate-limits/address-key.ts';
import type { RateLimits } from '../rate-limits/contract.ts';
import { allRoutes, type RoutePorts } from '../routes/index.ts';
import { createRunListener, type RunPorts } from '../routes/run.ts';
import { isForAdmins } from './admin-routes.ts';
import type { PreparedResponse } from './prepared-response.ts';
import { PROBLEM_MEDIA_TYPE, problemOf } from './problems.ts';
import { boundLeftover } from './read-body.ts';
import { withOrigin } from './request-origin.ts';
import type { Route } from './route.ts';
import { createRouter, type RequestState, type RouterPorts } from './router.ts';
import { platformHeaders } from './security-headers.ts';

/** Everything that the HTTP side needs; `host/compose.ts` fills it. */
export interface HttpPorts extends RoutePorts, RunPorts, RouterPorts {
  /** The client's address, for the log; see `createClientAddress`. */
  clientAddress(req: IncomingMessage): string;
  /** Absent where nobody is counted. */
  rateLimits?: RateLimits;
}

/** Which routes a listener serves: all; those that are not for the platform's own people alone; or the control plane. */
export type AppPart = 'whole' | 'public' | 'admin';

/**
 * The whole HTTP side: the data plane on a path as short as can be, which Koa is not part of, and Koa with the control
 * plane and the pages. Answers every error as a problem (RFC 9457); never rejects.
 */
export function createApp(
  ports: HttpPorts,
  part: AppPart = 'whole',
): (req: IncomingMessage, res: PreparedResponse) => Promise<void> {
  const rest = createControlPlane(ports, part).callback();
  if (part === 'admin') return rest;
  const run = createRunListener(ports);
  return (req, res) => (req.url!.startsWith('/run/') ? run(req, res) : rest(req, res));
}

function createControlPlane(ports: HttpPorts, part: AppPart): Koa {
  const app = new Koa();
  // Errors of sockets after the answer began; everything else is a problem by then.
  app.on('error', (error) => ports.log.debug({ err: error }, 'answer interrupted'));
  app.use(observe(ports));
  app.use(answerProblems(ports));
  app.use(limitAddresses(ports));
  for (const step of createRouter(routesOf(ports, part), ports)) app.use(step);
  return app;
}

function routesOf(ports: HttpPorts, part: AppPart): readonly Route[] {
  if (part !== 'public') return allRoutes(ports);
  // Strangers learn whether this host works, and not what is wrong with it.
  const ready = async () => ({ ready: (await ports.ready()).ready, checks: {} });
  return allRoutes({ ...ports, ready }, (route) => !isForAdmins(route));
}

/** Probes are not counted: a flood behind the address of a proxy must not make an orchestrator end the host. */
const UNCOUNTED_PATHS = new Set(['/healthz', '/readyz']);

function limitAddresses({ rateLimits }: HttpPorts): Middleware {
  return async (ctx, next) => {
    if (rateLimits && !UNCOUNTED_PATHS.has(ctx.path)) {
      await rateLimits.limit('api-address', addressKey((ctx.state as RequestState).address));
    }
    await next();
  };
}

const INBOUND_ID = /^[A-Za-z0-9._:-]{1,128}$/;
/** Asked every few seconds by machines: a log line each would only hide the others. */
const QUIET_ROUTES = new Set(['/healthz', '/readyz', '/metrics']);

/** Gives the request its id and signal, then measures and logs it. Bodies, queries and credentials are never logged. */
function observe({ metrics, log, clientAddress, publicOrigin }: HttpPorts): Middleware {
  return async (ctx, next) => {
    const startedAtMs = performance.now();
    const aborter = new AbortController();
    const requestId = uuidv7();
    const address = clientAddress(ctx.req);
    ctx.state = { requestId, signal: aborter.signal, address } satisfies RequestState;
    ctx.set({ ...platformHeaders(publicOrigin().startsWith('https:')), 'X-Request-Id': requestId });
    ctx.res.once('close', () => {
      // Also behind an answer that is whole: what was opened for it and never read, as for HEAD, must not stay open.
      aborter.abort();
      const { route = 'none', principal, person } = ctx.state as RequestState;
      const durationMs = performance.now() - startedAtMs;
      metrics.httpRequest(knownMethod(ctx.method), route, ctx.res.statusCode, durationMs);
      const inbound = ctx.get('X-Request-Id');
      const facts = {
        requestId,
        ...(INBOUND_ID.test(inbound) ? { inboundRequestId: inbound } : {}),
        method: ctx.method,
        route,
        path: ctx.path.slice(0, 200),
        status: ctx.res.statusCode,
        durationMs: Math.round(durationMs * 100) / 100,
        address,
        ...(principal ? { credentialId: principal.credentialId, organisation: principal.organisation.slug } : {}),
        ...(person ? { sessionId: person.sessionId, accountId: person.account.id } : {}),
        ...(ctx.res.writableFinished ? {} : { interrupted: true }),
      };
      log[QUIET_ROUTES.has(route) ? 'debug' : 'info'](facts, 'request');
    });
    await withOrigin({ requestId, address }, next);
    boundLeftover(ctx.req, ctx.res);
  };
}

const METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']);
/** A label must be of a closed set, and node:http knows some thirty methods. */
export const knownMethod = (method: string | undefined): string => (METHODS.has(method ?? '') ? method! : 'other');

function answerProblems({ log }: HttpPorts): Middleware {
  return async (ctx, next) => {
    try {
      await next();
    } catch (error) {
      const { requestId } = ctx.state as RequestState;
      const { problem, headers, unexpected } = problemOf(error, requestId);
      if (unexpected) log.error({ requestId, err: error, code: problem.code }, 'request failed');
      ctx.status = problem.status;
      ctx.set({ 'Cache-Control': 'no-store', ...headers });
      ctx.set('Content-Type', PROBLEM_MEDIA_TYPE);
      ctx.body = JSON.stringify(problem);
    }
  };
}
