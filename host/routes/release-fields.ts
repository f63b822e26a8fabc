import { Type } from 'typebox';
import { type Manifest, ManifestSchema } from '../../plugins-sdk/contract/index.ts';
import { RELEASE_STATES } from '../../registry/index.ts';
import { Digest, Id, nullable, oneOf, strict, Timestamp } from './fields.ts';
import { KeyId } from './keys.ts';

/** What the routes of releases share. */

export const Envelope = Type.Object(
  {
    payloadType: Type.String({ maxLength: 128 }),
    payload: Type.String({ maxLength: 8_192, pattern: '^[A-Za-z0-9+/]+={0,2}$', description: 'Base64.' }),
    signatures: Type.Array(
      Type.Object({ keyid: KeyId, sig: Type.String({ maxLength: 512, pattern: '^[A-Za-z0-9+/]+={0,2}$' }) }, strict),
      { minItems: 1, maxItems: 16 },
    ),
  },
  { ...strict, title: 'DsseEnvelope' },
);

export const Notice = (description: string) =>
  nullable(
    Type.Object(
      {
        at: Timestamp,
        reason: Type.String(),
        replacement: nullable(Type.String({ description: 'The version to take instead.' })),
      },
      { description },
    ),
  );

export const Provenance = Type.Object(
  { repository: Type.String(), commit: Type.String(), builder: Type.String() },
  { description: 'Where it was built, as its publisher signed it.' },
);

export const Origin = nullable(
  Type.Object(
    { registryKeyId: Digest, importedAt: Timestamp },
    { description: 'It came from another registry, which was trusted by this key.' },
  ),
);

export const Release = Type.Object(
  {
    id: Id,
    plugin: Type.String(),
    version: Type.String(),
    state: oneOf(RELEASE_STATES),
    manifest: Type.Unsafe<Manifest>({ ...ManifestSchema, title: 'Manifest' }),
    digest: Digest,
    bundleDigest: Digest,
    bundleBytes: Type.Integer(),
    envelope: Envelope,
    reasons: Type.Array(Type.String()),
    createdAt: Timestamp,
    reviewedAt: nullable(Timestamp),
    yanked: Notice('Set for good: it is not installed anew, and goes on where it runs.'),
    deprecated: Notice('It is installed still, with a warning.'),
    blocked: nullable(
      Type.Object({ at: Timestamp, reason: Type.String() }, { description: 'It does not run anywhere any more.' }),
    ),
    provenance: nullable(Provenance),
    origin: Origin,
  },
  { title: 'Release' },
);
