import { type Static, Type } from 'typebox';
import { FACTOR_METHODS, type FactorProof } from '../../registry/index.ts';
import { HostRefusal } from '../errors.ts';
import { Id, Label, nullable, oneOf, strict, Timestamp } from './fields.ts';

/** Schemas of second factors and passkeys, as several route tables show them. */

const Base64Url = Type.String({ minLength: 1, maxLength: 8_192, pattern: '^[A-Za-z0-9_-]+$' });
const Extensions = Type.Record(Type.String({ maxLength: 64 }), Type.Unknown());

const credential = {
  id: Base64Url,
  rawId: Base64Url,
  type: Type.Literal('public-key'),
  clientExtensionResults: Extensions,
  authenticatorAttachment: Type.Optional(Type.Union([Type.String({ maxLength: 32 }), Type.Null()])),
};

/** `PublicKeyCredential.toJSON()` of `navigator.credentials.create()` (WebAuthn level 3). */
export const PasskeyRegistration = Type.Object(
  {
    ...credential,
    response: Type.Object({
      clientDataJSON: Base64Url,
      attestationObject: Base64Url,
      transports: Type.Optional(Type.Array(Type.String({ maxLength: 32 }), { maxItems: 10 })),
    }),
  },
  {
    ...strict,
    title: 'PasskeyRegistration',
    description: 'What `navigator.credentials.create()` gave, by `toJSON()`.',
  },
);

export const PasskeyAssertion = Type.Object(
  {
    ...credential,
    response: Type.Object({
      clientDataJSON: Base64Url,
      authenticatorData: Base64Url,
      signature: Base64Url,
      userHandle: Type.Optional(Base64Url),
    }),
  },
  { ...strict, title: 'PasskeyAssertion', description: 'What `navigator.credentials.get()` gave, by `toJSON()`.' },
);

export const Challenge = Type.String({ minLength: 1, maxLength: 200, description: 'From the step before; one use.' });

/** One of the three shows a factor. */
export const proofFields = {
  code: Type.Optional(Type.String({ pattern: '^[0-9]{6}$', description: 'What the authenticator app shows now.' })),
  recoveryCode: Type.Optional(Type.String({ minLength: 1, maxLength: 40 })),
  passkey: Type.Optional(PasskeyAssertion),
};

/** Refuses with: body-invalid, where there is not exactly one. */
export function proofOf({
  code,
  recoveryCode,
  passkey,
}: {
  code?: string;
  recoveryCode?: string;
  passkey?: Static<typeof PasskeyAssertion>;
}): FactorProof {
  const proofs: FactorProof[] = [];
  if (code !== undefined) proofs.push({ code });
  if (recoveryCode !== undefined) proofs.push({ recoveryCode });
  if (passkey !== undefined) proofs.push({ passkey });
  if (proofs.length === 1) return proofs[0]!;
  const message = 'needs exactly one of code, recoveryCode and passkey';
  throw new HostRefusal('body-invalid', undefined, { faults: [{ pointer: '', message }] });
}

export const FactorChallenge = Type.Object(
  {
    challenge: Type.String({ description: 'Send it with the answer; one use, and a secret of the client.' }),
    expiresAt: Timestamp,
    methods: Type.Array(oneOf(FACTOR_METHODS)),
    passkeyOptions: nullable(
      Type.Record(Type.String(), Type.Unknown(), {
        description: 'For `navigator.credentials`, by `parse…FromJSON()`.',
      }),
    ),
  },
  { title: 'FactorChallenge' },
);

const Passkey = Type.Object(
  {
    id: Id,
    label: Label,
    backedUp: Type.Boolean({ description: 'Whether its owner has it on several devices.' }),
    createdAt: Timestamp,
    lastUsedAt: nullable(Timestamp),
  },
  { title: 'Passkey' },
);

export const FactorStatus = Type.Object(
  {
    totp: nullable(Type.Object({ label: Label, createdAt: Timestamp, lastUsedAt: nullable(Timestamp) })),
    passkeys: Type.Array(Passkey),
    recoveryCodesLeft: Type.Integer(),
  },
  { title: 'FactorStatus' },
);

export const Enrolled = Type.Object(
  {
    status: FactorStatus,
    recoveryCodes: nullable(
      Type.Array(Type.String(), { description: 'Shown this once, with the first factor. Keep them on paper.' }),
    ),
  },
  { title: 'Enrolled' },
);
