import { arrayJoin, arrayPush, stringIncludes, stringIndexOf, stringSlice } from './primordials.ts';

const STACK_UNITS_MAX = 8_000;
const FRAMES_MAX = 30;

/** The name that build-guest.ts gives to this script, so that its own frames can be left out. */
declare const GUEST_SCRIPT: string;

/** The stack frames of an error inside the bundle, one per line and capped. Never throws. */
export function framesOf(error: unknown): string {
  try {
    const stack = (error as Error).stack;
    return typeof stack === 'string' ? framesIn(stringSlice(stack, 0, STACK_UNITS_MAX * 4)) : '';
  } catch {
    return '';
  }
}

function framesIn(stack: string): string {
  const lines: string[] = [];
  let at = stringIndexOf(stack, '\n    at ');
  while (at >= 0 && lines.length < FRAMES_MAX) {
    const end = stringIndexOf(stack, '\n', at + 1);
    const line = stringSlice(stack, at + 1, end < 0 ? stack.length : end);
    if (!isOwn(line)) arrayPush(lines, line);
    at = end < 0 ? -1 : stringIndexOf(stack, '\n    at ', end);
  }
  return stringSlice(arrayJoin(lines, '\n'), 0, STACK_UNITS_MAX);
}

/** Where the stack ended while a part was compiled, its top is the `eval` that no plugin has. */
const isOwn = (line: string): boolean =>
  stringIncludes(line, `${GUEST_SCRIPT}:`) || stringIncludes(line, 'at eval (<anonymous>)');
