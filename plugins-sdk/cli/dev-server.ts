import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { v7 as uuidv7 } from 'uuid';
import { HostRefusal } from '../../host/errors.ts';
import { headersForPlugin, headersFromPlugin } from '../../host/http/plugin-headers.ts';
import { problemOf } from '../../host/http/problems.ts';
import { readBody } from '../../host/http/read-body.ts';
import { deliverHook } from '../../host/installations/deliver-hook.ts';
import { PluginFaultError } from '../../host/invocations/contract.ts';
import { bodyBytes } from '../../host/invocations/plugin-request.ts';
import { createDataPlane } from '../../host/invocations/serve-request.ts';
import type { Principal } from '../../registry/index.ts';
import type { Usage } from '../../sandbox/index.ts';
import type { Access, Json, Limits } from '../contract/index.ts';
import type { DevSession } from './dev-session.ts';
import { CliError } from './errors.ts';
import { LOCAL_OPERATOR } from './local-host.ts';

/** One answered request. */
export interface DevRequest {
  type: 'request';
  method: string;
  path: string;
  status: number;
  wallMs: number;
  /** Null where no plugin ran. */
  invocationId: string | null;
  usage: Usage | null;
  limits: Limits | null;
}

export interface DevServer {
  url: string;
  close(): Promise<void>;
}

export interface DevServerPorts {
  session: DevSession;
  /** Who every request comes from: nobody, a caller or the operator. */
  access: Access;
  onRequest(request: DevRequest): void;
}

interface Reply {
  status: number;
  headers: string[];
  body: Buffer | null;
  invocationId: string | null;
}

const CONTROL_PREFIX = '/_gatehouse/';

/** Serves the session's plugin on loopback as the data plane would. Refuses with: port-taken. */
export async function startDevServer(ports: DevServerPorts, port: number): Promise<DevServer> {
  const server = createServer((req, res) => {
    void answer(ports, req, res);
  });
  await listen(server, port);
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function listen(server: Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const message = `Port ${port} cannot be used (${error.code}); choose another with --port.`;
      reject(new CliError('port-taken', message, { port }));
    });
    server.listen(port, '127.0.0.1', resolve);
  });
}

async function answer(ports: DevServerPorts, req: IncomingMessage, res: ServerResponse): Promise<void> {
  const startedAtMs = performance.now();
  const { method = 'GET', url = '/' } = req;
  const path = url.split('?', 1)[0]!;
  const reply = await replyTo(ports, req, res, path).catch((error) => problemReply(ports.session, error));
  res.writeHead(reply.status, reply.headers);
  res.end(method === 'HEAD' ? undefined : (reply.body ?? undefined));
  const { invocationId, status } = reply;
  const usage = invocationId === null ? null : ports.session.usageOf(invocationId);
  const limits = usage === null ? null : (await ports.session.current()).installation.limits;
  ports.onRequest({
    type: 'request',
    method,
    path,
    status,
    wallMs: performance.now() - startedAtMs,
    invocationId,
    usage,
    limits,
  });
}

async function replyTo(ports: DevServerPorts, req: IncomingMessage, res: ServerResponse, path: string): Promise<Reply> {
  refuseForeignHost(req);
  return path.startsWith(CONTROL_PREFIX) ? control(ports, req, res, path) : run(ports, req, res, path);
}

/** A web page whose name resolves to this machine (DNS rebinding) must not read what a plugin under work answers. */
function refuseForeignHost({ headers }: IncomingMessage): void {
  if (/^(?:localhost|127\.0\.0\.1|\[::1\])(?::\d+)?$/i.test(headers.host ?? '')) return;
  throw new HostRefusal('request-malformed', 'gate dev answers to localhost only.', { host: headers.host ?? '' });
}

async function run(
  { session, access }: DevServerPorts,
  req: IncomingMessage,
  res: ServerResponse,
  path: string,
): Promise<Reply> {
  const { installation } = await session.current();
  const gone = new AbortController();
  res.once('close', () => gone.abort());
  const dataPlane = createDataPlane({
    findInstallation: async () => installation,
    runPlugin: session.host.runPlugin,
  });
  const { invocationId, response } = await dataPlane.run({
    operatorSlug: LOCAL_OPERATOR.slug,
    installationSlug: installation.slug,
    method: req.method!,
    path,
    url: `http://${req.headers.host}${req.url}`,
    headers: headersForPlugin(req.rawHeaders),
    readBody: (bytesMax) => readBody(req, res, bytesMax),
    principal: principalFor(access),
    signal: gone.signal,
  });
  const headers = headersFromPlugin(response.headers);
  if (headers === null) {
    const message = 'The answer has more headers than an answer may have.';
    throw new PluginFaultError({ code: 'plugin-answer-invalid', message }, invocationId);
  }
  // The same as in the data plane: an answer of a plugin is never trusted with the origin.
  headers.push('content-security-policy', 'sandbox', 'x-content-type-options', 'nosniff');
  headers.push('x-gatehouse-invocation', invocationId);
  return { status: response.status, headers, body: bodyBytes(response), invocationId };
}

