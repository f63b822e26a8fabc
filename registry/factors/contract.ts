import type { Knex } from 'knex';
import type { Person, ProvenAccount } from '../contract.ts';
import type { AuditEntry } from '../rules/audit-entry.ts';

/** What a browser's `navigator.credentials.create()` answered, as its `toJSON()` writes it (WebAuthn level 3). */
export interface PasskeyRegistration {
  id: string;
  rawId: string;
  type: 'public-key';
  response: { clientDataJSON: string; attestationObject: string; transports?: string[] };
  clientExtensionResults: Record<string, unknown>;
}

/** The same of `navigator.credentials.get()`. */
export interface PasskeyAssertion {
  id: string;
  rawId: string;
  type: 'public-key';
  response: { clientDataJSON: string; authenticatorData: string; signature: string; userHandle?: string };
  clientExtensionResults: Record<string, unknown>;
}

/** What shows a second factor; exactly one of the three. */
export type FactorProof = { code: string } | { recoveryCode: string } | { passkey: PasskeyAssertion };

/** Which client sends a request. */
export interface FactorClient {
  address: string;
  userAgent: string;
}

export interface Passkey {
  id: string;
  label: string;
  /** Whether its owner has it on several devices. */
  backedUp: boolean;
  createdAt: string;
  lastUsedAt: string | null;
}

export interface FactorStatus {
  totp: { label: string; createdAt: string; lastUsedAt: string | null } | null;
  passkeys: Passkey[];
  recoveryCodesLeft: number;
}

export const FACTOR_METHODS = ['totp', 'passkey', 'recovery-code'] as const;
export type FactorMethod = (typeof FACTOR_METHODS)[number];

/** What is asked of a client. Options are what `navigator.credentials` takes, as JSON. */
export interface FactorChallenge {
  /** One use, within `expiresAt`; a secret of the client. */
  challenge: string;
  expiresAt: string;
  methods: FactorMethod[];
  /** Null where there is no passkey, and where this host has no name that a passkey could be for. */
  passkeyOptions: Record<string, unknown> | null;
}

/** What a change of factors leaves behind. The codes are shown this once, where there were none before. */
export interface Enrolled {
  status: FactorStatus;
  recoveryCodes: string[] | null;
}

/**
 * Second factors of people. A change of them asks for a factor confirmed in the last ten minutes, or, where there is none yet, a
 * login of the last ten minutes; it ends every other session of the person at once.
 */
export interface Factors {
  status(accountId: string): Promise<FactorStatus>;
  /**
   * A new secret for an authenticator app. It counts once a code of it has come back within ten minutes, and then takes the place of
   * the one before. Refuses with: confirmation-needed.
   */
  startTotp(person: Person, command: { label: string }): Promise<{ secret: string; uri: string; qrSvg: string }>;
  /** Refuses with: factor-unknown (nothing waits for a code), factor-invalid, login-locked. */
  confirmTotp(person: Person, command: { code: string }, client: FactorClient): Promise<Enrolled>;
  /** Refuses with: confirmation-needed, factor-unknown. */
  removeTotp(person: Person): Promise<FactorStatus>;
  /** Ten new codes; the ones before are void. Refuses with: confirmation-needed, factor-unknown (nothing to recover). */
  renewRecoveryCodes(person: Person): Promise<string[]>;
  /** Refuses with: confirmation-needed, passkeys-unavailable, passkeys-full. */
  startPasskey(person: Person): Promise<FactorChallenge>;
  /** Refuses with: challenge-invalid, factor-invalid, passkey-taken, passkeys-full. */
  addPasskey(
    person: Person,
    command: { challenge: string; label: string; passkey: PasskeyRegistration },
  ): Promise<Enrolled>;
  /** Refuses with: confirmation-needed, factor-unknown, last-way-in. */
  removePasskey(person: Person, passkeyId: string): Promise<FactorStatus>;

  /** What the person may confirm. Refuses with: factor-unknown (there is none). */
  startStepUp(person: Person): Promise<FactorChallenge>;
  /** The moment from which on the session counts as confirmed. Refuses with: factor-invalid, challenge-invalid, login-locked. */
  stepUp(person: Person, command: { challenge?: string; proof: FactorProof }, client: FactorClient): Promise<number>;

  /** What stands between the first factor and a session; null where there is no second one. */
  challengeFor(account: ProvenAccount, client: FactorClient): Promise<FactorChallenge | null>;
  /** Whose login it was. Refuses with: challenge-invalid, factor-invalid, login-locked. */
  answerChallenge(command: { challenge: string; proof: FactorProof }, client: FactorClient): Promise<ProvenAccount>;
  /** For a login by nothing but a passkey. Refuses with: passkeys-unavailable. */
  startPasskeyLogin(): Promise<FactorChallenge>;
  /** The passkey must have verified its user. Refuses with: challenge-invalid, factor-invalid, login-locked. */
  logInByPasskey(
    command: { challenge: string; passkey: PasskeyAssertion },
    client: FactorClient,
  ): Promise<ProvenAccount>;

  /** For somebody who has lost everything: takes all factors and ends all sessions. Refuses with: factor-unknown (no such account), last-way-in. */
  reset(actor: AuditEntry['actor'], accountId: string): Promise<void>;
  /** Lets pass who has just shown what there is to show: a factor, or where there is none yet, the way they log in. Refuses with: confirmation-needed. */
  requireFresh(person: Person): Promise<unknown>;
  /** How the person can log in, with the account locked until the transaction ends. */
  waysInIn(database: Knex): WaysInReader;
  /** Forgets challenges that have had their time. */
  sweep(): Promise<void>;
}

export type WaysInReader = (accountId: string) => Promise<{ password: boolean; telegram: boolean; passkeys: number }>;

/** Where passkeys are for: the domain, and the origins that pages with it may have. */
export interface PasskeyPlace {
  domain: string;
  origins: string[];
}
