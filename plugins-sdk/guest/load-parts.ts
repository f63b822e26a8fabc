import { registerParts, takePartTexts } from './parts.ts';

/**
 * The parts that are compiled on first use. The build makes a call of `makePart` of each `import()`, which returns the exports at once:
 * nothing is loaded from anywhere, and there is no promise. See build-parts.ts.
 */
export function installParts(): void {
  takePartTexts();
  registerParts({
    encodings: () => import('./encodings/index.ts'),
    'url-pattern': () => import('./url-pattern/index.ts'),
    subtle: () => import('./subtle/index.ts'),
    url: () => import('./url/index.ts'),
    'url-params': () => import('./url/params/index.ts'),
    'url-parser': () => import('./url/parser/index.ts'),
    streams: () => import('./streams/index.ts'),
    blob: () => import('./blob/index.ts'),
    compression: () => import('./compression/index.ts'),
  });
}
