import { Type } from 'typebox';
import type { ReleaseExport } from '../../plugins-sdk/contract/index.ts';
import type { Transfers } from '../../registry/index.ts';
import { type Route, route } from '../http/route.ts';
import { Slug, strict, Version } from './fields.ts';
import { Release } from './release-fields.ts';
import { Envelope, KeyLink, ReleaseProof } from './transparency.ts';

const IMPORT_BODY_BYTES_MAX = 8 * 1024 * 1024;
const ARCHIVE_CHARS_MAX = 6 * 1024 * 1024;

const Exported = Type.Object(
  {
    version: Type.Literal(1),
    status: {
      ...Envelope,
      description: 'DSSE: what the registry says of the release at the time of the export, and signs.',
    },
    proof: ReleaseProof,
    keys: Type.Array(KeyLink, { maxItems: 1_000 }),
  },
  { title: 'ReleaseExport', description: 'Everything but the archive that proves a release without a network.' },
);

const Archive = Type.String({
  pattern: '^[A-Za-z0-9+/]+={0,2}$',
  maxLength: ARCHIVE_CHARS_MAX,
  description: 'Base64.',
});

export interface TransferRoutePorts {
  transfers: Transfers;
}

/** Releases for places without a network, and from them. `gate bundle` writes and reads the files. */
export const transferRoutes = ({ transfers }: TransferRoutePorts): Route[] => [
  route({
    method: 'GET',
    path: '/v1/releases/:publisher/:name/:version/export',
    consumer: 'Operators',
    summary:
      'A published release with everything that proves it elsewhere, and what the registry says of it now: also of one that was yanked or taken down.',
    allow: ['plugin:read'],
    params: Type.Object({ publisher: Slug, name: Slug, version: Version }),
    reply: { 200: Type.Object({ exported: Exported, archive: Archive }, { title: 'ExportedRelease' }) },
    refuses: ['release-unknown', 'release-not-logged', 'log-inconsistent', 'signing-key-retired'],
    handle: async ({ principal, params: { publisher, name, version } }) => {
      const { exported, archive } = await transfers.exportRelease(principal, {
        plugin: `${publisher}/${name}`,
        version,
      });
      return { exported, archive: archive.toString('base64') };
    },
  }),
  route({
    method: 'POST',
    path: '/v1/imports',
    consumer: 'Platform',
    summary:
      'Take a release of a registry that GATEHOUSE_TRUST_ROOTS names, or hear what has become of one that was taken. Safe to repeat.',
    allow: ['release:import'],
    stepUp: true,
    body: Type.Object(
      {
        exported: Exported,
        archive: Archive,
        dryRun: Type.Optional(Type.Boolean({ description: 'Verify everything, keep nothing.' })),
      },
      { ...strict, title: 'Import' },
    ),
    bodyBytesMax: IMPORT_BODY_BYTES_MAX,
    reply: {
      200: Type.Object(
        {
          outcome: Type.Union([Type.Literal('imported'), Type.Literal('updated'), Type.Literal('unchanged')]),
          event: Type.Union([Type.String(), Type.Null()], {
            description: 'What the transparency log was told, such as `release.yank`; null where nothing changed.',
          }),
          release: Release,
          steps: Type.Array(
            Type.Object(
              { step: Type.String(), passed: Type.Boolean(), message: Type.String() },
              { title: 'ProofStep' },
            ),
          ),
          dryRun: Type.Boolean(),
        },
        { title: 'ImportReport' },
      ),
    },
    refuses: [
      'import-untrusted',
      'import-unproven',
      'import-publisher-taken',
      'import-stopped',
      'release-archive-invalid',
      'release-manifest-invalid',
      'release-version-taken',
      'plugin-name-confusable',
      'key-taken',
    ],
    handle: ({ principal, body: { exported, archive, dryRun } }) =>
      transfers.importRelease(principal, {
        exported: exported as ReleaseExport,
        archive: Buffer.from(archive, 'base64'),
        ...(dryRun !== undefined && { dryRun }),
      }),
  }),
];
