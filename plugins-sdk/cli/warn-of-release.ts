import type { ApiClient } from './api-client.ts';
import type { Cli } from './command-line.ts';
import { releaseNotes } from './commands/versions.ts';
import { oneLine } from './terminal.ts';

/** Says beside the answer what speaks against a release that was just taken, such as that it is deprecated; where nobody knows, nothing. */
export async function warnOfRelease(
  cli: Pick<Cli, 'note' | 'paint'>,
  api: Pick<ApiClient, 'findRelease'>,
  { plugin, version }: { plugin: string; version: string },
): Promise<void> {
  const release = await api.findRelease(plugin, version).catch(() => null);
  const notes = release === null ? '' : releaseNotes(release);
  if (notes !== '') cli.note(`${cli.paint('yellow', '•')} ${oneLine(`${plugin}@${version}`)} is ${notes}`);
}
