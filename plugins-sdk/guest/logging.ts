import type { LogLevel } from '../contract/capabilities/log.ts';
import { capText } from './describe-thrown.ts';
import type { Invocation } from './invocation.ts';
import { jsonStringify } from './primordials.ts';
import { emit } from './records.ts';
import { utf8Length } from './utf8.ts';

const MESSAGE_UNITS_MAX = 16_384;

/**
 * Writes one log record; `factsJson` is the JSON of an object or empty. What is over `limits.logBytes` is dropped, and
 * the first record that is dropped leaves a warning in its place.
 */
export function writeLog(
  invocation: Invocation,
  source: 'console' | 'log',
  level: LogLevel,
  message: string,
  factsJson = '',
): undefined {
  if (invocation.over || invocation.logBytes > invocation.limits.logBytes) return;
  const facts = factsJson === '' ? '' : `,"facts":${factsJson}`;
  const payload = `{"message":${jsonStringify(capText(message, MESSAGE_UNITS_MAX))}${facts}}`;
  invocation.logBytes += utf8Length(payload);
  if (invocation.logBytes <= invocation.limits.logBytes) return put(invocation, source, level, payload);
  const allowed = invocation.limits.logBytes;
  put(
    invocation,
    source,
    'warn',
    `{"message":"This and all later log text was dropped: the invocation may write ${allowed} bytes."}`,
  );
}

function put(invocation: Invocation, source: string, level: string, payload: string): undefined {
  invocation.logSeq += 1;
  emit('log', invocation.id, invocation.logSeq, `${source}:${level}`, payload);
}
