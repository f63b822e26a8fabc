import type { IncomingMessage, ServerResponse } from 'node:http';
import { v7 as uuidv7 } from 'uuid';
import { METHODS, type WireResponse } from '../../plugins-sdk/contract/index.ts';
import { HostRefusal } from '../errors.ts';
import { authenticate, type FindPrincipal } from '../http/authenticate.ts';
import { requireAddress } from '../http/confine.ts';
import type { Log } from '../http/log.ts';
import { headersFromPlugin } from '../http/plugin-headers.ts';
import type { PreparedResponse } from '../http/prepared-response.ts';
import { problemOf } from '../http/problems.ts';
import { boundLeftover, openBody, readBody } from '../http/read-body.ts';
import { pluginAnswerLines } from '../http/security-headers.ts';
import { sendProblem } from '../http/send-problem.ts';
import { type AnswerPieces, type DataPlane, PluginFaultError } from '../invocations/contract.ts';
import type { LoadShedder } from '../invocations/shed-load.ts';
import type { Metrics } from '../metrics.ts';
import { addressKey } from '../rate-limits/address-key.ts';
import type { RunLimits } from '../rate-limits/contract.ts';
import { memoryOf } from './connection-memory.ts';
import { Departure } from './departure.ts';

export interface RunPorts {
  findPrincipal: FindPrincipal;
  dataPlane: DataPlane;
  metrics: Metrics;
  /** Asked before anything else; absent where everybody is let in. */
  load?: Pick<LoadShedder, 'enter' | 'leave'>;
  log: Log;
  /** The client's address; see `createClientAddress`. */
  clientAddress?(req: IncomingMessage): string;
  /** Absent where nobody is counted. */
  runLimits?: RunLimits;
  /** Scheme and authority under which callers reach this host, such as `https://gate.example`: no slash at the end. */
  publicOrigin(): string;
}

export const RUN_ROUTE = '/run/:operator/:installation/*';

/**
 * `ANY /run/{operator}/{installation}/*`, on plain node:http: the hot path has no use for a context, a router or a
 * request id until something goes wrong. Shares credentials and problems with the control plane.
 */
export function createRunListener(ports: RunPorts): (req: IncomingMessage, res: PreparedResponse) => Promise<void> {
  const { dataPlane, findPrincipal, metrics, publicOrigin, runLimits, clientAddress } = ports;
  const observe = ({ method }: IncomingMessage, status: number, startedAtMs: number) =>
    metrics.httpRequest(isMethod(method!) ? method : 'other', RUN_ROUTE, status, performance.now() - startedAtMs);

  return async (req, res) => {
    const startedAtMs = performance.now();
    const { load } = ports;
    const overload = load?.enter() ?? null;
    if (overload !== null) {
      observe(req, refuse(ports, req, res, overload), startedAtMs);
      return;
    }
    const origin = publicOrigin();
    const https = origin.startsWith('https:');
    const departure = new Departure();
    res.on('close', () => res.writableFinished || departure.tell());
    let status: number;
    try {
      if (runLimits && clientAddress) runLimits.take('run-address', addressKey(clientAddress(req)), startedAtMs);
      const memory = memoryOf(req.socket);
      const { address, path, search } = memory.target(req.url!);
      const method = requireMethod(req.method!);
      requireNoUpgrade(req);
      const { authorization } = req.headers;
      const found = authorization === undefined ? null : authenticate(findPrincipal, memory.bearer(authorization));
      const principal = found instanceof Promise ? await found : found;
      requireAddress(principal, () => clientAddress?.(req) ?? '');
      if (runLimits && principal !== null) runLimits.take('run-token', principal.credentialId, startedAtMs);
      const { invocationId, response } = await dataPlane.run({
        address,
        method,
        path,
        url: origin + path + search,
        headers: memory.headers(req.rawHeaders),
        readBody: (bytesMax) => readBody(req, res, bytesMax),
        openBody: (bytesMax) => openBody(req, res, bytesMax),
        answerPieces: new SentPieces(res, https),
        principal,
        signal: departure,
        record: req.headers['x-gatehouse-record'] === '1',
      });
      // A plugin may answer without having read a body that comes in pieces.
      boundLeftover(req, res);
      status = res.headersSent ? endPieces(res) : sendAnswer(res, response, invocationId, https);
    } catch (error) {
      res.preparedLines = '';
      status = res.headersSent ? cutPieces(ports, res, error) : refuse(ports, req, res, error);
    } finally {
      load?.leave();
    }
    observe(req, status, startedAtMs);
  };
}

const isMethod = (method: string): method is (typeof METHODS)[number] =>
  (METHODS as readonly string[]).includes(method);

