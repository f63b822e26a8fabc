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
export { createCatalogue } from './catalog/compose.ts';
export * from './catalog/contract.ts';
export * from './compose.ts';
export { createListings, createViewCounter } from './compose-listings.ts';
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
export { createKeyChain, rotateRegistryKey } from './key-chain.ts';
export type { Compatibility, ListingDetails, Listings } from './listings/contract.ts';
export { createOrganisations } from './organisations/compose.ts';
export type { Organisations } from './organisations/contract.ts';
export { chooseLatestIn } from './publishing/compose.ts';
export type { DistTag, ReleaseLife } from './publishing/life-contract.ts';
export { readArchive } from './publishing/read-archive.ts';
export { createRatings } from './ratings/compose.ts';
export type { Rating, RatingReport, Ratings } from './ratings/contract.ts';
export * from './review/contract.ts';
export {
  ITEMS as CHECKLIST,
  VERDICTS as CHECK_VERDICTS,
} from './review/rules/checklist.ts';
export type { AuditEntry, AuditOrigin } from './rules/audit-entry.ts';
export { statementOf } from './rules/log-event.ts';
export * from './rules/permissions.ts';
export { isRunnable, RUNNABLE_STATES } from './rules/runnable-release.ts';
export { isSteppedUp, needsFactor, STEP_UP_MS } from './rules/second-factor.ts';
export { SIGNING_WEAKNESSES, type SigningWeakness } from './rules/signing-strength.ts';
export { may } from './rules/token-rights.ts';
export { compareVersions } from './rules/version.ts';
export { newestInRange, VERSION_WISH_CHARS_MAX } from './rules/version-range.ts';
export { createScans } from './scanning/compose.ts';
export type { ClaimedScan, Scans } from './scanning/contract.ts';
export { hostOf, isDeclaredHost } from './scanning/rules/declared.ts';
export { FAMILIES as SCAN_FAMILIES } from './scanning/rules/families.ts';
export { observedFindings } from './scanning/rules/observed.ts';
export {
  type DynamicReport,
  type Finding,
  SCAN_STAGES,
  type Scan,
  type ScannedRelease,
  type ScanReport,
  SEVERITIES as SCAN_SEVERITIES,
  VERDICTS as SCAN_VERDICTS,
} from './scanning/rules/scan-report.ts';
export { reportOf } from './scanning/rules/verdict.ts';
export { scanInWorker } from './scanning/scan-in-worker.ts';
export { createSessions, endSessionsIn } from './sessions/compose.ts';
export type { Sessions, SessionTokens } from './sessions/contract.ts';
export type { KeyLife } from './signing/contract.ts';
export { loadSigningKey, SigningKeyUnusable } from './signing/load-signing-key.ts';
export { createTelegram } from './telegram/compose.ts';
export type { Telegram } from './telegram/contract.ts';
export { TELEGRAM_PUBLIC_KEYS } from './telegram/rules/telegram-keys.ts';
export { telegramAccountIn } from './telegram/telegram-account-store.ts';
export type { ImportReport, Transfers } from './transfer/contract.ts';
export { createTransparency } from './transparency/compose.ts';
export type { LogReport, Transparency } from './transparency/contract.ts';
export { createLogIn, type LogIn } from './transparency/log-event-store.ts';
export { ENTRIES_PAGE_MAX } from './transparency/read-log.ts';
export type { Upload, Uploads } from './uploads/contract.ts';
