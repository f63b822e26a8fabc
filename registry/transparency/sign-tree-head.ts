import type { KeyObject } from 'node:crypto';
import {
  frontierRoot,
  isExtensionOf,
  isTreeHeadOf,
  keyOfTime,
  type SignedTreeHead,
  signTreeHead as sign,
} from '../../plugins-sdk/contract/index.ts';
import { RegistryRefusal } from '../errors.ts';
import type { KeyChain } from '../key-chain.ts';
import type { LogReaderStore } from './log-reader-store.ts';
import { consistencyPath } from './prove.ts';

/** A log that does not grow is signed again after this time, so that one that was frozen shows by its age. */
export const HEAD_AGE_MS_MAX = 60 * 60_000;

export interface HeadPorts {
  store: LogReaderStore;
  signingKey: KeyObject;
  keyChain: Pick<KeyChain, 'keys' | 'signingTimeMs'>;
  nowMs: () => number;
  /** The newest head that this machine signed, kept outside of the database; null for none. */
  keptHead(): Promise<SignedTreeHead | null>;
  keepHead(head: SignedTreeHead): Promise<void>;
}

/**
 * The newest head, signed now where there is none that is good. Only a tree that extends what was signed before is signed: whoever
 * rewrites the database does not get a signature over it. Refuses with: log-inconsistent, signing-key-retired.
 */
export const signTreeHead = (ports: HeadPorts) => async (): Promise<SignedTreeHead> => {
  const { store, signingKey, nowMs } = ports;
  const registryKeys = await ports.keyChain.keys();
  // The tree last: it only grows, so it is no smaller than what somebody signed in between.
  const [kept, last, tree] = [await ports.keptHead(), await store.lastHead(), await store.tree()];
  if (tree === null) throw new RegistryRefusal('log-inconsistent');
  const isNew = last === null || last.size < tree.size || nowMs() - Date.parse(last.signedAt) > HEAD_AGE_MS_MAX;
  // Auditors ask whether its key signs now: one that has retired since raises an alarm.
  const signsNow = last !== null && keyOfTime(registryKeys, last.keyId, new Date(nowMs()).toISOString()) !== null;
  if (!isNew && signsNow && isTreeHeadOf(last, registryKeys)) return last;
  // Nobody would believe it; whoever has the successor signs.
  const atMs = await ports.keyChain.signingTimeMs(nowMs());
  if (atMs === null) throw new RegistryRefusal('signing-key-retired');
  const present = { size: tree.size, root: frontierRoot(tree).toString('hex') };
  // A head that was signed a moment too early or too late is ours all the same: it must not end the log.
  const ofAnyTime = registryKeys.map((key) => ({ ...key, fromMs: -Infinity, untilMs: Infinity }));
  for (const before of [last, kept]) {
    if (before === null) continue;
    const isOurs = isTreeHeadOf(before, ofAnyTime) && before.size <= present.size;
    if (!isOurs || !isExtensionOf(before, present, await consistencyPath(store, before.size, present.size))) {
      throw new RegistryRefusal('log-inconsistent', undefined, { signed: before.size, stored: present.size });
    }
  }
  const head = sign({ ...present, signedAt: new Date(atMs).toISOString() }, signingKey);
  await store.addHead(head);
  await ports.keepHead(head);
  return head;
};
