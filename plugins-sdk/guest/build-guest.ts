import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { partsPlugin } from './build-parts.ts';

/** How the guest's own frames are named in stacks, whatever the sandbox calls the script. */
const GUEST_SCRIPT = 'gatehouse:guest';

let built: Promise<string> | null = null;

/** The guest runtime as one script (an IIFE in strict mode) for SandboxPorts.guest. Built once per process, in about 50 ms. */
export function buildGuest(): Promise<string> {
  built ??= bundleGuest().catch((error) => {
    built = null;
    throw error;
  });
  return built;
}

async function bundleGuest(): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(new URL('./main.ts', import.meta.url))],
    bundle: true,
    write: false,
    format: 'iife',
    target: 'es2024',
    platform: 'neutral',
    mainFields: ['main'],
    minify: true,
    legalComments: 'none',
    footer: { js: `//# sourceURL=${GUEST_SCRIPT}` },
    banner: { js: '"use strict";' },
    define: {
      GUEST_SCRIPT: JSON.stringify(GUEST_SCRIPT),
    },
    plugins: [partsPlugin],
    tsconfigRaw: '{}',
    logLevel: 'silent',
  });
  return outputFiles[0]!.text;
}
