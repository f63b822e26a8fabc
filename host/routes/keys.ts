import { Type } from 'typebox';
import type { KeyLife, Registry } from '../../registry/index.ts';
import { type Route, route } from '../http/route.ts';
import { Id, Label, nullable, strict, Timestamp } from './fields.ts';

export const KeyId = Type.String({ pattern: '^[0-9a-f]{64}$', description: 'SHA-256 of the public key (SPKI, DER).' });
const PublicKeyPem = Type.String({ minLength: 1, maxLength: 2_048, description: 'SPKI in PEM form.' });
const PublisherKey = Type.Object(
  {
    keyId: KeyId,
    label: Type.String(),
    publicKeyPem: Type.String(),
    createdAt: Timestamp,
    revokedAt: nullable(Timestamp),
    retiresAt: nullable(Type.String({ format: 'date-time', description: 'Until then it signs beside its successor.' })),
    successorId: nullable(KeyId),
    compromisedSince: nullable(
      Type.String({ format: 'date-time', description: 'What the registry received from then on is blocked.' }),
    ),
  },
  { title: 'PublisherKey' },
);
const OVERLAP_SECONDS_MAX = 90 * 86_400;
const ById = Type.Object({ keyId: KeyId });

export interface KeyPorts {
  registry: Pick<Registry, 'registerKey' | 'listKeys'>;
  keyLife: KeyLife;
}

/** The keys that publishers sign with. */
export const keyRoutes = ({ registry, keyLife }: KeyPorts): Route[] => [
  route({
    method: 'POST',
    path: '/v1/keys',
    consumer: 'Publishers',
    summary: 'Register an Ed25519 public key that signs releases. Safe to repeat.',
    allow: ['key:register'],
    stepUp: true,
    body: Type.Object({ publicKeyPem: PublicKeyPem, label: Label }, { ...strict, title: 'NewPublisherKey' }),
    reply: { 201: PublisherKey },
    refuses: ['key-invalid', 'key-taken'],
    handle: ({ principal, body }) => registry.registerKey(principal, body),
  }),
  route({
    method: 'GET',
    path: '/v1/keys',
    consumer: 'Publishers',
    summary: "List the publisher's keys.",
    allow: ['key:read'],
    reply: {
      200: Type.Object({ items: Type.Array(PublisherKey), nextCursor: Type.Null() }, { title: 'PublisherKeys' }),
    },
    refuses: [],
    handle: async ({ principal }) => ({ items: await registry.listKeys(principal), nextCursor: null }),
  }),
  route({
    method: 'POST',
    path: '/v1/keys/:keyId/rotation',
    consumer: 'Publishers',
    summary:
      'Register the successor of a key; both sign for a while, and what the old one signed stays good. Safe to repeat.',
    allow: ['key:register'],
    stepUp: true,
    params: ById,
    body: Type.Object(
      {
        publicKeyPem: PublicKeyPem,
        label: Label,
        overlapSeconds: Type.Integer({ minimum: 0, maximum: OVERLAP_SECONDS_MAX, description: 'How long both sign.' }),
      },
      { ...strict, title: 'KeyRotation' },
    ),
    reply: { 201: Type.Object({ key: PublisherKey, successor: PublisherKey }, { title: 'RotatedKey' }) },
    refuses: ['key-unknown', 'key-state-invalid', 'key-invalid', 'key-taken'],
    handle: ({ principal, params, body }) => keyLife.rotate(principal, params.keyId, body),
  }),
  route({
    method: 'POST',
    path: '/v1/keys/:keyId/revocation',
    consumer: 'Publishers',
    summary:
      'Let a key sign nothing any more. With `compromisedSince`, every release of it that came from then on is blocked and stops on every host within seconds. Safe to repeat, also with an earlier time.',
    allow: ['key:revoke'],
    stepUp: true,
    params: ById,
    body: Type.Object({ compromisedSince: Type.Optional(Timestamp) }, { ...strict, title: 'KeyRevocation' }),
    reply: {
      200: Type.Object({ key: PublisherKey, blockedReleaseIds: Type.Array(Id) }, { title: 'RevokedKey' }),
    },
    refuses: ['key-unknown', 'key-state-invalid'],
    handle: ({ principal, params, body }) => keyLife.revoke(principal, params.keyId, body),
  }),
];
