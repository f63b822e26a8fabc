export * from './compose.ts';
export * from './contract.ts';
export * from './errors.ts';
export * from './rules/permissions.ts';
export { compareVersions } from './rules/version.ts';
export { newestInRange, VERSION_WISH_CHARS_MAX } from './rules/version-range.ts';
export { loadSigningKey, SigningKeyUnusable } from './signing/load-signing-key.ts';
