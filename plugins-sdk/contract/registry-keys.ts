import { createPublicKey, type KeyObject, sign, verify } from 'node:crypto';
import { keyIdOf } from './release.ts';

/**
 * That a registry goes on under another key, said by both: the old one names its successor, so whoever trusts the old one may follow; the
 * new one names its predecessor, so whoever trusts the new one knows what may stay.
 */
export interface KeyLink {
  version: 1;
  /** Ed25519, SPKI in PEM form. */
  from: string;
  to: string;
  /** ISO 8601: from then on the new one signs. */
  at: string;
  /** ISO 8601: until then the old one may sign beside it. */
  retiresAt: string;
  /** Ed25519, base64. */
  signatures: { from: string; to: string };
}

/** A key of a registry, with the time in which it signs: milliseconds since 1970, the end excluded. */
export interface TrustedKey {
  keyId: string;
  key: KeyObject;
  fromMs: number;
  untilMs: number;
}

const linkText = (from: KeyObject, to: KeyObject, { at, retiresAt }: Pick<KeyLink, 'at' | 'retiresAt'>): Buffer =>
  Buffer.from(`gatehouse registry key\n${keyIdOf(from)}\n${keyIdOf(to)}\n${at}\n${retiresAt}\n`);

const pemOf = (key: KeyObject): string => key.export({ type: 'spki', format: 'pem' }) as string;

/** Both are private keys. */
export function signKeyLink(from: KeyObject, to: KeyObject, times: Pick<KeyLink, 'at' | 'retiresAt'>): KeyLink {
  const [fromPublic, toPublic] = [createPublicKey(from as never), createPublicKey(to as never)];
  const text = linkText(fromPublic, toPublic, times);
  const signedBy = (key: KeyObject) => sign(null, text, key).toString('base64');
  return {
    version: 1,
    from: pemOf(fromPublic),
    to: pemOf(toPublic),
    at: times.at,
    retiresAt: times.retiresAt,
    signatures: { from: signedBy(from), to: signedBy(to) },
  };
}

interface ReadLink {
  from: KeyObject;
  to: KeyObject;
  fromId: string;
  toId: string;
  atMs: number;
  retiresMs: number;
}

/** More rotations than a registry sees in a century. */
const LINKS_MAX = 1_000;

/** Null where anything is malformed, or one of the two did not sign. */
function readLink(link: KeyLink): ReadLink | null {
  try {
    const [from, to] = [createPublicKey(link.from), createPublicKey(link.to)];
    const [atMs, retiresMs] = [Date.parse(link.at), Date.parse(link.retiresAt)];
    const text = linkText(from, to, link);
    const fits =
      link.version === 1 &&
      from.asymmetricKeyType === 'ed25519' &&
      to.asymmetricKeyType === 'ed25519' &&
      atMs <= retiresMs &&
      verify(null, text, from, Buffer.from(link.signatures.from, 'base64')) &&
      verify(null, text, to, Buffer.from(link.signatures.to, 'base64'));
    return fits ? { from, to, fromId: keyIdOf(from), toId: keyIdOf(to), atMs, retiresMs } : null;
  } catch {
    return null;
  }
}

/**
 * Every key of a registry that follows from the one that is trusted, oldest first: its predecessors and its successors. Links that are not
 * signed by both sides, lead elsewhere or fork count for nothing. With no links it is that one key, for all time.
 */
export function trustedKeys(trusted: KeyObject, links: readonly KeyLink[] = []): TrustedKey[] {
  const read = Array.isArray(links) ? links.slice(0, LINKS_MAX).flatMap((link) => readLink(link) ?? []) : [];
  const one = <Of>(found: Of[]): Of | null => (found.length === 1 ? found[0]! : null);
  const id = keyIdOf(trusted);
  const chain: TrustedKey[] = [{ keyId: id, key: trusted, fromMs: -Infinity, untilMs: Infinity }];
  const known = (keyId: string) => chain.some((each) => each.keyId === keyId);
  for (let last = chain[0]!; ; ) {
    const link = one(read.filter(({ fromId }) => fromId === last.keyId));
    if (link === null || known(link.toId)) break;
    last.untilMs = link.retiresMs;
    last = { keyId: link.toId, key: link.to, fromMs: link.atMs, untilMs: Infinity };
    chain.push(last);
  }
  for (let first = chain[0]!; ; ) {
    const link = one(read.filter(({ toId }) => toId === first.keyId));
    if (link === null || known(link.fromId)) break;
    first.fromMs = link.atMs;
    first = { keyId: link.fromId, key: link.from, fromMs: -Infinity, untilMs: link.retiresMs };
    chain.unshift(first);
  }
  return chain;
}

/** One key for all time, or those that follow from it. */
export type RegistryKeys = KeyObject | readonly TrustedKey[];

export const asTrusted = (keys: RegistryKeys): readonly TrustedKey[] =>
  Array.isArray(keys) ? (keys as readonly TrustedKey[]) : trustedKeys(keys as KeyObject);

/** Whether one of these keys with this id was good at a time, in ISO 8601. */
export const keyOfTime = (keys: RegistryKeys, keyId: string, at: string): KeyObject | null => {
  const atMs = Date.parse(at);
  const found = asTrusted(keys).find((each) => each.keyId === keyId && each.fromMs <= atMs && atMs < each.untilMs);
  return found?.key ?? null;
};
