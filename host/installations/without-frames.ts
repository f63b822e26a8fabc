import type { Json } from '../../plugins-sdk/contract/index.ts';
import type { InstallationLogEntry } from './contract.ts';

/** `    at pay (src/pay.ts:12:5)`: where an error passed, in the publisher's files or in the bundle. */
const isFrame = (line: string): boolean => line.trimStart().startsWith('at ') && /:\d+:\d+\)?$/.test(line);

/**
 * A log line as an operator sees it: code, message, limits and host calls of a fault, and nothing of how the publisher's
 * code is laid out. Frames that a plugin wrote into a message or into its facts are left out too.
 */
export function withoutFrames<Entry extends Omit<InstallationLogEntry, 'id'>>(entry: Entry): Entry {
  return { ...entry, message: withoutFrameLines(entry.message), facts: cleaned(entry.facts) };
}

function cleaned(facts: Json): Json {
  if (typeof facts === 'string') return withoutFrameLines(facts);
  if (typeof facts !== 'object' || facts === null) return facts;
  if (Array.isArray(facts)) return facts.map(cleaned);
  const entries = Object.entries(facts).filter(([name]) => name !== 'stack');
  return Object.fromEntries(entries.map(([name, value]) => [name, cleaned(value as Json)]));
}

function withoutFrameLines(text: string): string {
  // Most texts have no second line and none of them is a frame: nothing is copied.
  if (!text.includes('at ')) return text;
  return text
    .split('\n')
    .filter((line) => !isFrame(line))
    .join('\n');
}
