import { createHash, createHmac } from 'node:crypto';

const RANDOM_BYTES = 32;
const PREFIX = 'ghr_';
const REFRESH_TOKEN = /^ghr_[A-Za-z0-9_-]{43}$/;

export const isRefreshToken = (text: string): boolean => REFRESH_TOKEN.test(text);

export const refreshTokenHash = (token: string): Buffer => createHash('sha256').update(token, 'latin1').digest();

export const firstRefreshToken = (randomBytes: (count: number) => Buffer): string =>
  PREFIX + randomBytes(RANDOM_BYTES).toString('base64url');

/**
 * The one successor of a token. Made from it and from a key of the host, so that whoever asks twice gets the same one although
 * none is stored, and that nobody makes it from a token that was found.
 */
export const successorOf = (token: string, sessionId: string, key: Buffer): string =>
  PREFIX +
  createHmac('sha256', key)
    .update(JSON.stringify(['refresh', sessionId, token]))
    .digest('base64url');
