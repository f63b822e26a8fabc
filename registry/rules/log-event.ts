import {
  LOG_ENTRY_VERSION,
  type ReleaseStatement,
  sha256Hex,
  statementDigest,
} from '../../plugins-sdk/contract/index.ts';
import { canonicalJson } from './audit-entry.ts';

/**
 * Something that the transparency log tells everybody, for ever. Releases that are not public yet, and what operators allowed whom,
 * appear as digests: whoever holds the thing recognises it, nobody else learns anything.
 */
export type LogEvent =
  /** Not public yet: publisher, key and a digest. */
  | { event: 'release.publish'; release: ReleaseStatement; keyId: string }
  | { event: 'release.reject'; release: ReleaseStatement }
  /** Public: by name. */
  | { event: PublicReleaseEvent; release: ReleaseStatement }
  /** `publisher` is a slug. */
  | { event: 'key.register'; publisher: string; keyId: string }
  | { event: 'key.rotate'; publisher: string; keyId: string; successorId: string }
  /** `compromisedSince`: ISO 8601; what was signed from then on is blocked. */
  | { event: 'key.revoke'; publisher: string; keyId: string; compromisedSince?: string }
  /** The registry's own; `retiresAt`: ISO 8601. */
  | { event: 'registry-key.rotate'; keyId: string; successorId: string; retiresAt: string }
  | { event: 'grant.change'; grant: LoggedGrant };

export type PublicReleaseEvent =
  | 'release.approve'
  /** From another registry, which approved it. */
  | 'release.import'
  | 'release.yank'
  | 'release.unyank'
  | 'release.deprecate'
  | 'release.undeprecate'
  | 'release.takedown'
  | 'release.restore';

/** What an installation may do from now on. Its ids are known to its operator and to its publisher alone. */
export interface LoggedGrant {
  installationId: string;
  operatorId: string;
  releaseId: string;
  /** All of them, in any order; none where it was uninstalled. */
  capabilities: readonly string[];
}

/** Adds to the log, in the transaction of what the event is about. */
export type LogInTransaction = (event: LogEvent) => Promise<void>;

/** What is signed and logged of a release, from what is shown of it. */
export function statementOf({
  plugin,
  version,
  digest,
}: {
  plugin: string;
  version: string;
  digest: string;
}): ReleaseStatement {
  const [publisher = '', name = ''] = plugin.split('/');
  return { publisher, name, version, digest };
}

/** SHA-256 of the canonical JSON of a grant. */
export const grantDigest = ({ installationId, operatorId, releaseId, capabilities }: LoggedGrant): string =>
  sha256Hex(canonicalJson({ installationId, operatorId, releaseId, capabilities: [...capabilities].sort() }));

/** The canonical JSON of an entry: exactly what the leaf is over. */
export function logEntryText(logged: LogEvent, atMs: number): string {
  const entry = { v: LOG_ENTRY_VERSION, at: new Date(atMs).toISOString(), event: logged.event };
  switch (logged.event) {
    case 'release.publish': {
      const { release, keyId } = logged;
      return canonicalJson({ ...entry, publisher: release.publisher, keyId, release: statementDigest(release) });
    }
    case 'release.reject': {
      const { release } = logged;
      return canonicalJson({ ...entry, publisher: release.publisher, release: statementDigest(release) });
    }
    case 'key.register':
    case 'key.rotate':
    case 'registry-key.rotate':
    case 'key.revoke': {
      const { event: _, ...key } = logged;
      return canonicalJson({ ...entry, ...key });
    }
    case 'grant.change':
      return canonicalJson({ ...entry, grant: grantDigest(logged.grant) });
    default: {
      const { publisher, name, version, digest } = logged.release;
      const plugin = `${publisher}/${name}`;
      return canonicalJson({ ...entry, plugin, version, digest, release: statementDigest(logged.release) });
    }
  }
}
