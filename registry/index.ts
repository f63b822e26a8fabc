export * from './compose.ts';
export * from './contract.ts';
export * from './errors.ts';
export * from './rules/permissions.ts';
export { loadSigningKey, SigningKeyUnusable } from './signing/load-signing-key.ts';
