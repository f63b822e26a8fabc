import { type TSchema, Type } from 'typebox';
import type { Capability } from './contract.ts';
import { REFUSALS } from './refusals.ts';
import { FETCH_BODY_UNITS_MAX, FETCH_HEADER_UNITS_MAX, FETCH_HEADERS_MAX, FETCH_URL_UNITS_MAX } from './sizes.ts';

const strict = (properties: Record<string, TSchema>) => Type.Object(properties, { additionalProperties: false });

/** The global `fetch`, as one call for a request and its whole answer. */
export const fetch = {
  purpose: 'Send requests over the internet to the hosts that it names, and to no others.',
  calls: {
    'fetch.send': strict({
      url: Type.String({ minLength: 1, maxLength: FETCH_URL_UNITS_MAX }),
      method: Type.String({ pattern: "^(?!(?:CONNECT|TRACE|TRACK)$)[!#$%&'*+.^_`|~0-9A-Za-z-]{1,32}$" }),
      headers: Type.Array(
        Type.Tuple([Type.String({ maxLength: 128 }), Type.String({ maxLength: FETCH_HEADER_UNITS_MAX })]),
        { maxItems: FETCH_HEADERS_MAX },
      ),
      body: Type.Union([Type.String({ maxLength: FETCH_BODY_UNITS_MAX }), Type.Null()]),
      bodyEncoding: Type.Union([Type.Literal('utf8'), Type.Literal('base64')]),
      redirect: Type.Union([Type.Literal('follow'), Type.Literal('manual'), Type.Literal('error')]),
    }),
  },
  refusals: REFUSALS.fetch,
} as const satisfies Capability;
