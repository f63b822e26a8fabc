export { BackOff } from './back-off.ts';
export { CONFINEMENT_MODES, ConfinementMissing, type ConfinementMode } from './confinement/detect-confinement.ts';
export { lookAt } from './confinement/look-at.ts';
export * from './contract.ts';
export { createSandbox } from './create-sandbox.ts';
export * from './errors.ts';
export { confinementOf } from './launch-cordon.ts';
