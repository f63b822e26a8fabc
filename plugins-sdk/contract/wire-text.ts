import type { WireBody } from './invocation.ts';

/**
 * Outputs travel as JSON, inputs as lines of it (input-text.ts). A long body follows its message, whose `body` is null then, after a line
 * feed, which JSON as it is written has nowhere else: as a text within the JSON it would be escaped and unescaped on both sides, twice 20 us
 * for 8 kB.
 */
export const BODY_FOLLOWS_FROM_UNITS = 512;

interface Message {
  response?: WireBody;
}

/** The JSON of a message whose body may follow, and what follows it. */
export function bodyApart<Carrier extends WireBody>(carrier: Carrier): { carrier: Carrier; following: string } {
  const { body } = carrier;
  if (body === null || body.length < BODY_FOLLOWS_FROM_UNITS) return { carrier, following: '' };
  return { carrier: { ...carrier, body: null }, following: `\n${body}` };
}

/** Reads either form. Throws where it is neither; what the message is must be checked by whoever does not trust its writer. */
export function readWireText<Read>(text: string): Read {
  const at = text.indexOf('\n');
  if (at < 0) return JSON.parse(text);
  const message = JSON.parse(text.slice(0, at)) as Message;
  const carrier = message.response;
  if (carrier?.body !== null) throw new SyntaxError('A body follows a message that has one, or that carries none.');
  carrier.body = text.slice(at + 1);
  return message as Read;
}

/** An output as plain JSON: how recordings keep it. Text that is neither form stays as it is. */
export function plainWireText(text: string): string {
  if (!text.includes('\n')) return text;
  try {
    return JSON.stringify(readWireText(text));
  } catch {
    return text;
  }
}
