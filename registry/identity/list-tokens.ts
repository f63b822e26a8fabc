import type { Registry } from '../contract.ts';
import { tokensOf } from './issue-token.ts';
import type { TokenStore } from './token-store.ts';

/** Newest first, at most 1000: an admin sees all, who manages tokens those of the organisation, others their own. */
export const listTokens =
  (ports: { tokens: TokenStore }): Registry['listTokens'] =>
  (actor) =>
    ports.tokens.list(tokensOf(actor));
