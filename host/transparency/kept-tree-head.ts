import { readFile } from 'node:fs/promises';
import path from 'node:path';
import type { SignedTreeHead } from '../../plugins-sdk/contract/index.ts';
import { writeWhole } from '../write-whole.ts';

/** The newest head of the transparency log that this machine signed, beside the key: whoever has the database alone cannot take it away. */
export const keptTreeHeadFile = (signingKeyFile: string): string =>
  path.join(path.dirname(signingKeyFile), 'transparency-head.json');

export async function keepTreeHead(file: string, head: SignedTreeHead): Promise<void> {
  await writeWhole(file, `${JSON.stringify(head)}\n`);
}

/** Null where this machine has kept none. */
export async function readKeptTreeHead(file: string): Promise<SignedTreeHead | null> {
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null;
    throw error;
  });
  return text === null ? null : (JSON.parse(text) as SignedTreeHead);
}
