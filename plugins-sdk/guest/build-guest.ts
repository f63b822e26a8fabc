import path from 'node:path';
import { joinGuest } from '../contract/guest-text.ts';
import { type Build, keptBuild, loadBundler, ROOT } from '../kept-build.ts';
import { BUILDER, collectParts } from './build-parts.ts';

/** How the guest's own frames are named in stacks, whatever the sandbox calls the script. */
const GUEST_SCRIPT = 'gatehouse:guest';
const FOOTER = `//# sourceURL=${GUEST_SCRIPT}`;

let built: Promise<string> | null = null;

/**
 * The guest runtime for SandboxPorts.guest: an IIFE in strict mode and the texts of its parts; see contract/guest-text.ts. Built once,
 * see kept-build.ts, in about 50 ms.
 */
export function buildGuest(): Promise<string> {
  built ??= keptBuild('guest', {}, bundleGuest).then(
    ({ guest }) => guest!,
    (error) => {
      built = null;
      throw error;
    },
  );
  return built;
}

async function bundleGuest(): Promise<Build> {
  const { build } = await loadBundler();
  const parts = collectParts(FOOTER);
  const { outputFiles, metafile } = await build({
    entryPoints: [path.join(import.meta.dirname, 'main.ts')],
    absWorkingDir: ROOT,
    bundle: true,
    write: false,
    metafile: true,
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
  const guest = joinGuest({ core: outputFiles[0]!.text, parts: parts.text() });
  const own = path.relative(ROOT, import.meta.filename);
  return { texts: { guest }, inputs: [own, BUILDER, ...parts.inputs(), ...Object.keys(metafile.inputs)] };
}
