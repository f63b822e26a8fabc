import { registerParts } from './parts.ts';

/**
 * The parts that are compiled on first use. The build makes a function of each `import()`, which returns the exports at once:
 * nothing is loaded from anywhere, and there is no promise. See build-parts.ts.
 */
export function installParts(): void {
  registerParts({
    streams: () => import('./streams/index.ts'),
  });
}
