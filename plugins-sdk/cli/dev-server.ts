import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { v7 as uuidv7 } from 'uuid';
import { HostRefusal } from '../../host/errors.ts';
import { PreparedResponse } from '../../host/http/prepared-response.ts';
import { type ProblemAnswer, problemOf } from '../../host/http/problems.ts';
import { sendProblem } from '../../host/http/send-problem.ts';
import type { Waterfall } from '../../host/invocations/call-trace.ts';
import { PluginFaultError } from '../../host/invocations/contract.ts';
import { createDataPlane } from '../../host/invocations/serve-request.ts';
import { createRunListener, type RunPorts } from '../../host/routes/run.ts';
import type { Usage } from '../../sandbox/index.ts';
import type { Access, Limits } from '../contract/index.ts';
import { answerControl, CONTROL_PREFIX } from './dev-control.ts';
import { LOCAL_OPERATOR, localPrincipal } from './dev-operator.ts';
import type { DevSession, LoadedPlugin } from './dev-session.ts';
import { CliError } from './errors.ts';

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
  /** Null where it made no host call. */
  trace: Waterfall | null;
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
  /** The server itself failed, not the plugin. */
  onFailure(error: unknown): void;
}

/** What is learnt about one request while it is answered. */
interface Trace {
  invocationId: string | null;
  limits: Limits | null;
}

/** Serves the session's plugin on loopback through the data plane of the host. Refuses with: port-taken. */
export async function startDevServer(ports: DevServerPorts, port: number): Promise<DevServer> {
  const server: Server = createServer({ ServerResponse: PreparedResponse }, (req, res) => void answer(ports, req, res));
  await listen(server, port);
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    url,
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

async function answer(ports: DevServerPorts, req: IncomingMessage, res: PreparedResponse): Promise<void> {
  const startedAtMs = performance.now();
  const { method = '', url = '/' } = req;
  const path = url.split('?', 1)[0]!;
  const trace: Trace = { invocationId: null, limits: null };
  res.once('close', () => {
    const { invocationId, limits } = trace;
    const usage = invocationId === null ? null : ports.session.usageOf(invocationId);
    const calls = invocationId === null ? null : ports.session.traceOf(invocationId);
    const wallMs = performance.now() - startedAtMs;
    const ended = { method, path, status: res.statusCode, wallMs, invocationId, usage, limits, trace: calls };
    ports.onRequest({ type: 'request', ...ended });
  });
  try {
    refuseForeignHost(req);
    const isForeign = isFromForeignPage(req);
    const loaded = await ports.session.current();
    trace.limits = loaded.installation.limits;
    if (path.startsWith(CONTROL_PREFIX)) {
      if (isForeign) throw new HostRefusal('request-cross-site');
      const { value, invocationId } = await answerControl(ports.session, loaded, req, res);
      trace.invocationId = invocationId;
      res.writeHead(200, { 'content-type': 'application/json; charset=utf-8', 'cache-control': 'no-store' });
      res.end(`${JSON.stringify(value, null, 2)}\n`);
    } else {
      const asked = isForeign ? { ...ports, access: 'public' as const } : ports;
      await runListener(asked, loaded, trace)(asDataPlaneRequest(req, loaded), res);
    }
  } catch (error) {
    refuse(ports, res, error, trace);
  }
}

const THIS_MACHINE = /^(?:localhost|127\.0\.0\.1|\[::1\])(?::\d+)?$/i;

/** A web page whose name resolves to this machine (DNS rebinding) must not read what a plugin under work answers. */
function refuseForeignHost({ headers }: IncomingMessage): void {
  if (THIS_MACHINE.test(headers.host ?? '')) return;
  throw new HostRefusal('request-malformed', 'gate dev answers to localhost only.', { host: headers.host ?? '' });
}

/**
 * A page of the internet that its author has open is not the author: it comes as somebody without a token, as it would on a host. Whoever
 * follows a link may look; a header of its own, the browser sends only where the plugin allows it. A page of this machine is the author's,
 * also where it calls the machine by another of its names.
 */
function isFromForeignPage({ method, headers }: IncomingMessage): boolean {
  const follows = method === 'GET' && headers['sec-fetch-mode'] === 'navigate';
  const isOwn = THIS_MACHINE.test(URL.parse(headers.origin ?? '')?.host ?? '');
  return headers['sec-fetch-site'] === 'cross-site' && headers.authorization === undefined && !follows && !isOwn;
}

/** The data plane knows installations by their address; here there is one, and its address is left out. */
function asDataPlaneRequest(req: IncomingMessage, { installation }: LoadedPlugin): IncomingMessage {
  // There are no tokens here: `--as` says who asks.
  delete req.headers.authorization;
  req.url = `/run/${LOCAL_OPERATOR.slug}/${installation.slug}${req.url}`;
  return req;
}

/** The very listener of the host: what it lets through, refuses and changes here, it does there. */
function runListener({ session, access, onFailure }: DevServerPorts, { installation }: LoadedPlugin, trace: Trace) {
  const dataPlane = createDataPlane({
    findInstallation: async () => installation,
    runPlugin: async (...run) => {
      try {
        const ended = await session.host.runPlugin(...run);
        trace.invocationId = ended.invocationId;
        return ended;
      } catch (error) {
        noteFault(session, error, trace);
        throw error;
      }
    },
  });
  const ignore = () => {};
  return createRunListener({
    dataPlane: { run: (request) => dataPlane.run({ ...request, principal: localPrincipal(access) }) },
    findPrincipal: async () => null,
    metrics: { httpRequest: ignore } as unknown as RunPorts['metrics'],
    log: { debug: ignore, info: ignore, warn: ignore, error: (facts) => onFailure((facts as { err?: unknown }).err) },
    publicOrigin: () => 'http://localhost',
  });
}

function noteFault(session: DevSession, error: unknown, trace: Trace): void {
  if (!(error instanceof PluginFaultError)) return;
  trace.invocationId = error.invocationId;
  session.reportFault(error);
}

/** The problem that the host would answer with. That there has never been a working build is a problem only here. */
function refuse({ session, onFailure }: DevServerPorts, res: ServerResponse, error: unknown, trace: Trace): void {
  const requestId = uuidv7();
  noteFault(session, error, trace);
  if (error instanceof CliError) {
    const { code, message, facts } = error;
    const body = { ...facts, type: `/problems/${code}`, title: message, status: 503, detail: message, code };
    const instance = `urn:request:${requestId}`;
    const problem = { ...body, instance } as unknown as ProblemAnswer['problem'];
    sendProblem(res, { problem, headers: {}, unexpected: false }, requestId);
    return;
  }
  const problem = problemOf(error, requestId);
  if (problem.unexpected) onFailure(error);
  sendProblem(res, problem, requestId);
}
