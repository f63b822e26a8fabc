import { randomUUID } from 'node:crypto';
import { rename, writeFile } from 'node:fs/promises';

/** Writes a file for its owner alone, under another name first: it is there whole or not at all, and of many at once one is. */
export async function writeWhole(file: string, text: string): Promise<void> {
  const written = `${file}.${randomUUID()}`;
  await writeFile(written, text, { mode: 0o600 });
  await rename(written, file);
}
