/** Everything the registry refuses, with the sentence that a reader gets when there is nothing more precise to say. */
export const REGISTRY_REFUSALS = {
  'organisation-id-taken': 'This id was used for another organisation.',
  'cursor-invalid': 'The cursor is not one that this list returned; leave it out to start again.',
  'slug-taken': 'Another organisation has this slug.',
  'organisation-unknown': 'There is no organisation with this slug.',
  'organisation-foreign': 'This belongs to another organisation.',
  'role-not-allowed': 'An organisation of this kind cannot give this role.',
  'organisations-too-many': 'You own as many organisations as one person may.',
  'member-unknown': 'There is no such member.',
  'member-already': 'You are a member of this organisation already.',
  'last-owner': 'The organisation would be left without an owner.',
  'invitation-unknown': 'There is no such invitation, or it has been used, withdrawn or expired.',
  'invitation-for-another': 'The invitation is for another address than those that you have verified.',
  'invitations-too-many': 'The organisation has as many open invitations as it may.',
  'ownership-offer-unknown': 'There is no such offer, or it has ended.',
  'ownership-offer-pending': 'The organisation is offered to somebody already.',
  'token-unknown': 'There is no such token.',
  'device-code-unknown': 'No program waits with this code; it may have been used, or be too old.',
  'device-code-pending': 'Nobody has approved the code yet.',
  'device-code-slow-down': 'You ask too often.',
  'device-code-denied': 'The code was denied.',
  'device-code-expired': 'The code has expired, or was used.',
  'token-restricted': 'The token is restricted to something else than this.',
  'token-restriction-invalid': 'The token cannot be restricted like this.',
  'token-rotated': 'The token has a successor already.',
  'account-invalid': 'What was written for the account does not fit; `faults` names every fault.',
  'username-taken': 'Somebody else has this username.',
  'credentials-invalid': 'The login or the password is wrong.',
  'password-wrong': 'The current password is wrong.',
  'email-unverified': 'The address of this account has not been confirmed yet.',
  'login-locked': 'There were too many attempts; try again as Retry-After says.',
  'login-busy': 'More people log in than this host can check at a time; try again shortly.',
  'code-invalid': 'The code is unknown, used or expired.',
  'refresh-invalid': 'The refresh token is unknown or expired, or its session has ended; log in again.',
  'session-unknown': 'You have no such session.',
  'account-unknown': 'There is no such account.',
  'confirmation-needed': 'This needs a second factor, or where there is none a login, of the last ten minutes.',
  'factor-unknown': 'The account has no such second factor.',
  'factor-invalid': 'The code or the passkey is wrong, was used before, or belongs to another time or account.',
  'challenge-invalid': 'The challenge is unknown, used, expired, tried too often, or was made for somebody else.',
  'passkeys-unavailable': 'Passkeys need a host with a name, and this one is reached by an address.',
  'passkeys-full': 'The account has as many passkeys as it may.',
  'passkey-taken': 'This passkey is registered already.',
  'last-way-in': 'Without this nobody could log in to the account any more.',
  'telegram-unavailable': 'This host has no Telegram bot.',
  'telegram-data-invalid': "Telegram did not write this init data for this host's bot.",
  'telegram-data-stale': 'The init data is too old, or from the future.',
  'telegram-data-used': 'The init data was used before; it is good for one login.',
  'telegram-taken': 'This Telegram account is linked to another account, or this account to another one of Telegram.',
  'telegram-unlinked': 'No Telegram account is linked.',
  'key-invalid': 'The key is not an Ed25519 public key in PEM form.',
  'key-taken': 'Another publisher has registered this key.',
  'publisher-foreign': 'The manifest names another publisher than the one who publishes.',
  'release-archive-invalid': 'The archive is not a well-formed release archive.',
  'release-manifest-invalid': 'The manifest has faults.',
  'release-signature-invalid': "No registered key of the publisher signed this archive's digest.",
  'release-version-taken': 'This version was published before with other contents; versions are immutable.',
  'plugin-name-confusable': 'Another plugin looks the same at a glance.',
  'plugin-unknown': 'There is no such plugin of yours.',
  'release-unknown': 'There is no such release.',
  'dist-tag-invalid': 'This cannot be the name of a channel.',
  'key-unknown': 'There is no such key.',
  'key-state-invalid': 'The key is revoked, or has a successor already.',
  'scan-unknown': 'There is no scan of this release that you may see.',
  'scan-running': 'The release is still being scanned.',
  'scan-unacknowledged': 'The scan asks for a second look at this release, and nobody has said that they took one.',
  'version-range-invalid': 'This is neither a version nor a range of versions.',
  'version-range-unsatisfied': 'No published release of the plugin fits this range.',
  'release-not-logged': 'The approval of this release is not in the transparency log, so it is not installed.',
  'plugin-unlisted': 'The catalogue has no plugin with this name.',
  'log-entry-unknown': 'The transparency log has no such entry, or is not that long.',
  'log-inconsistent':
    'The stored transparency log is not the one that was signed; nothing is signed or proven until an admin has looked.',
  'review-conflict': 'Another moderator has to decide this.',
  'review-assigned': 'Another moderator has taken this review.',
  'review-checklist-open': 'The checklist of this review is not done, or has a fault.',
  'review-evidence-invalid': 'The evidence points to nothing in the archive.',
  'appeal-spent': 'The appeal against this decision has been decided; publish a new version.',
  'release-state-invalid': 'The release is in a state that does not allow this.',
} as const;

export type RegistryRefusalCode = keyof typeof REGISTRY_REFUSALS;

/** An expected refusal: a permanent code, a sentence that says what to do, and facts that are safe to show. */
export class RegistryRefusal extends Error {
  override name = 'RegistryRefusal';
  readonly code: RegistryRefusalCode;
  readonly facts: Record<string, unknown>;
  constructor(
    code: RegistryRefusalCode,
    message: string = REGISTRY_REFUSALS[code],
    facts: Record<string, unknown> = {},
  ) {
    super(message);
    this.code = code;
    this.facts = facts;
  }
}
