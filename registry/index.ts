export { type AuditIn, createAuditIn } from './audit/audit-store.ts';
export * from './compose.ts';
export * from './contract.ts';
export * from './errors.ts';
export type { Audit, AuditEntry, AuditOrigin } from './rules/audit-entry.ts';
export * from './rules/permissions.ts';
export { compareVersions } from './rules/version.ts';
export { newestInRange, VERSION_WISH_CHARS_MAX } from './rules/version-range.ts';
export { loadSigningKey, SigningKeyUnusable } from './signing/load-signing-key.ts';
