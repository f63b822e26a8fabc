import type { RegistrationResponseJSON } from '@simplewebauthn/server';
import type { PasskeyAssertion, PasskeyPlace, PasskeyRegistration } from './contract.ts';
import type { StoredPasskey } from './passkey-store.ts';

/** The only door to @simplewebauthn/server, which takes a while to load: it comes with the first passkey. */
let opened: Promise<typeof import('@simplewebauthn/server')> | undefined;
const library = () => {
  opened ??= import('@simplewebauthn/server');
  return opened;
};

/** EdDSA, ES256 and RS256 (COSE): what authenticators have. */
const ALGORITHMS = [-8, -7, -257];
const TIMEOUT_MS = 300_000;

type Options = Record<string, unknown>;
const listed = (passkeys: StoredPasskey[]) =>
  passkeys.map(({ credentialId, transports }) => ({ id: credentialId.toString('base64url'), transports }));

export async function registrationOptions(command: {
  place: PasskeyPlace;
  challenge: Buffer;
  account: { id: string; username: string };
  passkeys: StoredPasskey[];
}): Promise<Options> {
  const { place, challenge, account, passkeys } = command;
  const { generateRegistrationOptions } = await library();
  const options = await generateRegistrationOptions({
    rpName: 'Gatehouse',
    rpID: place.domain,
    userID: new Uint8Array(Buffer.from(account.id)),
    userName: account.username,
    challenge: new Uint8Array(challenge),
    timeout: TIMEOUT_MS,
    attestationType: 'none',
    excludeCredentials: listed(passkeys),
    authenticatorSelection: { residentKey: 'preferred', userVerification: 'preferred' },
    supportedAlgorithmIDs: ALGORITHMS,
  });
  return options as unknown as Options;
}

/** `passkeys` null: whichever the person chooses, and it has to verify who they are. */
export async function assertionOptions(command: {
  place: PasskeyPlace;
  challenge: Buffer;
  passkeys: StoredPasskey[] | null;
}): Promise<Options> {
  const { place, challenge, passkeys } = command;
  const { generateAuthenticationOptions } = await library();
  const options = await generateAuthenticationOptions({
    rpID: place.domain,
    challenge: new Uint8Array(challenge),
    timeout: TIMEOUT_MS,
    userVerification: passkeys === null ? 'required' : 'preferred',
    ...(passkeys !== null && { allowCredentials: listed(passkeys) }),
  });
  return options as unknown as Options;
}

export type NewPasskey = Pick<StoredPasskey, 'credentialId' | 'publicKey' | 'counter' | 'transports' | 'backedUp'>;

/** The credential that an answer to `registrationOptions` brings; null where anything about it is wrong. */
export async function readRegistration(command: {
  place: PasskeyPlace;
  challenge: string;
  passkey: PasskeyRegistration;
}): Promise<NewPasskey | null> {
  const { verifyRegistrationResponse } = await library();
  const { place, challenge, passkey } = command;
  try {
    const { verified, registrationInfo } = await verifyRegistrationResponse({
      response: passkey as RegistrationResponseJSON,
      expectedChallenge: challenge,
      expectedOrigin: place.origins,
      expectedRPID: place.domain,
      requireUserVerification: false,
      supportedAlgorithmIDs: ALGORITHMS,
    });
    if (!verified) return null;
    const { credential, credentialBackedUp } = registrationInfo;
    return {
      credentialId: Buffer.from(credential.id, 'base64url'),
      publicKey: Buffer.from(credential.publicKey),
      counter: credential.counter,
      transports: (passkey.response.transports ?? []).filter((each) => /^[a-z-]{1,20}$/.test(each)).slice(0, 10),
      backedUp: credentialBackedUp,
    };
  } catch {
    // Whatever it trips over was written by a stranger.
    return null;
  }
}

export type AssertionVerdict =
  | { valid: true; counter: number; backedUp: boolean }
  /** `counterWentBack`: everything else is right, so there may be a second copy of the authenticator. */
  | { valid: false; counterWentBack: boolean };

/** Checks an answer to `assertionOptions` by the stored credential. */
export async function checkAssertion(command: {
  place: PasskeyPlace;
  challenge: string;
  passkey: PasskeyAssertion;
  stored: StoredPasskey;
  userVerified: boolean;
}): Promise<AssertionVerdict> {
  const { verifyAuthenticationResponse } = await library();
  const { place, challenge, passkey, stored, userVerified } = command;
  const wrong = { valid: false, counterWentBack: false } as const;
  try {
    const { verified, authenticationInfo } = await verifyAuthenticationResponse({
      response: passkey,
      expectedChallenge: challenge,
      expectedOrigin: place.origins,
      expectedRPID: place.domain,
      requireUserVerification: userVerified,
      // The counter is compared below: by itself it is no reason to throw among others.
      credential: {
        id: stored.credentialId.toString('base64url'),
        publicKey: new Uint8Array(stored.publicKey),
        counter: 0,
      },
    });
    if (!verified) return wrong;
    const { newCounter, credentialBackedUp } = authenticationInfo;
    // WebAuthn level 3, 7.2, step 22: authenticators that do not count say 0 for ever.
    const counts = newCounter > 0 || stored.counter > 0;
    if (counts && newCounter <= stored.counter) return { valid: false, counterWentBack: true };
    return { valid: true, counter: newCounter, backedUp: credentialBackedUp };
  } catch {
    return wrong;
  }
}
