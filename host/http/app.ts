import type { IncomingMessage, ServerResponse } from 'node:http';
import Koa, { type Middleware } from 'koa';
import { v7 as uuidv7 } from 'uuid';
import { allRoutes, type RoutePorts } from '../routes/index.ts';
import { createRunListener, type RunPorts } from '../routes/run.ts';
import { PROBLEM_MEDIA_TYPE, problemOf } from './problems.ts';
import { boundLeftover } from './read-body.ts';
import { withOrigin } from './request-origin.ts';
import { createRouter, type RequestState, type RouterPorts } from './router.ts';
import { PERMISSIONS_POLICY, securityHeaders } from './security-headers.ts';

/** Everything that the HTTP side needs; `host/compose.ts` fills it. */
export interface HttpPorts extends RoutePorts, RunPorts, RouterPorts {
  /** The client's address, for the log; see `createClientAddress`. */
  clientAddress(req: IncomingMessage): string;
}

/**
 * The whole HTTP side: the data plane on a path as short as can be, which Koa is not part of, and Koa with the control
 * plane and the pages. Answers every error as a problem (RFC 9457); never rejects.
 */
export function createApp(ports: HttpPorts): (req: IncomingMessage, res: ServerResponse) => Promise<void> {
  const run = createRunListener(ports);
  const rest = createControlPlane(ports).callback();
  return (req, res) => (req.url!.startsWith('/run/') ? run(req, res) : rest(req, res));
}

function createControlPlane(ports: HttpPorts): Koa {
  const app = new Koa();
  // Errors of sockets after the answer began; everything else is a problem by then.
  app.on('error', (error) => ports.log.debug({ err: error }, 'answer interrupted'));
  app.use(observe(ports));
  app.use(securityHeaders());
  app.use(answerProblems(ports));
  for (const step of createRouter(allRoutes(ports), ports)) app.use(step);
  return app;
}

const INBOUND_ID = /^[A-Za-z0-9._:-]{1,128}$/;
/** Asked every few seconds by machines: a log line each would only hide the others. */
const QUIET_ROUTES = new Set(['/healthz', '/readyz', '/metrics']);

/** Gives the request its id and signal, then measures and logs it. Bodies, queries and credentials are never logged. */
function observe({ metrics, log, clientAddress }: HttpPorts): Middleware {
  return async (ctx, next) => {
    const startedAtMs = performance.now();
    const aborter = new AbortController();
    const requestId = uuidv7();
    const address = clientAddress(ctx.req);
    ctx.state = { requestId, signal: aborter.signal, address } satisfies RequestState;
    ctx.set('X-Request-Id', requestId);
    ctx.set('Permissions-Policy', PERMISSIONS_POLICY);
    ctx.res.once('close', () => {
      if (!ctx.res.writableFinished) aborter.abort();
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
