import type { Log as LogContract, LogLevel } from '../../contract/capabilities/log.ts';
import { inspect } from '../inspect.ts';
import type { Invocation } from '../invocation.ts';
import { writeLog } from '../logging.ts';
import { charCodeAt, jsonStringify, NativeError } from '../primordials.ts';
import { freezeClass } from '../removals.ts';
import { assertByRuntime, BY_RUNTIME, denied, jsonText } from './arguments.ts';

/** The capability `log` of one invocation. */
class Log implements LogContract {
  readonly #invocation: Invocation;
  readonly #granted: boolean;

  constructor(key: object, invocation: Invocation, granted: boolean) {
    assertByRuntime(key);
    this.#invocation = invocation;
    this.#granted = granted;
  }

  debug(message: string, facts?: unknown): void {
    this.#write('debug', message, facts);
  }
  info(message: string, facts?: unknown): void {
    this.#write('info', message, facts);
  }
  warn(message: string, facts?: unknown): void {
    this.#write('warn', message, facts);
  }
  error(message: string, facts?: unknown): void {
    this.#write('error', message, facts);
  }

  #write(level: LogLevel, message: unknown, facts: unknown): void {
    if (!this.#granted) throw denied('log');
    writeLog(
      this.#invocation,
      'log',
      level,
      typeof message === 'string' ? message : inspect(message),
      factsJson(facts),
    );
  }
}

freezeClass(Log, 'Log');

export const logOf = (invocation: Invocation, granted: boolean): Log => new Log(BY_RUNTIME, invocation, granted);

/** Facts are an object of JSON values; anything else is shown as text, because logging must not fail. */
function factsJson(facts: unknown): string {
  if (facts === undefined || facts === null) return '';
  const json = jsonText(facts, errorsAsText);
  return json === undefined || charCodeAt(json, 0) !== BRACE || nestsDeeper(json, FACTS_DEPTH_MAX)
    ? `{"facts":${jsonStringify(inspect(facts))}}`
    : json;
}

/** Nothing of an error is in its JSON. */
const errorsAsText = (_key: string, value: unknown): unknown => (value instanceof NativeError ? inspect(value) : value);

/** Databases give up on JSON that is nested some ten thousand levels deep, and nobody reads that. */
const FACTS_DEPTH_MAX = 32;
const [QUOTE, BACKSLASH, BRACE] = [34, 92, 123];

function nestsDeeper(json: string, depthMax: number): boolean {
  let depth = 0;
  let quoted = false;
  for (let at = 0; at < json.length; at += 1) {
    const unit = charCodeAt(json, at);
    if (quoted) {
      if (unit === BACKSLASH) at += 1;
      else if (unit === QUOTE) quoted = false;
    } else if (unit === QUOTE) quoted = true;
    else if (unit === 91 || unit === 123) {
      depth += 1;
      if (depth > depthMax) return true;
    } else if (unit === 93 || unit === 125) depth -= 1;
  }
  return false;
}
