import { type TSchema, Type } from 'typebox';
import type { Capability } from './contract.ts';
import { REFUSALS } from './refusals.ts';
import { SECRET_NAME_PATTERN } from './secrets.ts';
import { CRYPTO_INPUT_UNITS_MAX, CRYPTO_ITERATIONS_MAX, CRYPTO_KEY_UNITS_MAX } from './sizes.ts';

const strict = (properties: Record<string, TSchema>) => Type.Object(properties, { additionalProperties: false });
const literals = (...names: string[]) => Type.Union(names.map((name) => Type.Literal(name)));

/** Base64. */
const Bytes = Type.String({ maxLength: CRYPTO_INPUT_UNITS_MAX });
const KeyBytes = Type.String({ maxLength: CRYPTO_KEY_UNITS_MAX });
const Hash = literals('SHA-1', 'SHA-256', 'SHA-384', 'SHA-512');

/** Web Crypto's algorithm of the key and of the operation, together. */
const Algorithm = strict({
  name: literals('HMAC', 'AES-GCM', 'ECDSA', 'Ed25519', 'RSASSA-PKCS1-v1_5', 'RSA-PSS', 'HKDF', 'PBKDF2'),
  hash: Type.Optional(Hash),
  namedCurve: Type.Optional(literals('P-256', 'P-384', 'P-521')),
  iv: Type.Optional(KeyBytes),
  additionalData: Type.Optional(Bytes),
  tagLength: Type.Optional(Type.Integer()),
  salt: Type.Optional(KeyBytes),
  info: Type.Optional(KeyBytes),
  iterations: Type.Optional(Type.Integer({ minimum: 1, maximum: CRYPTO_ITERATIONS_MAX })),
  saltLength: Type.Optional(Type.Integer({ minimum: 0, maximum: 1_024 })),
});

const SecretName = Type.String({ pattern: SECRET_NAME_PATTERN });
/** A key that the isolate holds, or the name of a secret that only the host knows. */
const Key = Type.Union([
  strict({ format: literals('raw', 'pkcs8', 'spki'), bytes: KeyBytes }),
  strict({ format: literals('raw', 'pkcs8', 'spki', 'jwk'), secret: SecretName }),
]);

/** Fields that are texts; a JWK of RSA with 4096 bits has none of more than 700 characters. */
const Jwk = Type.Record(Type.String({ maxLength: 8 }), Type.String({ maxLength: 2_048 }), { maxProperties: 16 });

/** The part of `crypto.subtle` that the host computes. It touches nothing, so that it needs no grant; keys from secrets need `secrets`. */
export const crypto = {
  purpose: 'Compute digests, signatures and ciphers.',
  calls: {
    'crypto.digest': strict({ hash: Hash, input: Bytes }),
    'crypto.sign': strict({ algorithm: Algorithm, key: Key, input: Bytes }),
    'crypto.verify': strict({ algorithm: Algorithm, key: Key, signature: KeyBytes, input: Bytes }),
    'crypto.encrypt': strict({ algorithm: Algorithm, key: Key, input: Bytes }),
    'crypto.decrypt': strict({ algorithm: Algorithm, key: Key, input: Bytes }),
    'crypto.derive': strict({ algorithm: Algorithm, key: Key, bits: Type.Integer({ minimum: 0, maximum: 65_536 }) }),
    'crypto.import': Type.Union([
      strict({ algorithm: Algorithm, format: literals('raw', 'pkcs8', 'spki'), bytes: KeyBytes }),
      strict({ algorithm: Algorithm, format: Type.Literal('jwk'), jwk: Jwk }),
      strict({ algorithm: Algorithm, format: literals('raw', 'pkcs8', 'spki', 'jwk'), secret: SecretName }),
    ]),
    'crypto.export': strict({
      algorithm: Algorithm,
      key: strict({ format: literals('raw', 'pkcs8', 'spki'), bytes: KeyBytes }),
      format: literals('raw', 'pkcs8', 'spki', 'jwk'),
    }),
    'crypto.generate': strict({ algorithm: Algorithm, seed: Type.String({ maxLength: 128 }) }),
  },
  refusals: REFUSALS.crypto,
} as const satisfies Capability;
