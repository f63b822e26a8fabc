import type { Registry } from '../contract.ts';
import { actsForAll } from './issue-token.ts';
import type { TokenStore } from './token-store.ts';

/** Newest first, at most 1000: an admin sees all, others their own organisation's. */
export const listTokens =
  (ports: { tokens: TokenStore }): Registry['listTokens'] =>
  (actor) =>
    ports.tokens.list(actsForAll(actor) ? null : actor.organisation.id);
