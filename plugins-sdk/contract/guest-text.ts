/**
 * The guest runtime is one text in two pieces: the core, a script that every isolate compiles, and the texts of its parts, which an isolate
 * compiles when it first needs one. Engines copy the text of a script into each isolate, but can let all of them read one string.
 */
const BETWEEN = '\n//# gatehouse:parts\n';

/** The global that holds the texts of the parts while the core is run, which takes it away. */
export const PARTS_GLOBAL = '__gatehouse_parts';

export interface GuestText {
  core: string;
  /** '' where there are none. */
  parts: string;
}

export const joinGuest = ({ core, parts }: GuestText): string => core + BETWEEN + parts;

/** The pieces of what `joinGuest` made; any other script is a core without parts. */
export function splitGuest(guest: string): GuestText {
  const at = guest.indexOf(BETWEEN);
  if (at < 0) return { core: guest, parts: '' };
  return { core: guest.slice(0, at), parts: guest.slice(at + BETWEEN.length) };
}
