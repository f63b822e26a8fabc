import type { ImportReport, Page } from '../../registry/index.ts';
import type { KeyLink, LogProof, ReleaseExport, ReleaseProof, SignedTreeHead } from '../contract/index.ts';

type Get = <Value>(path: string, query?: object) => Promise<Value>;
type Send = <Value>(method: string, path: string, value: unknown) => Promise<Value>;

const at = encodeURIComponent;

/** What proves releases to those who trust nobody: the transparency log, and exports for places without a network. */
export const proofCalls = (get: Get, send: Send) => ({
  transparency: () =>
    get<{ keyId: string; publicKeyPem: string; head: SignedTreeHead; keys?: KeyLink[] }>('/v1/transparency'),
  logEntries: (from: number, count?: number) =>
    get<Page<{ index: number; entry: string }>>('/v1/transparency/entries', { from, count }),
  logInclusion: (index: number, size?: number) =>
    get<LogProof & { size: number; head: SignedTreeHead | null }>(`/v1/transparency/inclusion/${index}`, { size }),
  logConsistency: (from: number, to?: number) =>
    get<{ from: number; to: number; path: string[] }>(`/v1/transparency/consistency/${from}`, { to }),
  proveRelease: (digest: string) => get<ReleaseProof>(`/v1/transparency/releases/${at(digest)}`),

  exportRelease: (plugin: string, version: string) =>
    get<{ exported: ReleaseExport; archive: string }>(
      `/v1/releases/${plugin.split('/').map(at).join('/')}/${at(version)}/export`,
    ),
  importRelease: (exported: ReleaseExport, archive: Uint8Array, dryRun = false) =>
    send<ImportReport>('POST', '/v1/imports', {
      exported,
      archive: Buffer.from(archive).toString('base64'),
      ...(dryRun && { dryRun }),
    }),
});
