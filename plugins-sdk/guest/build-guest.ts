import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { joinGuest } from '../contract/guest-text.ts';
import { collectParts } from './build-parts.ts';

/** How the guest's own frames are named in stacks, whatever the sandbox calls the script. */
const GUEST_SCRIPT = 'gatehouse:guest';
const FOOTER = `//# sourceURL=${GUEST_SCRIPT}`;

let built: Promise<string> | null = null;

/**
 * The guest runtime for SandboxPorts.guest: an IIFE in strict mode and the texts of its parts; see contract/guest-text.ts. Built once
 * per process, in about 50 ms.
 */
export function buildGuest(): Promise<string> {
  built ??= bundleGuest().catch((error) => {
    built = null;
    throw error;
  });
  return built;
}

async function bundleGuest(): Promise<string> {
  const parts = collectParts(FOOTER);
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
    footer: { js: FOOTER },
    banner: { js: '"use strict";' },
    define: {
      GUEST_SCRIPT: JSON.stringify(GUEST_SCRIPT),
    },
    plugins: [parts.plugin],
    tsconfigRaw: '{}',
    logLevel: 'silent',
  });
  return joinGuest({ core: outputFiles[0]!.text, parts: parts.text() });
}
