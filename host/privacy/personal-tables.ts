/** Where something about a person stands: what an archive shows of it, and what becomes of it when the person is erased. */
export interface PersonalTable {
  /** Name in the archive. */
  name: string;
  table: string;
  /** The column that names the account. */
  account: string;
  /** What the archive shows; never a hash or a key. */
  shown: readonly string[];
  /** `delete`: rows go. `keep`: others rely on them, and they name an id only. */
  erasure: 'delete' | 'keep';
}

/** A test compares this with the schema: every column that refers to an account. */
export const PERSONAL_TABLES: readonly PersonalTable[] = [
  {
    name: 'sessions',
    table: 'sessions',
    account: 'account_id',
    shown: ['id', 'device', 'user_agent', 'address', 'created_at', 'last_seen_at', 'revoked_at', 'revoked_reason'],
    erasure: 'delete',
  },
  {
    name: 'emails',
    table: 'account_emails',
    account: 'account_id',
    shown: ['id', 'verified_at', 'created_at'],
    erasure: 'delete',
  },
  { name: 'password', table: 'account_passwords', account: 'account_id', shown: ['changed_at'], erasure: 'delete' },
  {
    name: 'codes',
    table: 'account_codes',
    account: 'account_id',
    shown: ['purpose', 'created_at', 'expires_at', 'used_at'],
    erasure: 'delete',
  },
  {
    name: 'mails',
    table: 'mail_outbox',
    account: 'account_id',
    shown: ['id', 'created_at', 'sent_at'],
    erasure: 'delete',
  },
  {
    name: 'totp',
    table: 'totp_factors',
    account: 'account_id',
    shown: ['id', 'label', 'created_at', 'last_used_at'],
    erasure: 'delete',
  },
  {
    name: 'recoveryCodes',
    table: 'recovery_codes',
    account: 'account_id',
    shown: ['created_at', 'used_at'],
    erasure: 'delete',
  },
  {
    name: 'passkeys',
    table: 'passkeys',
    account: 'account_id',
    shown: ['id', 'label', 'created_at', 'last_used_at'],
    erasure: 'delete',
  },
  {
    name: 'challenges',
    table: 'factor_challenges',
    account: 'account_id',
    shown: ['purpose', 'created_at'],
    erasure: 'delete',
  },
  {
    name: 'telegram',
    table: 'telegram_identities',
    account: 'account_id',
    shown: ['telegram_id', 'linked_at'],
    erasure: 'delete',
  },
  {
    name: 'memberships',
    table: 'memberships',
    account: 'account_id',
    shown: ['organisation_id', 'role', 'created_at'],
    erasure: 'delete',
  },
  // What an organisation says of a plugin; who of it wrote it stays an id.
  {
    name: 'ratings',
    table: 'ratings',
    account: 'account_id',
    shown: ['id', 'stars', 'body', 'created_at', 'updated_at'],
    erasure: 'keep',
  },
  {
    name: 'offersMade',
    table: 'ownership_offers',
    account: 'from_account_id',
    shown: ['id', 'organisation_id', 'state', 'created_at'],
    erasure: 'keep',
  },
  {
    name: 'offersReceived',
    table: 'ownership_offers',
    account: 'to_account_id',
    shown: ['id', 'organisation_id', 'state', 'created_at'],
    erasure: 'keep',
  },
  {
    name: 'invitationsSent',
    table: 'invitations',
    account: 'invited_by',
    shown: ['id', 'organisation_id', 'role', 'state', 'created_at'],
    erasure: 'keep',
  },
  {
    name: 'invitationsEnded',
    table: 'invitations',
    account: 'ended_by',
    shown: ['id', 'organisation_id', 'role', 'state', 'ended_at'],
    erasure: 'keep',
  },
  { name: 'deviceCodes', table: 'device_codes', account: 'account_id', shown: ['created_at'], erasure: 'delete' },
  {
    name: 'tokens',
    table: 'api_tokens',
    account: 'account_id',
    shown: ['id', 'organisation_id', 'role', 'label', 'created_at', 'expires_at', 'revoked_at', 'last_used_at'],
    erasure: 'keep',
  },
  {
    name: 'exports',
    table: 'personal_exports',
    account: 'account_id',
    shown: ['id', 'state', 'created_at'],
    erasure: 'delete',
  },
];
