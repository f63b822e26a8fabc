import { createPublicKey, type KeyObject } from 'node:crypto';
import {
  appendLeaf,
  emptyFrontier,
  type Frontier,
  frontierRoot,
  isExtensionOf,
  isTreeHeadOf,
  type KeyLink,
  keyIdOf,
  leafHash,
  readLogEntry,
  type SignedTreeHead,
  type TrustedKey,
  trustedKeys,
} from '../../contract/index.ts';
import type { ApiClient } from '../api-client.ts';
import { ServerRefusal } from '../errors.ts';

/** What an auditor remembers of a log, and what the next look is compared with. */
export interface LogState {
  version: 1;
  url: string;
  /** The key that is trusted: PEM. */
  publicKeyPem: string;
  /** How the registry came to it; absent where it has had one key only. */
  keys?: KeyLink[];
  head: SignedTreeHead;
  /** The tree's edge at `head.size`, hexadecimal: so the next look needs the new entries alone. */
  peaks: string[];
}

export interface LogFinding {
  kind:
    | 'key-changed'
    | 'head-forged'
    | 'head-stale'
    | 'head-from-the-future'
    | 'shrunk'
    | 'forked'
    | 'rewritten'
    | 'entries-missing'
    | 'entries-mismatch'
    | 'entry-unreadable';
  /** One sentence. */
  message: string;
}

export interface LogLook {
  findings: LogFinding[];
  /** What was shown now. */
  head: SignedTreeHead;
  /** How many entries were hashed in this look. */
  hashed: number;
  /** Among them, by event. */
  events: Record<string, number>;
  /** To be remembered; null where anything was found. */
  state: LogState | null;
  /** Where the registry went on under another key since, which the trusted one leads to. */
  rotation: { from: string; to: string } | null;
}

export type LogApi = Pick<ApiClient, 'transparency' | 'logEntries' | 'logConsistency'>;

export interface LookOptions {
  /** What was seen before; null for the first look. */
  before: LogState | null;
  /** The registry's, where one has it from elsewhere. */
  trustedKey: KeyObject | null;
  /** Hash everything again, and not only what is new. */
  whole: boolean;
  url: string;
  nowMs: number;
  /** An older head is a finding. */
  ageMsMax: number;
}

const CLOCK_MS = 5 * 60_000;

/**
 * Reads a log as its host shows it now and compares: signature, age, every entry's hash against the head, and the head against the one
 * seen before. Nothing that the host says is believed but what the key signed. Refuses with: the codes of the API.
 */
export async function lookAtLog(api: LogApi, options: LookOptions): Promise<LogLook> {
  const { before } = options;
  const shown = await api.transparency();
  const { head } = shown;
  const findings: LogFinding[] = [];
  const root = options.trustedKey ?? createPublicKey(before?.publicKeyPem ?? shown.publicKeyPem);
  const trusted = trustedKeys(root, shown.keys);
  const newest = trusted.at(-1)!;
  findings.push(...headFindings(head, root, trusted, options));
  const rotation = newest.keyId === keyIdOf(root) ? null : { from: keyIdOf(root), to: newest.keyId };
  const look = { head, hashed: 0, events: {}, rotation };
  if (findings.length > 0) return { ...look, findings, state: null };
  if (before !== null && head.size < before.head.size) {
    const message = `The log has ${head.size} entries, but this auditor saw ${before.head.size}.`;
    return { ...look, findings: [{ kind: 'shrunk', message }], state: null };
  }
  if (before !== null) findings.push(...(await comparedWith(api, before.head, head, 'this auditor saw')));
  if (findings.length > 0) return { ...look, findings, state: null };
  const read = await readEntries(api, head, before, options.whole || before === null);
  const state: LogState = {
    version: 1,
    url: options.url,
    // From here on the newest is trusted: whoever has an older one cannot lead this auditor astray any more.
    publicKeyPem: newest.key.export({ type: 'spki', format: 'pem' }) as string,
    ...(shown.keys !== undefined && shown.keys.length > 0 && { keys: shown.keys }),
    head,
    peaks: read.frontier.peaks.map((peak) => peak.toString('hex')),
  };
  const { hashed, events } = read;
  return { head, hashed, events, rotation, findings: read.findings, state: read.findings.length > 0 ? null : state };
}