function principalFor(access: Access): Principal | null {
  if (access === 'public') return null;
  const organisation = { ...LOCAL_OPERATOR, kind: 'operator' as const, name: 'gate dev' };
  return { tokenId: `local-${access}`, label: 'gate dev', role: access, organisation };
}

/** What the control plane does for an installation: deliver events, ask for health, run jobs; and a look at what is stored. */
async function control(
  { session }: DevServerPorts,
  req: IncomingMessage,
  res: ServerResponse,
  path: string,
): Promise<Reply> {
  const { installation } = await session.current();
  const { runPlugin } = session.host;
  const [verb, name = '', ...rest] = path.slice(CONTROL_PREFIX.length).split('/').map(decodeURIComponent);
  const asked = rest.length > 0 ? '' : `${req.method} ${verb}${name === '' ? '' : '/:name'}`;
  switch (asked) {
    case 'GET health': {
      const { invocationId, output } = await runPlugin(installation, { kind: 'health' }, { caller: null });
      return jsonReply(200, (output as { value: Json }).value, invocationId);
    }
    case 'GET kv':
      return jsonReply(
        200,
        session.host.stored().map(({ key, json, version }) => ({ key, version, value: JSON.parse(json) })),
        null,
      );
    case 'POST hooks/:name': {
      const { eventId, payload } = await readDelivery(req, res, installation.limits.inputBytes);
      const deliver = deliverHook({ ownFacts: async () => installation, runPlugin, nowMs: Date.now });
      const delivered = await deliver(principalFor('operator')!, installation.id, { hook: name, eventId, payload });
      return jsonReply(200, delivered, delivered.invocationId);
    }
    case 'POST schedule/:name': {
      const declared = (installation.manifest.schedule ?? []).map((job) => job.name);
      if (!declared.includes(name)) throw new HostRefusal('route-unknown', `There is no job "${name}".`, { declared });
      const job = { kind: 'schedule' as const, name, dueAt: new Date().toISOString() };
      const { invocationId, output } = await runPlugin(installation, job, { caller: null });
      return jsonReply(200, { invocationId, result: (output as { value: Json }).value }, invocationId);
    }
    default: {
      const served = ['GET health', 'GET kv', 'POST hooks/<hook>', 'POST schedule/<job>'];
      throw new HostRefusal('route-unknown', `Below ${CONTROL_PREFIX} there are: ${served.join(', ')}.`);
    }
  }
}

/** The same body as the control plane takes; here the event's id may be left out. */
async function readDelivery(
  req: IncomingMessage,
  res: ServerResponse,
  bytesMax: number,
): Promise<{ eventId: string; payload: Json }> {
  const text = (await readBody(req, res, bytesMax)).toString('utf8');
  let body: { eventId?: unknown; payload?: Json } | null;
  try {
    body = JSON.parse(text);
  } catch {
    throw new HostRefusal('body-malformed', 'The body must be JSON: {"eventId": "…", "payload": {…}}.');
  }
  const { eventId = uuidv7(), payload } = body ?? {};
  if (payload === undefined || typeof eventId !== 'string') {
    const pointer = payload === undefined ? '/payload' : '/eventId';
    const message = payload === undefined ? 'is required' : 'must be text';
    throw new HostRefusal('body-invalid', undefined, { faults: [{ pointer, message }] });
  }
  return { eventId, payload };
}

const jsonReply = (status: number, value: unknown, invocationId: string | null): Reply => ({
  status,
  headers: ['content-type', 'application/json; charset=utf-8', 'cache-control', 'no-store'],
  body: Buffer.from(`${JSON.stringify(value, null, 2)}\n`),
  invocationId,
});

/** The problem that the host would answer with, and for the author also what the host would keep in the log. */
function problemReply(session: DevSession, error: unknown): Reply {
  if (error instanceof CliError) {
    const { code, message, facts } = error;
    const problem = { type: `/problems/${code}`, title: message, status: 500, code, detail: message, ...facts };
    return problemJson(500, problem, {}, null);
  }
  const { problem, headers, unexpected } = problemOf(error, uuidv7());
  if (unexpected) Object.assign(problem, { stack: (error as Error).stack });
  if (!(error instanceof PluginFaultError)) return problemJson(problem.status, problem, headers, null);
  const { invocationId } = error;
  return problemJson(problem.status, { ...problem, ...session.reportFault(error) }, headers, invocationId);
}

function problemJson(
  status: number,
  problem: object,
  headers: Record<string, string>,
  invocationId: string | null,
): Reply {
  const reply = jsonReply(status, problem, invocationId);
  return {
    ...reply,
    headers: [
      'content-type',
      'application/problem+json',
      'cache-control',
      'no-store',
      ...Object.entries(headers).flat(),
    ],
  };
}
