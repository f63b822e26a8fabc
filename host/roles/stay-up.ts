const FORCE_AFTER_MS = 1_000;

/**
 * Resolves with the exit code once the process was asked to end (SIGINT, SIGTERM, `askedElsewhere`) or something it stands on died, and
 * `close` has run. A second Ctrl-C, a moment after the first, ends at once; a second SIGTERM does not: who asks a group of processes to
 * end asks each of them, and those that pass it on ask once more.
 */
export async function stayUp(
  close: () => Promise<void>,
  died: Promise<string>,
  askedElsewhere: Promise<void> = new Promise(() => {}),
): Promise<number> {
  let closingSinceMs = Number.POSITIVE_INFINITY;
  const asked = new Promise<null>((resolve) => {
    process.on('SIGTERM', () => resolve(null));
    process.on('SIGINT', () => {
      if (Date.now() - closingSinceMs > FORCE_AFTER_MS) process.exit(130);
      resolve(null);
    });
    void askedElsewhere.then(() => resolve(null));
  });
  const cause = await Promise.race([asked, died]);
  closingSinceMs = Date.now();
  if (cause !== null) process.stderr.write(`gatehouse: ${cause}\n`);
  await close();
  return cause === null ? 0 : 1;
}
