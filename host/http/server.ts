import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { v7 as uuidv7 } from 'uuid';
import { HostRefusal, type HostRefusalCode } from '../errors.ts';
import { addressKey } from '../rate-limits/address-key.ts';
import { plainAddress } from './client-address.ts';
import type { Log } from './log.ts';
import { PreparedResponse } from './prepared-response.ts';
import { problemOf } from './problems.ts';
import { boundLeftover } from './read-body.ts';
import { bareProblem, sendProblem } from './send-problem.ts';

/** Limits of the transport. All of them hold before any of our code sees a request. */
export interface ServerSettings {
  /** From a connection to the end of the headers. */
  headersTimeoutMs: number;
  /** From a connection to the end of the body. */
  requestTimeoutMs: number;
  /** How long an idle connection stays open. Longer than that of a proxy in front, or requests get lost between them. */
  keepAliveTimeoutMs: number;
  /** How long a request may go on without a byte in either direction: a client that reads no answer must not hold it in memory. */
  idleTimeoutMs: number;
  /** Request line and headers together. */
  headerBytesMax: number;
  headersMax: number;
  /** Path and query, in characters. */
  targetUnitsMax: number;
  connectionsMax: number;
  /** Of one client, as `addressKey` counts them. Proxies speak for many, and are not counted. */
  connectionsPerAddressMax: number;
}

export const SERVER_SETTINGS: ServerSettings = Object.freeze({
  headersTimeoutMs: 10_000,
  requestTimeoutMs: 60_000,
  keepAliveTimeoutMs: 65_000,
  idleTimeoutMs: 120_000,
  headerBytesMax: 16 * 1024,
  headersMax: 100,
  targetUnitsMax: 8 * 1024,
  connectionsMax: 10_000,
  connectionsPerAddressMax: 1_000,
});

/** A listening server. */
export interface HttpServer {
  /** Such as `http://127.0.0.1:8080`; a wildcard address is shown as the loopback one. */
  url: string;
  port: number;
  /**
   * Stops accepting, lets running requests finish for at most `drainMs`, then cuts them. Requests that still arrive on
   * open connections are refused with host-shutting-down, or answered as the last of their connections. Idempotent.
   */
  close(drainMs: number): Promise<void>;
}

export interface ServerOptions extends Partial<ServerSettings> {
  hostName: string;
  /** 0 takes a free one. */
  port: number;
  log: Log;
  /** Whether callers reach this server by https, through a proxy. Default: no. */
  https?: boolean;
  /** Whether an address is that of a trusted proxy. Default: none is. */
  isProxy?(address: string): boolean;
  /**
   * Others listen on the same port: what still arrives while this server closes is answered, and its connection ends with that.
   * Default: it is refused, since nobody else may be there.
   */
  answersWhileClosing?: boolean;
  /** Told of every connection that was cut at once, for being one too many. */
  onConnectionRefused?(): void;
}

/** Serves `serve` on node:http within limits. Rejects with the system's error, such as EADDRINUSE, where it cannot listen. */
export async function startServer(
  serve: (req: IncomingMessage, res: PreparedResponse) => Promise<void>,
  {
    hostName,
    port,
    log,
    https = false,
    isProxy,
    onConnectionRefused,
    answersWhileClosing = false,
    ...settings
  }: ServerOptions,
): Promise<HttpServer> {
  const limits = { ...SERVER_SETTINGS, ...settings };
  let closed: Promise<void> | null = null;

  const listener = (req: IncomingMessage, res: PreparedResponse): void => {
    if (closed !== null && answersWhileClosing) res.shouldKeepAlive = false;
    if (closed !== null && !answersWhileClosing) refuse(req, res, 'host-shutting-down', https);
    // Node drops headers over its own maximum without a word, so that maximum lies above ours.
    else if (req.rawHeaders.length / 2 > limits.headersMax) refuse(req, res, 'headers-too-large', https);
    else if (req.url!.length > limits.targetUnitsMax) refuse(req, res, 'target-too-long', https);
    else if (!toOriginForm(req)) refuse(req, res, 'request-malformed', https);
    else void serve(req, res);
  };

  const server = boundedServer(limits, listener);
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Socket) => {
    const requestId = uuidv7();
    log.debug({ requestId, code: error.code, address: socket.remoteAddress }, 'request unreadable');
    answerClientError(error, socket, requestId, https);
  });
  boundConnections(server, limits.connectionsPerAddressMax, { isProxy, onConnectionRefused });
  const address = await listen(server, port, hostName);
  // Without a listener, a fault of accepting (too many open files) would end the process.
  server.on('error', (error) => log.error({ err: error }, 'accepting failed'));
  return {
    url: urlOf(address),
    port: address.port,
    close: (drainMs) => {
      closed ??= answersWhileClosing ? leaveGently(server, drainMs) : drain(server, drainMs);
      return closed;
    },
  };
}

const WITH_HOST = /^https?:\/\/[^/?\\@]+(?=[/?]|$)/i;

/**
 * Leaves path and query of a target that names scheme and host, as those for proxies do and servers have to take (RFC 9112, 3.2.2).
 * False for a fragment, which no client sends, and for every other target without a path: parsers of URLs throw at some of them, and
 * find in others a path that is not there.
 */
