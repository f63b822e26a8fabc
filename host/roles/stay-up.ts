const FORCE_AFTER_MS = 1_000;

/**
 * Resolves with the exit code once the process was asked to end (SIGINT, SIGTERM, `askedElsewhere`) or something it stands on died, and
 * `close` has run. A second Ctrl-C, a moment after the first, ends at once.
 */
export async function stayUp(
  close: () => Promise<void>,
  died: Promise<string>,
  askedElsewhere: Promise<void> = new Promise(() => {}),
): Promise<number> {
  const asked = new Promise<null>((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve(null));
    void askedElsewhere.then(() => resolve(null));
  });
  const cause = await Promise.race([asked, died]);
  const closingSinceMs = Date.now();
  process.on('SIGINT', () => {
    if (Date.now() - closingSinceMs > FORCE_AFTER_MS) process.exit(130);
  });
  if (cause !== null) process.stderr.write(`gatehouse: ${cause}\n`);
  await close();
  return cause === null ? 0 : 1;
}
