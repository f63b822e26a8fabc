import { createHmac, hkdfSync, randomBytes } from 'node:crypto';
import type { PersonVault } from '../../registry/index.ts';
import { createEnvelope, type Envelope } from './envelope.ts';

const INDEX_CONTEXT = 'gatehouse blind index';
const personKeyPlace = (accountId: string) => ({ table: 'accounts', row: accountId, column: 'person_key' });

/**
 * What says who somebody is, sealed under a key of that person, which is itself sealed by the host: without its row the key is gone,
 * and what it sealed, wherever it was copied to. `indexSecret` must never change: it finds what is sealed.
 */
export function createPersonVault(envelope: Envelope, indexSecret: Buffer): PersonVault {
  const indexKey = Buffer.from(hkdfSync('sha256', indexSecret, '', INDEX_CONTEXT, 32));
  const envelopeOf = ({ id, personKey }: { id: string; personKey: Buffer }) =>
    createEnvelope(new Map([[1, Buffer.from(envelope.open(personKeyPlace(id), personKey), 'base64')]]));
  return {
    newKey: (accountId) => envelope.seal(personKeyPlace(accountId), randomBytes(32).toString('base64')),
    seal: (person, place, text) => envelopeOf(person).seal(place, text),
    open: (person, place, sealed) => envelopeOf(person).open(place, sealed),
    index: (text) => createHmac('sha256', indexKey).update(text, 'utf8').digest(),
  };
}
