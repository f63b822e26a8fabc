export { normalEmail } from './accounts/account-faults.ts';
export { createAccounts } from './accounts/compose.ts';
export type {
  AccountProfile,
  Accounts,
  Mail,
  PersonVault,
  SecurityEvent,
} from './accounts/contract.ts';
export { BCRYPT_COST, createPasswordHasher } from './accounts/hash-passwords.ts';
export { createAuditKeeper } from './audit/audit-keeper-store.ts';
export type { AuditHead } from './audit/audit-reader-store.ts';
export { type AuditIn, createAuditIn } from './audit/audit-store.ts';
export type { AuditReport } from './audit/verify-audit.ts';
export * from './compose.ts';
export * from './contract.ts';
export { createDevices } from './devices/compose.ts';
export type { Devices } from './devices/contract.ts';
export * from './errors.ts';
export { activeAccountIn } from './factors/active-account-store.ts';
export { createFactors } from './factors/compose.ts';
export { FACTOR_METHODS, type FactorProof, type Factors, type PasskeyPlace } from './factors/contract.ts';
export type { FactorEvent } from './factors/factor-ports.ts';
export { issueForMember } from './identity/issue-token.ts';
export { createOrganisationStore } from './identity/organisation-store.ts';
export { createTokenStore } from './identity/token-store.ts';
export { createOrganisations } from './organisations/compose.ts';
export type { Organisations } from './organisations/contract.ts';
export type { AuditEntry, AuditOrigin } from './rules/audit-entry.ts';
export { statementOf } from './rules/log-event.ts';
export * from './rules/permissions.ts';
export { isSteppedUp, needsFactor, STEP_UP_MS } from './rules/second-factor.ts';
export { may } from './rules/token-rights.ts';
export { compareVersions } from './rules/version.ts';
export { newestInRange, VERSION_WISH_CHARS_MAX } from './rules/version-range.ts';
export { createSessions, endSessionsIn } from './sessions/compose.ts';
export type { Sessions, SessionTokens } from './sessions/contract.ts';
export { loadSigningKey, SigningKeyUnusable } from './signing/load-signing-key.ts';
export { createTelegram } from './telegram/compose.ts';
export type { Telegram } from './telegram/contract.ts';
export { TELEGRAM_PUBLIC_KEYS } from './telegram/rules/telegram-keys.ts';
export { telegramAccountIn } from './telegram/telegram-account-store.ts';
export { createTransparency } from './transparency/compose.ts';
export type { LogReport, Transparency } from './transparency/contract.ts';
export { createLogIn, type LogIn } from './transparency/log-event-store.ts';
export { ENTRIES_PAGE_MAX } from './transparency/read-log.ts';
