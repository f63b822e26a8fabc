import type { AskedHttp } from '../contract/input-text.ts';
import type { GuestInput, WireRequest } from '../contract/invocation.ts';
import { isArray, jsonParse, stringIndexOf, stringSlice } from './primordials.ts';

/** A request whose headers nobody has looked at. */
export interface UnreadRequest extends Omit<WireRequest, 'headers'> {
  headersJson: string;
}

/** A GuestInput of which only that is parsed which every plugin needs; see contract/input-text.ts. */
export type Input = { contextJson: string } & (
  | { kind: 'http'; route: string; params: Record<string, string>; request: UnreadRequest }
  | Exclude<GuestInput, { kind: 'http' }>
);

export function readInput(text: string): Input {
  const contextAt = stringIndexOf(text, '\n') + 1;
  const asked = jsonParse(stringSlice(text, 0, contextAt - 1)) as AskedHttp | Input;
  // Literals: an assignment would call a setter that a plugin has planted.
  if (!isArray(asked)) return { ...asked, contextJson: stringSlice(text, contextAt) };
  const headersAt = stringIndexOf(text, '\n', contextAt) + 1;
  const bodyAt = stringIndexOf(text, '\n', headersAt) + 1;
  return {
    kind: 'http',
    route: asked[0],
    params: asked[1],
    contextJson: stringSlice(text, contextAt, headersAt - 1),
    request: {
      method: asked[2],
      url: asked[3],
      headersJson: stringSlice(text, headersAt, bodyAt === 0 ? text.length : bodyAt - 1),
      body: bodyAt === 0 ? asked[4] : stringSlice(text, bodyAt),
      bodyEncoding: asked[5],
      streamed: asked[6],
    },
  };
}