function headFindings(
  head: SignedTreeHead,
  root: KeyObject,
  trusted: readonly TrustedKey[],
  { nowMs, ageMsMax }: LookOptions,
): LogFinding[] {
  const signer = trusted.find(({ keyId }) => keyId === head.keyId);
  if (signer === undefined) {
    const message = `The head is signed with the key ${head.keyId}, but the trusted one is ${keyIdOf(root)}, and does not lead there.`;
    return [{ kind: 'key-changed', message }];
  }
  if (nowMs >= signer.untilMs) {
    const message = `The head is signed with the key ${head.keyId}, which has retired on ${new Date(signer.untilMs).toISOString()}.`;
    return [{ kind: 'key-changed', message }];
  }
  if (!isTreeHeadOf(head, trusted)) {
    return [{ kind: 'head-forged', message: 'The signature of the head does not fit the trusted key.' }];
  }
  const ageMs = nowMs - Date.parse(head.signedAt);
  if (ageMs > ageMsMax) {
    const message = `The newest head is of ${head.signedAt}: either nobody signs any more, or you are shown an old log.`;
    return [{ kind: 'head-stale', message }];
  }
  if (ageMs < -CLOCK_MS) {
    const message = `The newest head is of ${head.signedAt}, which has not come yet; compare the clocks.`;
    return [{ kind: 'head-from-the-future', message }];
  }
  return [];
}

/** Whether the log of one head is the beginning of that of the other, whichever is older. `who` saw `seen`. */
export async function comparedWith(
  api: Pick<LogApi, 'logConsistency'>,
  seen: SignedTreeHead,
  shown: SignedTreeHead,
  who: string,
): Promise<LogFinding[]> {
  const [earlier, later] = seen.size <= shown.size ? [seen, shown] : [shown, seen];
  if (earlier.size === later.size) {
    const message = `Two heads of ${seen.size} entries are signed, with the roots ${seen.root} and ${shown.root}.`;
    return seen.root === shown.root ? [] : [{ kind: 'forked', message }];
  }
  const proof = await api.logConsistency(earlier.size, later.size).catch((error: unknown) => {
    if (error instanceof ServerRefusal && error.code === 'log-entry-unknown') return null;
    throw error;
  });
  if (proof !== null && isExtensionOf(earlier, later, proof.path)) return [];
  const message = `The log of ${later.size} entries is not the continuation of that of ${earlier.size} entries that ${who}: its past was rewritten.`;
  return [{ kind: 'rewritten', message }];
}

async function readEntries(api: LogApi, head: SignedTreeHead, before: LogState | null, whole: boolean) {
  const frontier: Frontier =
    whole || before === null
      ? emptyFrontier()
      : { size: before.head.size, peaks: before.peaks.map((peak) => Buffer.from(peak, 'hex')) };
  const [from, events, findings] = [frontier.size, {} as Record<string, number>, [] as LogFinding[]];
  const rootText = () => frontierRoot(frontier).toString('hex');
  while (frontier.size < head.size && findings.length === 0) {
    const { items } = await api.logEntries(frontier.size);
    if (items.length === 0) break;
    for (const { index, entry } of items.slice(0, head.size - frontier.size)) {
      const read = readLogEntry(entry);
      if (index !== frontier.size || read === null) {
        const message = `What is shown as entry ${frontier.size} is none of a known version; a newer gate may know it.`;
        findings.push({ kind: 'entry-unreadable', message });
        break;
      }
      events[read.event] = (events[read.event] ?? 0) + 1;
      appendLeaf(frontier, leafHash(entry));
      if (frontier.size === before?.head.size && rootText() !== before.head.root) {
        const message = `The first ${frontier.size} entries are not those that this auditor saw.`;
        findings.push({ kind: 'rewritten', message });
      }
    }
  }
  if (findings.length === 0 && frontier.size < head.size) {
    const message = `The head stands for ${head.size} entries, but only ${frontier.size} are shown.`;
    findings.push({ kind: 'entries-missing', message });
  }
  if (findings.length === 0 && rootText() !== head.root) {
    const message = 'The entries that are shown are not those that the head was signed over.';
    findings.push({ kind: 'entries-mismatch', message });
  }
  return { frontier, events, findings, hashed: frontier.size - from };
}
