import type { KeyObject } from 'node:crypto';
import {
  type KeyLink,
  type ReleaseExport,
  type ReleaseProof,
  type ReleaseStatus,
  sha256Hex,
  signStatus,
} from '../../plugins-sdk/contract/index.ts';
import type { PublisherKey, Release } from '../contract.ts';
import { RegistryRefusal } from '../errors.ts';
import { isVersion, pluginName } from '../rules/plugin-name.ts';
import type { Transfers } from './contract.ts';
import type { ImportStore } from './import-store.ts';

export interface ExportPorts {
  /** Of everybody: what is or was published is no secret. */
  releases: {
    findByName(name: {
      publisher: string;
      name: string;
      version: string;
    }): Promise<{ release: Release; publisherId: string; publisherSlug: string; pluginName: string } | null>;
    archiveOf(releaseId: string): Promise<Buffer>;
  };
  imports: Pick<ImportStore, 'evidenceOf'>;
  findKey(keyId: string): Promise<PublisherKey | null>;
  publisherName(organisationId: string): Promise<string>;
  prove(digest: string): Promise<ReleaseProof>;
  keyLinks(): Promise<KeyLink[]>;
  signingKey: KeyObject;
  nowMs: () => number;
}

const PUBLIC = ['published', 'deprecated', 'yanked', 'suspended'];

/** Refuses with: release-unknown, release-not-logged, log-inconsistent, signing-key-retired. */
export const exportRelease =
  (ports: ExportPorts): Transfers['exportRelease'] =>
  async (_actor, { plugin, version }) => {
    const name = pluginName(plugin);
    const stored = name && isVersion(version) ? await ports.releases.findByName({ ...name, version }) : null;
    if (stored === null || !PUBLIC.includes(stored.release.state)) {
      throw new RegistryRefusal('release-unknown', undefined, { plugin, version });
    }
    const { release, publisherId, publisherSlug: publisher, pluginName: named } = stored;
    const archive = await ports.releases.archiveOf(release.id);
    const imported = await ports.imports.evidenceOf(release.id);
    if (imported !== null) return { exported: imported, archive };
    const proof = await ports.prove(release.digest);
    const key = await ports.findKey(proof.envelope.signatures[0]!.keyid);
    if (key === null || release.reviewedAt === null) throw new RegistryRefusal('release-not-logged');
    const status: ReleaseStatus = {
      v: 1,
      release: { publisher, name: named, version: release.version, digest: release.digest },
      archiveSha256: sha256Hex(archive),
      publisherName: await ports.publisherName(publisherId),
      state: release.state as ReleaseStatus['state'],
      createdAt: release.createdAt,
      reviewedAt: release.reviewedAt,
      yanked: release.yanked,
      deprecated: release.deprecated,
      blocked: release.blocked,
      publisherKey: {
        keyId: key.keyId,
        label: key.label,
        revokedAt: key.revokedAt,
        retiresAt: key.retiresAt,
        compromisedSince: key.compromisedSince,
      },
      exportedAt: new Date(ports.nowMs()).toISOString(),
    };
    const exported: ReleaseExport = {
      version: 1,
      status: signStatus(status, ports.signingKey),
      proof,
      keys: await ports.keyLinks(),
    };
    return { exported, archive };
  };
