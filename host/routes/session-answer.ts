import { type Static, Type } from 'typebox';
import type { SessionTokens } from '../../registry/index.ts';
import { type SessionCookies, sessionCookies } from '../http/cookies.ts';
import { type Answer, answer } from '../http/route.ts';
import { Id, nullable, oneOf, Timestamp } from './fields.ts';

/** How a client keeps its tokens: a browser in cookies that no script can read, a program itself. */
export const TokenPlace = oneOf(['body', 'cookies'], 'Where the tokens go: `cookies` for browsers.');

export const SessionGrant = Type.Object(
  {
    sessionId: Id,
    accessToken: nullable(Type.String({ description: 'For `Authorization: Bearer`; null where it is in a cookie.' })),
    accessExpiresAt: Timestamp,
    refreshToken: nullable(Type.String({ description: 'For one refresh; null where it is in a cookie.' })),
    refreshExpiresAt: Timestamp,
  },
  { title: 'SessionGrant' },
);

/** The tokens of a session, in the body or in cookies and never in both. `status` 201 where the session is new. */
export function sessionAnswer(
  tokens: SessionTokens,
  { as, origin, status, nowMs }: { as: 'body' | 'cookies'; origin: string; status: 200 | 201; nowMs: number },
): Answer {
  if (as === 'body') return answer(tokens, { status });
  const { access, refresh, set } = sessionCookies(origin);
  const secondsTo = (at: string) => Math.max(1, Math.floor((Date.parse(at) - nowMs) / 1_000));
  const shown: Static<typeof SessionGrant> = { ...tokens, accessToken: null, refreshToken: null };
  return answer(shown, {
    status,
    headers: {
      'Set-Cookie': [
        set(access, tokens.accessToken, secondsTo(tokens.accessExpiresAt)),
        set(refresh, tokens.refreshToken, secondsTo(tokens.refreshExpiresAt)),
      ],
    },
  });
}

/** Set-Cookie values that remove what `sessionAnswer` set. */
export const withoutCookies = ({ access, refresh, set }: SessionCookies): string[] => [
  set(access, '', 0),
  set(refresh, '', 0),
];
