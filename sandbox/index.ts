export * from './contract.ts';
export { createSandbox } from './create-sandbox.ts';
export * from './errors.ts';
