import { createPublicKey } from 'node:crypto';
import { asTrusted, type RegistryKeys } from './registry-keys.ts';
import { keyIdOf, type ReleaseStatement, verifyRelease } from './release.ts';
import {
  isInLog,
  isTreeHeadOf,
  type LogProof,
  type ReleaseProof,
  readLogEntry,
  statementDigest,
} from './transparency.ts';

/** One thing that was looked at; `message` says what was found. */
export interface ProofStep {
  step: 'statement' | 'publisher-signature' | 'publisher-key' | 'countersignature' | 'approval' | 'head';
  passed: boolean;
  message: string;
}

/**
 * Checks what proves a release, from the archive's digest to the registry's key, without a network. All steps are looked at, so that
 * one sees everything that is wrong. `found` is what the archive itself says; `registryKeys` the key that is trusted, or those that follow from it. Throws nothing, whatever the proof is.
 */
export function checkReleaseProof(
  found: ReleaseStatement,
  proof: ReleaseProof,
  registryKeys: RegistryKeys,
): ProofStep[] {
  const guarded = (step: ProofStep['step'], look: () => [boolean, string]): ProofStep => {
    try {
      const [passed, message] = look();
      return { step, passed, message };
    } catch {
      return { step, passed: false, message: 'This part of the proof is missing or malformed.' };
    }
  };
  const name = `${found.publisher}/${found.name}@${found.version}`;
  const signer = () => createPublicKey(proof.publisherKey.publicKeyPem);
  return [
    guarded('statement', () => {
      const signed = JSON.parse(Buffer.from(proof.envelope.payload, 'base64').toString('utf8')) as ReleaseStatement;
      const fields = ['publisher', 'name', 'version', 'digest'] as const;
      const other = fields.find((field) => signed[field] !== found[field]);
      return other === undefined
        ? [true, `What was signed is ${name} with exactly these contents.`]
        : [false, `What was signed has the ${other} "${signed[other]}", but the archive has "${found[other]}".`];
    }),
    guarded('publisher-signature', () => {
      const key = signer();
      return verifyRelease(proof.envelope, key) === null
        ? [false, "The key that is said to be the publisher's did not sign this."]
        : [true, `Signed with the key ${keyIdOf(key)}.`];
    }),
    guarded('publisher-key', () => {
      const entry = readLogEntry(proof.publisherKey.proof.entry);
      const isTheirs =
        entry?.event === 'key.register' && entry.publisher === found.publisher && entry.keyId === keyIdOf(signer());
      if (!isTheirs) return [false, `The log entry does not say that ${found.publisher} registered this key.`];
      return placed(proof.publisherKey.proof, proof, `${found.publisher} registered the key on ${entry.at}`);
    }),
    guarded('countersignature', () => {
      // With a key that has retired since it is as good: the log says when it was approved.
      const by = asTrusted(registryKeys).find(({ key }) => verifyRelease(proof.envelope, key) !== null);
      return by === undefined
        ? [false, 'The registry did not countersign this.']
        : [true, `Countersigned by the registry with the key ${by.keyId}.`];
    }),
    guarded('approval', () => {
      const entry = readLogEntry(proof.approval.entry);
      const isIts =
        (entry?.event === 'release.approve' || entry?.event === 'release.import') &&
        entry.release === statementDigest(found);
      if (!isIts) return [false, 'The log entry is not the approval of this release.'];
      const how = entry.event === 'release.import' ? 'Imported from another registry' : 'Approved';
      return placed(proof.approval, proof, `${how} on ${entry.at}`);
    }),
    guarded('head', () =>
      isTreeHeadOf(proof.head, registryKeys)
        ? [true, `The registry signed the head of ${proof.head.size} entries on ${proof.head.signedAt}.`]
        : [false, "The head of the log is not signed with the registry's key."],
    ),
  ];
}

const placed = (part: LogProof, { head }: ReleaseProof, what: string): [boolean, string] =>
  isInLog(part, head)
    ? [true, `${what}; entry ${part.index} of the log.`]
    : [false, `${what}, says an entry that is not in the log of this head.`];
