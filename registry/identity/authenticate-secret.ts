import type { Registry } from '../contract.ts';
import { isSecret, secretHash } from '../rules/token-secret.ts';
import type { TokenStore } from './token-store.ts';

/**
 * The owner of a secret, or null. A text that cannot be a secret never reaches the database; the search is by hash, so
 * its time says nothing about the secrets that are stored.
 */
export const authenticateSecret =
  (ports: { tokens: TokenStore; nowMs: () => number }): Registry['authenticate'] =>
  async (secret) =>
    isSecret(secret) ? ports.tokens.findOwner(secretHash(secret), new Date(ports.nowMs())) : null;
