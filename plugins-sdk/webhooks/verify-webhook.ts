import { createHmac, timingSafeEqual } from 'node:crypto';

/** Why a request is not believed. Answer it with 400, and do nothing else. */
export type WebhookRefusalCode =
  | 'headers-missing'
  | 'signature-malformed'
  | 'timestamp-outside-tolerance'
  | 'signature-wrong'
  | 'body-malformed';

export class WebhookRefusal extends Error {
  override name = 'WebhookRefusal';
  readonly code: WebhookRefusalCode;
  constructor(code: WebhookRefusalCode, message: string) {
    super(message);
    this.code = code;
  }
}

/** What Gatehouse sends. */
export interface WebhookEvent {
  /** The same for every delivery of one event: do nothing twice. */
  id: string;
  /** Counts the events of your organisation; null for a ping. Order by it where order matters. */
  position: number | null;
  /** See docs/events.md; `webhook.ping` for a ping. */
  type: string;
  version: number;
  at: string;
  payload: Record<string, unknown>;
}

export interface WebhookRequest {
  /** Of Node.js (names in lower case), or of the Fetch standard. */
  headers: Headers | Readonly<Record<string, string | readonly string[] | undefined>>;
  /** The body as it came: bytes or text, before any parser. */
  body: string | Uint8Array;
  /** All that are valid: two while one is being exchanged. */
  secrets: string | readonly string[];
  /** How old, or how far ahead, a request may be. Default 300. */
  toleranceSeconds?: number;
  /** Default: the clock. */
  nowMs?: number;
}

const HEADER_CHARS_MAX = 4_096;
const SIGNATURES_MAX = 20;
const ID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/**
 * The event of a request from Gatehouse. It was signed by one of the secrets within the tolerance, or this throws a WebhookRefusal. Compares
 * in constant time. Within the tolerance the same request may come twice: remember ids of events for as long.
 */
export function verifyWebhook({
  headers,
  body,
  secrets,
  toleranceSeconds = 300,
  nowMs = Date.now(),
}: WebhookRequest): WebhookEvent {
  const known = (typeof secrets === 'string' ? [secrets] : secrets).filter((secret) => secret !== '');
  if (known.length === 0) throw new TypeError('verifyWebhook needs a secret: whoever knows none believes nobody.');
  const [id, signature] = [headerOf(headers, 'gatehouse-delivery'), headerOf(headers, 'gatehouse-signature')];
  if (id === null || signature === null) {
    throw new WebhookRefusal('headers-missing', 'Gatehouse-Delivery and Gatehouse-Signature are needed, once each.');
  }
  const { timestamp, signatures } = readSignature(id, signature);
  // Said this way round, a tolerance that is no number lets nothing pass.
  if (!(Math.abs(nowMs / 1_000 - timestamp) <= toleranceSeconds)) {
    throw new WebhookRefusal(
      'timestamp-outside-tolerance',
      `The request was signed more than ${toleranceSeconds} s from now; check the clock, or somebody sends it again.`,
    );
  }
  const bytes = typeof body === 'string' ? Buffer.from(body, 'utf8') : body;
  // Every pair is compared, so that the time says nothing of which one was right.
  let isRight = false;
  for (const secret of known) {
    const expected = createHmac('sha256', secret).update(`${id}.${timestamp}.`, 'utf8').update(bytes).digest();
    for (const each of signatures) {
      if (timingSafeEqual(expected, each)) isRight = true;
    }
  }
  if (!isRight) throw new WebhookRefusal('signature-wrong', 'No secret of yours made this signature for this body.');
  return readEvent(bytes);
}

function readSignature(id: string, text: string): { timestamp: number; signatures: Buffer[] } {
  const parts = text.length > HEADER_CHARS_MAX ? [] : text.split(',').map((part) => part.trim());
  const times = parts.filter((part) => part.startsWith('t='));
  const signatures = parts
    .filter((part) => /^v1=[0-9a-f]{64}$/.test(part))
    .map((part) => Buffer.from(part.slice(3), 'hex'));
  const isWhole = times.length === 1 && /^t=\d{1,12}$/.test(times[0]!) && ID.test(id);
  if (!isWhole || signatures.length === 0 || signatures.length > SIGNATURES_MAX) {
    throw new WebhookRefusal('signature-malformed', 'Gatehouse-Signature looks like `t=<seconds>,v1=<64 hex digits>`.');
  }
  return { timestamp: Number(times[0]!.slice(2)), signatures };
}

function readEvent(bytes: Uint8Array): WebhookEvent {
  try {
    const event = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes)) as WebhookEvent;
    if (typeof event.id === 'string' && typeof event.type === 'string') return event;
  } catch {
    // Said below.
  }
  throw new WebhookRefusal(
    'body-malformed',
    'The body is signed and yet no event; is this address for something else?',
  );
}

/** Null where it is absent, or there more than once. */
function headerOf(headers: WebhookRequest['headers'], name: string): string | null {
  if (headers instanceof Headers) return headers.get(name);
  const found = Object.entries(headers).filter(([key, value]) => key.toLowerCase() === name && value !== undefined);
  const value = found.length === 1 ? found[0]![1] : undefined;
  return typeof value === 'string' ? value : null;
}