function toOriginForm(req: IncomingMessage): boolean {
  const target = req.url!;
  if (target.includes('#')) return false;
  if (target.startsWith('/') || target === '*') return true;
  const named = WITH_HOST.exec(target)?.[0];
  if (named === undefined) return false;
  const rest = target.slice(named.length);
  req.url = rest.startsWith('/') ? rest : `/${rest}`;
  return true;
}

function boundedServer(
  limits: ServerSettings,
  listener: (req: IncomingMessage, res: PreparedResponse) => void,
): Server {
  const server: Server = createServer(
    {
      ServerResponse: PreparedResponse,
      maxHeaderSize: limits.headerBytesMax,
      headersTimeout: limits.headersTimeoutMs,
      requestTimeout: limits.requestTimeoutMs,
      keepAliveTimeout: limits.keepAliveTimeoutMs,
      connectionsCheckingInterval: Math.min(5_000, limits.headersTimeoutMs),
    },
    listener,
  );
  server.timeout = limits.idleTimeoutMs;
  server.maxHeadersCount = limits.headersMax + 1;
  server.maxConnections = limits.connectionsMax;
  // Without this, Node would ask for the body before anybody has looked at the headers; `readBody` asks for it.
  server.on('checkContinue', listener);
  return server;
}

/** A client that opens connections without end must not take those of the others. */
function boundConnections(
  server: Server,
  max: number,
  { isProxy = () => false, onConnectionRefused }: Pick<ServerOptions, 'isProxy' | 'onConnectionRefused'>,
): void {
  const open = new Map<string, number>();
  server.on('connection', (socket: Socket) => {
    const address = plainAddress(socket.remoteAddress ?? '');
    if (isProxy(address)) return;
    const key = addressKey(address);
    const before = open.get(key) ?? 0;
    if (before >= max) {
      // Without an answer: it would cost more than the connection did.
      socket.destroy();
      onConnectionRefused?.();
      return;
    }
    open.set(key, before + 1);
    socket.once('close', () => {
      const left = open.get(key)! - 1;
      if (left === 0) open.delete(key);
      else open.set(key, left);
    });
  });
}

const listen = (server: Server, port: number, hostName: string): Promise<AddressInfo> =>
  new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, hostName, () => {
      server.off('error', reject);
      resolve(server.address() as AddressInfo);
    });
  });

function urlOf({ address, port }: AddressInfo): string {
  if (address === '0.0.0.0') return `http://127.0.0.1:${port}`;
  if (address === '::') return `http://[::1]:${port}`;
  return `http://${address.includes(':') ? `[${address}]` : address}:${port}`;
}

function refuse(req: IncomingMessage, res: ServerResponse, code: HostRefusalCode, https: boolean): void {
  const requestId = uuidv7();
  res.shouldKeepAlive = false;
  boundLeftover(req, res);
  sendProblem(res, problemOf(new HostRefusal(code), requestId), requestId, https);
}

const IDLE_CHECK_MS = 50;
/** Callers who are busy send something within this time, and are told with the answer that the connection ends. */
const LAST_REQUESTS_MS = 1_000;

/** A connection that is cut while a request is on its way loses that; so those in use end with an answer first. */
async function leaveGently(server: Server, drainMs: number): Promise<void> {
  const lastMs = Math.min(LAST_REQUESTS_MS, drainMs);
  await new Promise((resolve) => setTimeout(resolve, lastMs));
  await drain(server, drainMs - lastMs);
}

/** A connection that becomes idle only now would otherwise stay open for its whole keep-alive time. */
function drain(server: Server, drainMs: number): Promise<void> {
  return new Promise((resolve) => {
    const idle = setInterval(() => server.closeIdleConnections(), IDLE_CHECK_MS);
    const deadline = setTimeout(() => server.closeAllConnections(), drainMs);
    server.close(() => {
      clearInterval(idle);
      clearTimeout(deadline);
      resolve();
    });
  });
}

const CLIENT_ERRORS: Record<string, HostRefusalCode> = {
  HPE_HEADER_OVERFLOW: 'headers-too-large',
  ERR_HTTP_REQUEST_TIMEOUT: 'request-timeout',
};
const REASONS: Record<number, string> = {
  400: 'Bad Request',
  408: 'Request Timeout',
  431: 'Request Header Fields Too Large',
};

const LINGER_MS = 2_000;

/** What could not be read as HTTP still gets a problem, as far as somebody is there to read it. */
function answerClientError(error: NodeJS.ErrnoException, socket: Socket, requestId: string, https: boolean): void {
  // After a first answer on this connection, ours could be taken for the answer to something else.
  if (!socket.writable || error.code === 'ECONNRESET' || socket.bytesWritten > 0) {
    socket.destroy();
    return;
  }
  const answer = problemOf(new HostRefusal(CLIENT_ERRORS[error.code ?? ''] ?? 'request-malformed'), requestId);
  const { status } = answer.problem;
  const { headers, text } = bareProblem(answer, requestId, https);
  const lines = Object.entries({ ...headers, Connection: 'close' }).map(([name, value]) => `${name}: ${value}`);
  socket.end(`HTTP/1.1 ${status} ${REASONS[status]}\r\n${lines.join('\r\n')}\r\n\r\n${text}`);
  // A client that neither reads the answer nor closes would otherwise keep its half of the connection open.
  socket.setTimeout(LINGER_MS, () => socket.destroy());
}
