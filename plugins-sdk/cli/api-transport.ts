import { CliError, ServerRefusal } from './errors.ts';

export interface TransportOptions {
  /** Without a trailing slash. */
  url: string;
  /** Sent as a bearer token; null calls without credentials. */
  token: string | null;
  /** Until the answer's headers and body are there; per attempt. Default 90 s: an installation runs the plugin. */
  timeoutMs?: number;
  /** How often an idempotent call is tried in all. Default 3. */
  attempts?: number;
  sleep?: (ms: number) => Promise<void>;
}

export interface ApiRequest {
  method: string;
  /** Begins with `/`. */
  path: string;
  headers?: Record<string, string>;
  body?: string | Uint8Array<ArrayBuffer>;
  /** Sending it twice does what sending it once does: only such a call is tried again. */
  idempotent: boolean;
}

export interface ApiResponse {
  status: number;
  headers: [name: string, value: string][];
  body: Buffer;
}

/** Sends one request. Refuses with: host-unreachable, host-timeout. Any status is an answer. */
export type Transport = (request: ApiRequest) => Promise<ApiResponse>;

const FIRST_PAUSE_MS = 150;
const PAUSE_MAX_MS = 5_000;

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

export function createTransport(options: TransportOptions): Transport {
  const { attempts = 3, sleep = pause } = options;
  return async (request) => {
    for (let attempt = 1; ; attempt++) {
      const last = !request.idempotent || attempt >= attempts;
      const backOffMs = FIRST_PAUSE_MS * 3 ** (attempt - 1);
      try {
        const response = await sendOnce(options, request);
        if (last || !isWorthRepeating(response)) return response;
        await sleep(Math.min(retryAfterMs(response) ?? backOffMs, PAUSE_MAX_MS));
      } catch (error) {
        if (last || !(error instanceof CliError)) throw error;
        await sleep(backOffMs);
      }
    }
  };
}

/**
 * The host is busy, or a proxy before it found nobody. 502 and 504 as a problem document are a plugin's faults: the plugin
 * did run, and would do the same again.
 */
function isWorthRepeating({ status, headers }: ApiResponse): boolean {
  if (status === 429 || status === 503) return true;
  const type = headers.find(([name]) => name === 'content-type')?.[1] ?? '';
  return (status === 502 || status === 504) && !type.startsWith('application/problem+json');
}

async function sendOnce(options: TransportOptions, request: ApiRequest): Promise<ApiResponse> {
  const { url, token, timeoutMs = 90_000 } = options;
  const { method, path, body } = request;
  const headers = { ...(token === null ? {} : { authorization: `Bearer ${token}` }), ...request.headers };
  try {
    // A redirect is never followed: the token is meant for this host alone.
    const init: RequestInit = { method, headers, body, redirect: 'manual', signal: AbortSignal.timeout(timeoutMs) };
    const response = await fetch(`${url}${path}`, init);
    const bytes = Buffer.from(await response.arrayBuffer());
    return { status: response.status, headers: [...response.headers], body: bytes };
  } catch (error) {
    throw transportError(error as Error & { cause?: NodeJS.ErrnoException }, url, timeoutMs);
  }
}

export function transportError(
  error: Error & { cause?: NodeJS.ErrnoException },
  url: string,
  timeoutMs: number,
): Error {
  if (error.name === 'TimeoutError') {
    return new CliError('host-timeout', `${url} did not answer within ${timeoutMs / 1_000} s.`, { url });
  }
  const reason = error.cause?.code;
  if (reason === undefined && error.cause === undefined) return error;
  if (reason === 'ECONNREFUSED') {
    const message = `Nothing answers at ${url}. Is the host running? Start it with: npm start`;
    return new CliError('host-unreachable', message, { url, reason });
  }
  if (reason === 'ENOTFOUND' || reason === 'EAI_AGAIN') {
    const message = `The name in ${url} cannot be resolved; check --url, GATEHOUSE_URL or the profile.`;
    return new CliError('host-unreachable', message, { url, reason });
  }
  const message = `The connection to ${url} broke: ${error.cause?.message ?? error.message}`;
  return new CliError('host-unreachable', message, { url, reason: reason ?? 'unknown' });
}

/** RFC 9110, 10.2.3, in its form of seconds. */
function retryAfterMs({ headers }: ApiResponse): number | null {
  const seconds = Number(headers.find(([name]) => name === 'retry-after')?.[1] ?? Number.NaN);
  return seconds >= 0 ? seconds * 1_000 : null;
}

/** The JSON of a good answer. Throws ServerRefusal for problem+json; refuses with: host-answer-invalid. */
export function readAnswer<Value>(response: ApiResponse, url: string): Value {
  const ok = response.status >= 200 && response.status < 300;
  const text = response.body.toString('utf8');
  if (ok && text === '') return undefined as Value;
  const value = parseJson(text);
  if (ok && value !== undefined) return value as Value;
  if (!ok && isProblem(value)) throw refusalOf(value, response);
  const message = `${url} answered ${response.status} without a document that a Gatehouse host would send; check the address.`;
  throw new CliError('host-answer-invalid', message, { url, status: response.status });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

type Problem = { type: string; title?: unknown; detail?: unknown; instance?: unknown } & Record<string, unknown>;

const isProblem = (value: unknown): value is Problem =>
  typeof value === 'object' && value !== null && typeof (value as Problem).type === 'string';

function refusalOf(problem: Problem, { status }: ApiResponse): ServerRefusal {
  const { type, title, detail, instance, status: _status, ...facts } = problem;
  return new ServerRefusal({
    code: type.slice(type.lastIndexOf('/') + 1),
    status,
    message: String(detail ?? title ?? `The host refused with status ${status}.`),
    requestId: typeof instance === 'string' ? instance.replace(/^urn:request:/, '') : null,
    facts,
  });
}
