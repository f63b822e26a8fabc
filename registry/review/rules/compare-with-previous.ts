import type { Json, Manifest } from '../../../plugins-sdk/contract/index.ts';
import { canonicalJson } from '../../rules/audit-entry.ts';

/** A file of an archive. */
export interface ArchivedFile {
  /** SHA-256, lower-case hex. */
  sha256: string;
  bytes: number;
}

/** One thing that a scan found. */
export interface ScanFinding {
  /** Of the pattern family. */
  id: string;
  severity: string;
  message: string;
  file: string | null;
  line: number | null;
}

/** A release as it is compared. `findings` is null where it was not scanned. */
export interface ComparedRelease {
  version: string;
  manifest: Manifest;
  files: ReadonlyMap<string, ArchivedFile>;
  findings: readonly ScanFinding[] | null;
}

interface Names {
  added: string[];
  removed: string[];
}

export interface ReleaseComparison {
  previousVersion: string | null;
  files: { name: string; change: 'added' | 'removed' | 'changed'; bytes: number; bytesBefore: number }[];
  /** Parts of the manifest that are not the same, its version aside. */
  manifest: string[];
  capabilities: Names;
  hosts: Names;
  /** Secrets that operators are asked for, by name. */
  secrets: Names;
  /** `GET /orders (public)`. */
  routes: Names;
  hooks: Names;
  /** Null where this release was not scanned. */
  findings: { added: ScanFinding[]; fixed: ScanFinding[]; same: number } | null;
}

/** What a release has that the one before it had not, and the other way round. Without one before, everything is new. */
export function compareWithPrevious(before: ComparedRelease | null, after: ComparedRelease): ReleaseComparison {
  const names = (list: (manifest: Manifest) => string[]) =>
    difference(before && list(before.manifest), list(after.manifest));
  return {
    previousVersion: before?.version ?? null,
    files: filesOf(before?.files ?? new Map(), after.files),
    manifest: partsOf(before?.manifest ?? null, after.manifest),
    capabilities: names(capabilitiesOf),
    hosts: names(hostsOf),
    secrets: names(({ secrets = [] }) => secrets.map(({ name }) => name)),
    routes: names(({ routes = [] }) => routes.map(({ method, path, access }) => `${method} ${path} (${access})`)),
    hooks: names(({ hooks = [] }) => [...hooks]),
    findings: after.findings && findingsOf(before?.findings ?? [], after.findings),
  };
}

export const capabilitiesOf = ({ capabilities = [] }: Manifest): string[] => capabilities.map(({ name }) => name);
export const hostsOf = ({ fetchHosts = [] }: Manifest): string[] => [...fetchHosts];

function partsOf(before: Manifest | null, after: Manifest): string[] {
  const [old, now] = [before ?? {}, after] as Record<string, Json>[];
  const parts = new Set([...Object.keys(old!), ...Object.keys(now!)]);
  const textOf = (part: Json | undefined) => (part === undefined ? undefined : canonicalJson(part));
  return [...parts].filter((part) => part !== 'version' && textOf(old![part]) !== textOf(now![part])).sort();
}

function difference(before: readonly string[] | null, after: readonly string[]): Names {
  const old = new Set(before);
  const now = new Set(after);
  return { added: [...now].filter((name) => !old.has(name)), removed: [...old].filter((name) => !now.has(name)) };
}

function filesOf(
  before: ReadonlyMap<string, ArchivedFile>,
  after: ReadonlyMap<string, ArchivedFile>,
): ReleaseComparison['files'] {
  const names = [...new Set([...before.keys(), ...after.keys()])].sort();
  return names.flatMap((name) => {
    const [old, now] = [before.get(name), after.get(name)];
    if (old?.sha256 === now?.sha256) return [];
    const change = old === undefined ? 'added' : now === undefined ? 'removed' : 'changed';
    return [{ name, change, bytes: now?.bytes ?? 0, bytesBefore: old?.bytes ?? 0 } as const];
  });
}

/** Lines move with every change, so a finding is the same where its family, severity, file and words are; one more of them is a new one. */
function findingsOf(
  before: readonly ScanFinding[],
  after: readonly ScanFinding[],
): NonNullable<ReleaseComparison['findings']> {
  const added = beyond(before, after);
  return { added, fixed: beyond(after, before), same: after.length - added.length };
}

/** Those of `findings` that `known` has not, or has fewer of. */
function beyond(known: readonly ScanFinding[], findings: readonly ScanFinding[]): ScanFinding[] {
  const keyOf = ({ id, severity, file, message }: ScanFinding) => JSON.stringify([id, severity, file, message]);
  const left = new Map<string, number>();
  for (const key of known.map(keyOf)) left.set(key, (left.get(key) ?? 0) + 1);
  return findings.filter((finding) => {
    const count = left.get(keyOf(finding)) ?? 0;
    left.set(keyOf(finding), count - 1);
    return count <= 0;
  });
}
