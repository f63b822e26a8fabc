import { Type } from 'typebox';
import { ARCHIVE_BYTES_MAX } from '../../plugins-sdk/contract/index.ts';
import type { Uploads } from '../../registry/index.ts';
import { answer, type Route, route } from '../http/route.ts';
import { Digest, Id, nullable, PluginName, strict, Timestamp } from './fields.ts';
import { Envelope, Release } from './release-fields.ts';

const PART_BYTES_MAX = 512 * 1024;
const PART_BODY_BYTES_MAX = 768 * 1024;

const Upload = Type.Object(
  {
    id: Id,
    bytes: Type.Integer(),
    sha256: Digest,
    plugin: nullable(PluginName),
    received: Type.Integer({ description: 'So many of its first bytes are here; the next part begins there.' }),
    expiresAt: Timestamp,
  },
  { title: 'Upload' },
);
const Place = Type.Integer({ minimum: 0, maximum: ARCHIVE_BYTES_MAX });
const ById = Type.Object({ id: Id });

export interface UploadRoutePorts {
  uploads: Uploads;
}

/** Archives in parts, for connections that break. */
export const uploadRoutes = ({ uploads }: UploadRoutePorts): Route[] => [
  route({
    method: 'POST',
    path: '/v1/uploads',
    consumer: 'Publishers',
    summary: 'Announce a release archive that comes in parts, within 24 hours. Safe to repeat.',
    allow: ['release:publish'],
    body: Type.Object(
      {
        id: Id,
        bytes: Type.Integer({ minimum: 1, maximum: ARCHIVE_BYTES_MAX }),
        sha256: Digest,
        plugin: Type.Optional({
          ...PluginName,
          description: 'Of which plugin it is; a token that is restricted to one has to say so.',
        }),
      },
      { ...strict, title: 'NewUpload' },
    ),
    reply: { 201: Upload },
    refuses: ['publisher-foreign', 'token-restricted', 'upload-conflict', 'uploads-too-many'],
    handle: ({ principal, body }) => uploads.begin(principal, body),
  }),
  route({
    method: 'GET',
    path: '/v1/uploads/:id',
    consumer: 'Publishers',
    summary: 'How far an upload has come.',
    allow: ['release:publish'],
    params: ById,
    reply: { 200: Upload },
    refuses: ['upload-unknown'],
    handle: ({ principal, params }) => uploads.find(principal, params.id),
  }),
  route({
    method: 'POST',
    path: '/v1/uploads/:id/parts',
    consumer: 'Publishers',
    summary: 'Add the part that begins at `start`, which is `received` so far. Safe to repeat with the same bytes.',
    allow: ['release:publish'],
    params: ById,
    body: Type.Object(
      {
        start: Place,
        content: Type.String({
          // One character alone would be no byte.
          pattern: '^[A-Za-z0-9+/]{2,}={0,2}$',
          maxLength: Math.ceil(PART_BYTES_MAX / 3) * 4,
          description: 'Base64, at most 512 KiB of bytes.',
        }),
      },
      { ...strict, title: 'UploadPart' },
    ),
    bodyBytesMax: PART_BODY_BYTES_MAX,
    reply: { 200: Upload },
    refuses: ['upload-unknown', 'upload-part-misplaced', 'upload-conflict'],
    handle: ({ principal, params, body }) =>
      uploads.addPart(principal, params.id, { start: body.start, content: Buffer.from(body.content, 'base64') }),
  }),
  route({
    method: 'POST',
    path: '/v1/uploads/:id/release',
    consumer: 'Publishers',
    summary: 'Publish what was uploaded, as POST /v1/releases does.',
    allow: ['release:publish'],
    stepUp: true,
    params: ById,
    body: Type.Object({ envelope: Envelope }, { ...strict, title: 'UploadedRelease' }),
    reply: { 201: Release },
    refuses: [
      'upload-unknown',
      'upload-part-misplaced',
      'upload-conflict',
      'release-archive-invalid',
      'release-manifest-invalid',
      'release-signature-invalid',
      'release-version-taken',
      'dependency-unknown',
      'plugin-name-confusable',
      'publisher-foreign',
      'token-restricted',
    ],
    handle: async ({ principal, params, body }) => {
      const release = await uploads.publish(principal, params.id, body.envelope);
      return answer(release, { headers: { Location: `/v1/releases/${release.plugin}/${release.version}` } });
    },
  }),
];
