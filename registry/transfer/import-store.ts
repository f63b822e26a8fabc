import type { Knex } from 'knex';
import type { ReleaseExport } from '../../plugins-sdk/contract/index.ts';
import type { Release } from '../contract.ts';

export interface NewImport {
  id: string;
  pluginId: string;
  version: string;
  state: Release['state'];
  manifest: Release['manifest'];
  digest: string;
  bundleDigest: string;
  bundleBytes: number;
  envelope: Release['envelope'];
  provenance: Release['provenance'];
  deprecated: Release['deprecated'];
  origin: NonNullable<Release['origin']>;
  createdAt: Date;
  reviewedAt: Date;
}

export interface ImportStore {
  /** The key that was trusted when the publisher came; null for one of this registry. */
  rootOf(organisationId: string): Promise<string | null>;
  addPublisher(organisationId: string, rootKeyId: string): Promise<void>;
  addEvidence(releaseId: string, rootKeyId: string, evidence: ReleaseExport): Promise<void>;
  evidenceOf(releaseId: string): Promise<ReleaseExport | null>;
  saveEvidence(releaseId: string, evidence: ReleaseExport): Promise<void>;
}

export function createImportStore(database: Knex): ImportStore {
  return {
    rootOf: async (organisationId) =>
      (await database('imported_publishers').where('organisation_id', organisationId).first('root_key_id'))
        ?.root_key_id ?? null,
    async addPublisher(organisationId, rootKeyId) {
      await database('imported_publishers').insert({ organisation_id: organisationId, root_key_id: rootKeyId });
    },
    async addEvidence(releaseId, rootKeyId, evidence) {
      await database('release_imports').insert({
        release_id: releaseId,
        root_key_id: rootKeyId,
        evidence: JSON.stringify(evidence),
      });
    },
    evidenceOf: async (releaseId) =>
      (await database('release_imports').where('release_id', releaseId).first('evidence'))?.evidence ?? null,
    async saveEvidence(releaseId, evidence) {
      await database('release_imports')
        .where('release_id', releaseId)
        .update({ evidence: JSON.stringify(evidence) });
    },
  };
}
