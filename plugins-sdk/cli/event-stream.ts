import { readAnswer, type TransportOptions, transportError } from './api-transport.ts';
import { CliError, ServerRefusal } from './errors.ts';

/** One server-sent event that carried something. */
export interface ServerEvent {
  id: string;
  type: string;
  data: string;
}

export interface StreamRequest {
  /** Begins with `/`. */
  path: string;
  signal: AbortSignal;
  /** Goes on after this event. */
  lastEventId?: string;
}

/** Silence for longer than this means that nobody is there any more: the host says something every 15 s. */
const SILENCE_MS = 45_000;
const PAUSES_MS = [250, 1_000, 3_000, 5_000];
/** One event of the host has at most some 300 KiB. */
const EVENT_UNITS_MAX = 4 * 1024 * 1024;

/**
 * Events of a stream until `signal` aborts. Connects again after the last event where the connection breaks, the host asks
 * for it or is being restarted; gives up where the first connection fails. Refuses with: host-unreachable, ServerRefusal.
 */
export async function* followEvents(options: TransportOptions, request: StreamRequest): AsyncGenerator<ServerEvent> {
  const { signal } = request;
  const { sleep = (ms: number) => pause(ms, signal) } = options;
  let { lastEventId } = request;
  let failures = 0;
  let connected = false;
  while (!signal.aborted) {
    try {
      for await (const event of readOnce(options, { ...request, lastEventId })) {
        connected = true;
        failures = 0;
        if (event.id !== '') lastEventId = event.id;
        if (event.type === 'again') break;
        yield event;
      }
    } catch (error) {
      if (signal.aborted) return;
      if (!connected || (error instanceof ServerRefusal && error.status < 500) || !isPassing(error)) throw error;
    }
    if (signal.aborted) return;
    await sleep(PAUSES_MS[Math.min(failures, PAUSES_MS.length - 1)]!);
    failures += 1;
  }
}

const isPassing = (error: unknown): boolean => error instanceof ServerRefusal || error instanceof CliError;

async function* readOnce(
  { url, token }: TransportOptions,
  { path, signal, lastEventId }: StreamRequest,
): AsyncGenerator<ServerEvent> {
  const silence = new AbortController();
  let timer = setTimeout(() => silence.abort(), SILENCE_MS);
  try {
    const response = await fetch(`${url}${path}`, {
      headers: {
        accept: 'text/event-stream',
        ...(token === null ? {} : { authorization: `Bearer ${token}` }),
        ...(lastEventId === undefined ? {} : { 'last-event-id': lastEventId }),
      },
      redirect: 'manual',
      signal: AbortSignal.any([signal, silence.signal]),
    });
    if (!response.headers.get('content-type')?.startsWith('text/event-stream')) {
      const body = Buffer.from(await response.arrayBuffer());
      readAnswer({ status: response.status, headers: [...response.headers], body }, url);
      throw new CliError('host-answer-invalid', `${url} answered without a stream of events; is it older than gate?`);
    }
    const parse = eventParser();
    const decoder = new TextDecoder();
    for await (const chunk of response.body!) {
      clearTimeout(timer);
      timer = setTimeout(() => silence.abort(), SILENCE_MS);
      yield* parse(decoder.decode(chunk, { stream: true }));
    }
  } catch (error) {
    if (error instanceof ServerRefusal || error instanceof CliError) throw error;
    throw transportError(asError(error), url, SILENCE_MS);
  } finally {
    clearTimeout(timer);
  }
}

/** What `fetch` throws for a connection that breaks in the middle has a cause; an abort has none. */
const asError = (error: unknown): Error & { cause?: NodeJS.ErrnoException } => {
  const { name, message, cause } = error as Error & { cause?: NodeJS.ErrnoException };
  return Object.assign(new Error(message), { name, cause: cause ?? (new Error(message) as NodeJS.ErrnoException) });
};

/** Makes events of text as it comes (HTML standard, 9.2.6); comments and events without data are left out. */
export function eventParser(): (text: string) => ServerEvent[] {
  let rest = '';
  let event: { id: string; type: string; data: string[] } = { id: '', type: 'message', data: [] };
  return (text) => {
    const events: ServerEvent[] = [];
    const lines = (rest + text).split(/\r\n|\n|\r(?!$)/);
    rest = lines.pop()!;
    if (rest.length > EVENT_UNITS_MAX) throw new CliError('host-answer-invalid', 'An event is larger than any may be.');
    for (const line of lines) {
      if (line === '') {
        if (event.data.length > 0) events.push({ ...event, data: event.data.join('\n') });
        event = { id: event.id, type: 'message', data: [] };
      } else if (!line.startsWith(':')) {
        const [, field, value = ''] = /^([^:]*)(?:: ?(.*))?$/s.exec(line)!;
        if (field === 'id') event.id = value;
        else if (field === 'event') event.type = value;
        else if (field === 'data') event.data.push(value);
      }
    }
    return events;
  };
}

const pause = (ms: number, signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal.addEventListener('abort', done);
  });
