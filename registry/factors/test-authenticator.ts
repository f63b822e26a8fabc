import { createHash, generateKeyPairSync, randomBytes, sign } from 'node:crypto';
import type { PasskeyAssertion, PasskeyRegistration } from './contract.ts';

const sha256 = (bytes: string | Buffer): Buffer => createHash('sha256').update(bytes).digest();

// Flags of authenticator data (WebAuthn level 3, 6.1).
const [USER_PRESENT, USER_VERIFIED, CREDENTIAL_INCLUDED] = [0x01, 0x04, 0x40];

/** An authenticator in software: one ES256 key, and "none" for an attestation, as most give. Its wishes make it lie. */
export function testAuthenticator({ domain, origin }: { domain: string; origin: string }) {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const { x, y } = publicKey.export({ format: 'jwk' }) as { x: string; y: string };
  const credentialId = randomBytes(32);
  const id = credentialId.toString('base64url');
  let counter = 0;

  interface Wishes {
    origin?: string;
    domain?: string;
    type?: string;
    counter?: number;
    verified?: boolean;
  }
  const clientData = (challenge: string, type: string, wishes: Wishes): Buffer =>
    Buffer.from(JSON.stringify({ type: wishes.type ?? type, challenge, origin: wishes.origin ?? origin }));
  const authenticatorData = (flags: number, wishes: Wishes): Buffer => {
    counter = wishes.counter ?? counter + 1;
    const head = Buffer.alloc(5);
    head.writeUInt8(flags | USER_PRESENT | (wishes.verified === false ? 0 : USER_VERIFIED));
    head.writeUInt32BE(counter, 1);
    return Buffer.concat([sha256(wishes.domain ?? domain), head]);
  };
  // CBOR (RFC 8949) by hand: {1: 2, 3: -7, -1: 1, -2: x, -3: y} of COSE, RFC 9053.
  const coseKey = Buffer.concat([
    Buffer.from('a5010203262001215820', 'hex'),
    Buffer.from(x, 'base64url'),
    Buffer.from('225820', 'hex'),
    Buffer.from(y, 'base64url'),
  ]);
  const text = (value: string): Buffer => Buffer.concat([Buffer.from([0x60 + value.length]), Buffer.from(value)]);

  return {
    credentialId,
    create(challenge: string, wishes: Wishes = {}): PasskeyRegistration {
      const authData = Buffer.concat([
        authenticatorData(CREDENTIAL_INCLUDED, wishes),
        Buffer.alloc(16),
        Buffer.from([0, credentialId.length]),
        credentialId,
        coseKey,
      ]);
      const attestation = [Buffer.from([0xa3]), text('fmt'), text('none'), text('attStmt'), Buffer.from([0xa0])];
      const bytes = Buffer.concat([...attestation, text('authData'), Buffer.from([0x58, authData.length]), authData]);
      return {
        id,
        rawId: id,
        type: 'public-key',
        response: {
          clientDataJSON: clientData(challenge, 'webauthn.create', wishes).toString('base64url'),
          attestationObject: bytes.toString('base64url'),
          transports: ['internal'],
        },
        clientExtensionResults: {},
      };
    },
    get(challenge: string, wishes: Wishes = {}): PasskeyAssertion {
      const authData = authenticatorData(0, wishes);
      const client = clientData(challenge, 'webauthn.get', wishes);
      const signature = sign('sha256', Buffer.concat([authData, sha256(client)]), privateKey);
      return {
        id,
        rawId: id,
        type: 'public-key',
        response: {
          clientDataJSON: client.toString('base64url'),
          authenticatorData: authData.toString('base64url'),
          signature: signature.toString('base64url'),
        },
        clientExtensionResults: {},
      };
    },
  };
}
