/** A column whose values the envelope sealed with the keys of the configuration. */
export interface SealedColumn {
  table: string;
  column: string;
  /** Columns of its key; joined by `/` they are the `row` of the place that a value is bound to. */
  key: readonly [string, ...string[]];
}

/** Every one there is: what `gatehouse keys rotate` wraps anew. A test compares this with the schema. */
export const SEALED_COLUMNS: readonly SealedColumn[] = [
  { table: 'installation_secrets', column: 'sealed', key: ['installation_id', 'name'] },
  { table: 'accounts', column: 'person_key', key: ['id'] },
  { table: 'access_token_keys', column: 'sealed', key: ['id'] },
  { table: 'mail_outbox', column: 'sealed', key: ['id'] },
  { table: 'totp_factors', column: 'sealed', key: ['id'] },
  { table: 'webhook_secrets', column: 'sealed', key: ['id'] },
];

/** Sealed under the key of a person, which is `accounts.person_key`: wrapping that one anew is enough. */
export const SEALED_BY_PERSON: readonly string[] = [
  'accounts.phone_sealed',
  'account_emails.sealed',
  'personal_exports.sealed',
];
