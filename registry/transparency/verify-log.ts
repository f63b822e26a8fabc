import {
  appendLeaf,
  emptyFrontier,
  type Frontier,
  frontierRoot,
  isTreeHeadOf,
  leafHash,
  type RegistryKeys,
  type SignedTreeHead,
} from '../../plugins-sdk/contract/index.ts';
import type { LogFault, LogReport } from './contract.ts';
import type { LogReaderStore, StoredLeaf } from './log-reader-store.ts';

const BATCH = 1_000;
const FAULTS_MAX = 100;

/**
 * Hashes the whole log again and names everything that is not as it was written: entries, leaves, inner nodes, the edge, signed heads.
 * Also names releases that run without having been approved in public. `kept` was kept outside of the database; it finds a log that was rewritten together with its heads. Give a store on one snapshot.
 */
export const verifyLog =
  ({ store, registryKeys }: { store: LogReaderStore; registryKeys: RegistryKeys }) =>
  async (kept: SignedTreeHead | null): Promise<LogReport> => {
    const faults: LogFault[] = [];
    const found = (fault: LogFault) => void (faults.length < FAULTS_MAX && faults.push(fault));
    const frontier = emptyFrontier();
    const heads = await allHeads(store);
    const signed = kept === null ? heads : [...heads, kept];
    const bySize = Map.groupBy(signed, ({ size }) => size);
    const checkHeads = () => {
      for (const head of bySize.get(frontier.size) ?? []) {
        const fault = headFault(head, frontier, registryKeys);
        if (fault) found(fault);
      }
    };
    checkHeads();
    for (;;) {
      const leaves = await store.leaves(frontier.size, BATCH);
      const nodes: { level: number; position: number; hash: Buffer }[] = [];
      for (const leaf of leaves) {
        if (leaf.index !== frontier.size) {
          found(removed(frontier.size, leaf.index - 1));
          return { entries: frontier.size, heads: heads.length, faults };
        }
        const fault = leafFault(leaf);
        if (fault) found(fault);
        appendLeaf(frontier, leaf.content === null ? leaf.hash : leafHash(leaf.content), (level, position, hash) =>
          nodes.push({ level, position, hash }),
        );
        checkHeads();
      }
      const stored = await store.hashes(nodes);
      for (const [at, { level, position, hash }] of nodes.entries()) {
        if (!stored[at]?.equals(hash)) found(nodeFault(level, position));
      }
      if (leaves.length < BATCH) break;
    }
    for (const fault of await edgeFaults(store, frontier, signed)) found(fault);
    return { entries: frontier.size, heads: heads.length, faults };
  };

async function allHeads(store: LogReaderStore): Promise<SignedTreeHead[]> {
  const heads: SignedTreeHead[] = [];
  for (;;) {
    const some = await store.heads(heads.at(-1) ?? null, BATCH);
    heads.push(...some);
    if (some.length < BATCH) return heads;
  }
}

const removed = (from: number, to: number): LogFault => ({
  index: from,
  kind: 'removed',
  message: from === to ? `Entry ${from} was removed.` : `Entries ${from} to ${to} were removed.`,
});

function leafFault({ index, hash, content }: StoredLeaf): LogFault | null {
  if (content === null) return { ...removed(index, index), message: `Entry ${index} was removed; its leaf is there.` };
  if (leafHash(content).equals(hash)) return null;
  return { index, kind: 'edited', message: `Entry ${index} was edited or exchanged: it does not fit its leaf.` };
}

const nodeFault = (level: number, position: number): LogFault => ({
  index: position * 2 ** level,
  kind: 'node-edited',
  message: `The stored hash over entries ${position * 2 ** level} to ${(position + 1) * 2 ** level - 1} is wrong or missing.`,
});

function headFault(head: SignedTreeHead, frontier: Frontier, registryKeys: RegistryKeys): LogFault | null {
  const { size, root, signedAt } = head;
  if (!isTreeHeadOf(head, registryKeys)) {
    const message = `The signature of the head of ${size} entries of ${signedAt} is not this registry's.`;
    return { index: size, kind: 'head-forged', message };
  }
  if (frontierRoot(frontier).toString('hex') === root) return null;
  const message = `The first ${size} entries are not those that were signed at ${signedAt}: something in them was rewritten.`;
  return { index: size, kind: 'head-mismatch', message };
}

async function edgeFaults(store: LogReaderStore, frontier: Frontier, heads: SignedTreeHead[]): Promise<LogFault[]> {
  const faults: LogFault[] = [];
  const [tree, unplaced] = [await store.tree(), await store.unplaced(10)];
  const { size } = frontier;
  const end = Math.max(tree?.size ?? 0, ...heads.map((head) => head.size));
  if (end > size) {
    const message = `Entries ${size} to ${end - 1} were removed from the end of the log.`;
    faults.push({ index: size, kind: 'tail-removed', message });
  } else if (tree?.size !== size || !frontierRoot(tree).equals(frontierRoot(frontier))) {
    faults.push({ index: size, kind: 'node-edited', message: 'The row that holds the edge of the tree is wrong.' });
  }
  for (const id of unplaced) {
    const message = `Entry ${id} has no place in the tree: it was put in past it.`;
    faults.push({ index: size, kind: 'inserted', message });
  }
  for (const release of await store.unlogged(10)) {
    const message = `${release} is published, but its approval is not in the log.`;
    faults.push({ index: size, kind: 'unlogged', message });
  }
  return faults;
}
