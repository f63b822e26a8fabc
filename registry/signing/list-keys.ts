import type { Registry } from '../contract.ts';
import type { KeyStore } from './key-store.ts';

/** The actor's own keys, oldest first, with the revoked ones. */
export const listKeys =
  (ports: { keys: KeyStore }): Registry['listKeys'] =>
  (actor) =>
    ports.keys.list(actor.organisation.id);
