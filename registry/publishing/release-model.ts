import { Model, snakeCaseMappers } from 'objection';
import type { DsseEnvelope, Manifest } from '../../plugins-sdk/contract/index.ts';
import type { Provenance, Release, ReleaseNotice, ReleaseState } from '../contract.ts';

export class ReleaseModel extends Model {
  static override tableName = 'releases';
  static override columnNameMappers = snakeCaseMappers();
  static override jsonAttributes = ['manifest', 'envelope', 'yanked', 'deprecated', 'blocked', 'provenance', 'origin'];
  declare id: string;
  declare pluginId: string;
  declare version: string;
  declare state: ReleaseState;
  declare manifest: Manifest;
  declare digest: string;
  declare bundleDigest: string;
  declare bundleBytes: number;
  declare envelope: DsseEnvelope;
  declare reasons: string[];
  declare reviewedAt: Date | null;
  declare createdAt: Date;
  declare yanked: ReleaseNotice | null;
  declare deprecated: ReleaseNotice | null;
  declare blocked: Release['blocked'];
  declare provenance: Provenance | null;
  declare origin: Release['origin'];
}

export class PluginModel extends Model {
  static override tableName = 'plugins';
  static override columnNameMappers = snakeCaseMappers();
  declare id: string;
  declare organisationId: string;
  declare name: string;
  declare latestReleaseId: string | null;
  declare unlistedAt: Date | null;
}
