import { stopBundler } from '../../plugins-sdk/kept-build.ts';

/**
 * Lets go of what only the start needed: the bundler's process, which made the guest and the code of cordons (40 MiB), and garbage (25
 * MiB), which V8 would hold for as long as nobody calls. Takes 0.1 s, in which nobody is answered: call it before anybody knows the
 * address.
 */
export async function leaveStartBehind(): Promise<void> {
  await stopBundler();
  // Only the last resort gives pages back; what others collect stays in V8's pool. Absent without --expose-gc (bin/launch/host-flags.mjs).
  globalThis.gc?.({ type: 'major', execution: 'sync', flavor: 'last-resort' });
}