function requireMethod(method: string): string {
  if (isMethod(method)) return method;
  throw new HostRefusal('method-not-allowed', undefined, { method, allowed: METHODS });
}

const BODILESS = new Set([204, 205, 304]);

/** Sends what a plugin answered; returns the status. Refuses with: plugin-answer-invalid. */
function sendAnswer(res: PreparedResponse, response: WireResponse, invocationId: string, https: boolean): number {
  const { status, body, bodyEncoding } = response;
  res.preparedLines = linesOf(response, invocationId, https);
  if (BODILESS.has(status)) {
    res.writeHead(status, status === 205 ? ['Content-Length', '0'] : []).end();
    return status;
  }
  const bytes = bodyEncoding === 'base64' ? Buffer.from(body ?? '', 'base64') : (body ?? '');
  const length = Buffer.byteLength(bytes);
  res.writeHead(status, ['Content-Length', String(length)]);
  // As many bytes as units: only US-ASCII, which is written without a look at each unit.
  if (typeof bytes === 'string') res.end(bytes, length === bytes.length ? 'latin1' : 'utf8');
  else res.end(bytes);
  return status;
}

/** Header lines of an answer of a plugin. Refuses with: plugin-answer-invalid. */
function linesOf(
  { status, headers: given }: Pick<WireResponse, 'status' | 'headers'>,
  invocationId: string,
  https: boolean,
): string {
  if (!Number.isInteger(status) || status < 200 || status > 599) {
    throw answerInvalid(`The status ${status} is not between 200 and 599.`, invocationId);
  }
  const headers = headersFromPlugin(given);
  if (headers === null) throw answerInvalid('The answer has too many headers, or too large ones.', invocationId);
  let lines = '';
  let cached = false;
  let shared = false;
  for (let at = 0; at < headers.length; at += 2) {
    const name = headers[at]!;
    lines += `${name}: ${headers[at + 1]}\r\n`;
    if (name === 'cache-control') cached = true;
    else if (name === 'cross-origin-resource-policy') shared = true;
  }
  lines += `${pluginAnswerLines(https)}X-Gatehouse-Invocation: ${invocationId}\r\n`;
  if (!cached) lines += 'Cache-Control: no-store\r\n';
  if (!shared) lines += 'Cross-Origin-Resource-Policy: same-origin\r\n';
  return lines;
}

/** Sends an answer piece by piece, each when the client has room for it. */
class SentPieces implements AnswerPieces {
  readonly #res: PreparedResponse;
  readonly #https: boolean;
  constructor(res: PreparedResponse, https: boolean) {
    this.#res = res;
    this.#https = https;
  }

  start(invocationId: string, head: Pick<WireResponse, 'status' | 'headers'>): void {
    this.#res.preparedLines = linesOf(head, invocationId, this.#https);
    this.#res.writeHead(head.status).flushHeaders();
  }

  write(piece: Buffer): Promise<void> {
    const res = this.#res;
    if (res.destroyed || res.write(piece)) return Promise.resolve();
    return new Promise((resolve) => {
      const go = () => {
        res.off('drain', go).off('close', go);
        resolve();
      };
      res.on('drain', go).on('close', go);
    });
  }
}

function endPieces(res: ServerResponse): number {
  res.end();
  return res.statusCode;
}

/** The status is said already: an answer that breaks off tells the client that something is missing. */
function cutPieces({ log }: RunPorts, res: ServerResponse, error: unknown): number {
  const requestId = uuidv7();
  const { problem, unexpected } = problemOf(error, requestId);
  if (unexpected) log.error({ requestId, err: error, code: problem.code }, 'request failed');
  res.destroy();
  return problem.status;
}

/** See docs/decisions/0015-bodies-in-pieces-no-websockets.md. */
function requireNoUpgrade({ headers }: IncomingMessage): void {
  if (headers.upgrade !== undefined && headers.upgrade.toLowerCase() === 'websocket') {
    throw new HostRefusal('upgrade-unsupported');
  }
}

const answerInvalid = (message: string, invocationId: string) =>
  new PluginFaultError({ code: 'plugin-answer-invalid', message }, invocationId);

function refuse({ log, publicOrigin }: RunPorts, req: IncomingMessage, res: ServerResponse, error: unknown): number {
  const requestId = uuidv7();
  const answer = problemOf(error, requestId);
  if (answer.unexpected) log.error({ requestId, err: error, code: answer.problem.code }, 'request failed');
  boundLeftover(req, res);
  sendProblem(res, answer, requestId, publicOrigin().startsWith('https:'));
  return answer.problem.status;
}
