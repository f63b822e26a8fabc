import type {
  KeyLink,
  LogProof,
  ReleaseProof,
  ReleaseStatement,
  SignedTreeHead,
} from '../../plugins-sdk/contract/index.ts';
import type { Page } from '../contract.ts';

/** One entry of the log. */
export interface LogItem {
  index: number;
  /** Canonical JSON, exactly what the leaf is over. */
  entry: string;
}

/** The log that everybody may check. Every refusal is a RegistryRefusal. */
export interface Transparency {
  /** What heads are signed with here. */
  publicKey: { keyId: string; publicKeyPem: string };
  /** How the registry came to it from the keys before, oldest first. */
  keyLinks(): Promise<KeyLink[]>;
  /** The newest; signed now where the log grew, or an hour went by. Refuses with: log-inconsistent, signing-key-retired. */
  head(): Promise<SignedTreeHead>;
  /** In order, from the first or from `from`; a page has up to 1,000. Refuses with: cursor-invalid. */
  entries(page: { from?: number; cursor?: string; limit?: number }): Promise<Page<LogItem>>;
  /** That an entry is in the tree of `size`; default: of the newest head, which comes along. Refuses with: log-entry-unknown, log-inconsistent. */
  inclusion(wish: { index: number; size?: number }): Promise<LogProof & { size: number; head: SignedTreeHead | null }>;
  /** That the tree of `from` entries is the beginning of that of `to`; default: of the newest head. Refuses with: log-entry-unknown, log-inconsistent. */
  consistency(wish: { from: number; to?: number }): Promise<{ from: number; to: number; path: string[] }>;
  /** By the digest of its archive. Refuses with: release-unknown, release-not-logged, log-inconsistent. */
  proveRelease(digest: string): Promise<ReleaseProof>;
  /** The same, of one that was taken down as well: whoever has it elsewhere has to hear of that. */
  proveStored(digest: string): Promise<ReleaseProof>;
  /**
   * Verifies that the release was approved in public, once for each. Refuses with: release-not-logged, log-inconsistent.
   */
  requireLogged(release: ReleaseStatement): Promise<void>;
  /** Reads the whole log as it is stored, on one snapshot. `kept` is a head that was kept outside of the database. */
  verify(kept: SignedTreeHead | null): Promise<LogReport>;
}

export interface LogFault {
  /** Where; for what was removed, the first that is missing. */
  index: number;
  kind:
    | 'removed'
    | 'edited'
    | 'inserted'
    | 'node-edited'
    | 'head-forged'
    | 'head-mismatch'
    | 'tail-removed'
    | 'unlogged';
  /** One sentence for the person who runs Gatehouse. */
  message: string;
}

export interface LogReport {
  entries: number;
  /** Signed ones that were checked. */
  heads: number;
  faults: LogFault[];
}
