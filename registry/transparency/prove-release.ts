import {
  isInLog,
  isTreeHeadOf,
  type ReleaseProof,
  type ReleaseStatement,
  type SignedTreeHead,
  statementDigest,
} from '../../plugins-sdk/contract/index.ts';
import { RegistryRefusal } from '../errors.ts';
import type { KeyChain } from '../key-chain.ts';
import { isRunnable } from '../rules/runnable-release.ts';
import type { LogReaderStore } from './log-reader-store.ts';
import { inclusionProof } from './prove.ts';

export interface ProveReleasePorts {
  store: LogReaderStore;
  head(): Promise<SignedTreeHead>;
  keyChain: KeyChain;
}

const DIGEST = /^[0-9a-f]{64}$/;
/** Releases that need not be looked up again. */
const REMEMBERED_MAX = 10_000;

/** A release comes in by a moderator, or with the approval of another registry. */
export const APPROVALS = ['release.approve', 'release.import'] as const;

async function findApproval(store: Pick<LogReaderStore, 'findRelease'>, release: string): Promise<number | null> {
  for (const event of APPROVALS) {
    const index = await store.findRelease(event, release);
    if (index !== null) return index;
  }
  return null;
}

/** Everything that `gate verify` wants. Releases that nobody approved, and those that were taken down, are as unknown as those that do not exist. Refuses with: release-unknown, release-not-logged, log-inconsistent. */
export const proveRelease =
  ({ store, head, keyChain }: ProveReleasePorts) =>
  async (digest: string, { evenStopped = false } = {}): Promise<ReleaseProof> => {
    const release = DIGEST.test(digest) ? await store.releaseOf(digest) : null;
    const unknown = () => new RegistryRefusal('release-unknown', undefined, { digest });
    if (release === null || !(evenStopped || isRunnable(release))) throw unknown();
    const approvedAt = await findApproval(store, statementDigest(release));
    if (approvedAt === null) throw unknown();
    const { envelope } = release;
    const keyId = envelope.signatures[0]!.keyid;
    const [publicKeyPem, registeredAt] = [await store.publicKeyOf(keyId), await store.findKey(keyId)];
    if (publicKeyPem === null || registeredAt === null) throw new RegistryRefusal('release-not-logged');
    const newest = await head();
    return {
      version: 1,
      envelope,
      publisherKey: { publicKeyPem, proof: await inclusionProof(store, registeredAt, newest.size) },
      approval: await inclusionProof(store, approvedAt, newest.size),
      head: newest,
      keys: await keyChain.links(),
    };
  };

/** Refuses with: release-not-logged, log-inconsistent. */
export function requireLogged({ store, head, keyChain }: ProveReleasePorts) {
  /** What was in the log once stays in it. */
  const verified = new Set<string>();
  return async (statement: ReleaseStatement): Promise<void> => {
    const release = statementDigest(statement);
    if (verified.has(release)) return;
    const refuse = (): never => {
      const { publisher, name, version } = statement;
      throw new RegistryRefusal('release-not-logged', undefined, { plugin: `${publisher}/${name}`, version });
    };
    const index = await findApproval(store, release);
    if (index === null) return refuse();
    const newest = await head();
    const proof = await inclusionProof(store, index, newest.size);
    const said = JSON.parse(proof.entry) as { event?: string; release?: string };
    const fits = APPROVALS.some((event) => event === said.event) && said.release === release;
    if (!fits || !isTreeHeadOf(newest, await keyChain.keys()) || !isInLog(proof, newest)) refuse();
    if (verified.size >= REMEMBERED_MAX) verified.clear();
    verified.add(release);
  };
}
