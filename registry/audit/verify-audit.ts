import type { RegistryKeys } from '../../plugins-sdk/contract/index.ts';
import { FIRST_HASH, linkHash } from '../rules/audit-entry.ts';
import type { AuditHead, AuditReaderStore, StoredLink } from './audit-reader-store.ts';
import { isSignedBy } from './sign-head.ts';

export interface AuditFault {
  /** Where; for what was removed, the first sequence that is missing. */
  sequence: bigint;
  kind: 'removed' | 'edited' | 'inserted' | 'head-mismatch' | 'head-forged' | 'tail-removed';
  /** One sentence for the person who runs Gatehouse. */
  message: string;
}

export interface AuditReport {
  entries: number;
  /** Signed ones that were checked. */
  heads: number;
  /** Entries after the last signed head: chained, but not signed yet. */
  unsigned: number;
  faults: AuditFault[];
}

const BATCH = 1_000;
const FAULTS_MAX = 100;

/**
 * Reads the whole chain and names everything that is not as it was written. `keptHead` is one that was kept outside of the database;
 * it finds a tail that was removed together with its signed heads. Give a store on one snapshot.
 */
export const verifyAudit =
  (ports: { store: AuditReaderStore; registryKeys: RegistryKeys }) =>
  async (keptHead: AuditHead | null = null): Promise<AuditReport> => {
    const { store, registryKeys } = ports;
    const faults: AuditFault[] = [];
    const found = (fault: AuditFault) => void (faults.length < FAULTS_MAX && faults.push(fault));
    const heads = headReader(store);
    let [entries, checkedHeads, last, lastSigned] = [0, 0, 0n, 0n];
    // The hash before the next link; null where that link is gone.
    let before: Buffer | null = FIRST_HASH;
    for (;;) {
      const links = await store.links(last, BATCH);
      if (links.length === 0) break;
      for (const link of links) {
        if (link.sequence !== last + 1n) {
          found(removed(last + 1n, link.sequence - 1n));
          before = null;
        }
        for (const fault of faultsOf(link, before)) found(fault);
        const head = await heads.at(link.sequence);
        if (head !== null) {
          checkedHeads += 1;
          const fault = headFault(head, link.hash, registryKeys, lastSigned);
          if (fault) found(fault);
          else lastSigned = head.sequence;
        }
        if (keptHead?.sequence === link.sequence) {
          const fault = headFault(keptHead, link.hash, registryKeys, lastSigned);
          if (fault) found(fault);
        }
        [before, last, entries] = [link.hash, link.sequence, entries + 1];
      }
    }
    for (const fault of await tailFaults(store, keptHead, last, before)) found(fault);
    return { entries, heads: checkedHeads, unsigned: Number(last - lastSigned), faults };
  };

const removed = (from: bigint, to: bigint): AuditFault => ({
  sequence: from,
  kind: 'removed',
  message: from === to ? `Entry ${from} was removed.` : `Entries ${from} to ${to} were removed.`,
});

function faultsOf({ sequence, entryId, hash, entry }: StoredLink, before: Buffer | null): AuditFault[] {
  if (entry === null) {
    return [
      { sequence, kind: 'removed', message: `Entry ${sequence} (${entryId}) was removed; its link is still there.` },
    ];
  }
  const edited = (what: string): AuditFault => ({
    sequence,
    kind: 'edited',
    message: `Entry ${sequence} (${entryId}): ${what}`,
  });
  if (before !== null && !linkHash(before, sequence, entry.content).equals(hash)) {
    return [edited('was edited, exchanged or moved: its contents do not fit the chain.')];
  }
  const { id, at, organisationId, action } = JSON.parse(entry.content) as Record<string, unknown>;
  const said = [id, at, organisationId, action];
  const shown = [entry.id, entry.at.toISOString(), entry.organisationId, entry.action];
  return said.every((each, index) => each === shown[index])
    ? []
    : [edited('its columns for searching were edited and do not say what it says.')];
}

function headFault(head: AuditHead, hash: Buffer, registryKeys: RegistryKeys, lastGood: bigint): AuditFault | null {
  const { sequence } = head;
  if (!isSignedBy(head, registryKeys)) {
    return {
      sequence,
      kind: 'head-forged',
      message: `The signature of the head at ${sequence} is not this registry's.`,
    };
  }
  if (head.hash.equals(hash)) return null;
  const range = `between ${lastGood + 1n} and ${sequence}`;
  return {
    sequence,
    kind: 'head-mismatch',
    message: `The chain is not the one that was signed at ${sequence}: something ${range} was rewritten, with all hashes after it.`,
  };
}

/** What is missing at the end, by the signed heads, by the head that was kept elsewhere and by the row of the chain; what is in no link. */
async function tailFaults(store: AuditReaderStore, keptHead: AuditHead | null, last: bigint, hash: Buffer | null) {
  const faults: AuditFault[] = [];
  const [tail, head, unlinked] = [await store.tail(), await store.lastHead(), await store.unlinked(10)];
  const known = [tail?.sequence ?? 0n, head?.sequence ?? 0n, keptHead?.sequence ?? 0n];
  const end = known.reduce((most, each) => (each > most ? each : most));
  if (end > last) {
    const message = `Entries ${last + 1n} to ${end} were removed from the end of the chain.`;
    faults.push({ sequence: last + 1n, kind: 'tail-removed', message });
  } else if (tail === null || tail.sequence !== last || (hash !== null && !tail.hash.equals(hash))) {
    const message = `The row that holds the end of the chain does not name entry ${last}.`;
    faults.push({ sequence: last, kind: 'edited', message });
  }
  for (const id of unlinked) {
    faults.push({
      sequence: last,
      kind: 'inserted',
      message: `Entry ${id} is in no link: it was put in past the chain.`,
    });
  }
  return faults;
}

/** Heads in the order in which links come. */
function headReader(store: AuditReaderStore) {
  let queue: AuditHead[] = [];
  let after = 0n;
  let ended = false;
  return {
    async at(sequence: bigint): Promise<AuditHead | null> {
      for (;;) {
        while (queue.length > 0 && queue[0]!.sequence < sequence) queue.shift();
        if (queue.length > 0 || ended) return queue[0]?.sequence === sequence ? queue.shift()! : null;
        queue = await store.heads(after, BATCH);
        after = queue.at(-1)?.sequence ?? after;
        ended = queue.length < BATCH;
      }
    },
  };
}
