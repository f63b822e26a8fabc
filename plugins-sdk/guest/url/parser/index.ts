import { percentEncode, USERINFO } from '../percent.ts';

export { OVERRIDES, parsePart, parseUrl } from './parse.ts';

/** A user or a password as it is written in a URL. */
export const encodeUser = (text: string): string => percentEncode(text, USERINFO);
