import { readFile } from 'node:fs/promises';
import path from 'node:path';
import type { AuditHead } from '../../registry/index.ts';
import { writeWhole } from '../write-whole.ts';

/** The newest head that this machine signed, beside the key that signed it: whoever has the database alone cannot take it away. */
export const keptHeadFile = (signingKeyFile: string): string =>
  path.join(path.dirname(signingKeyFile), 'audit-head.json');

export async function keepHead(file: string, head: AuditHead): Promise<void> {
  const { sequence, hash, signedAt, keyId, signature } = head;
  const text = JSON.stringify({
    sequence: String(sequence),
    hash: hash.toString('hex'),
    signedAt,
    keyId,
    signature: signature.toString('base64'),
  });
  await writeWhole(file, `${text}\n`);
}

/** Null where this machine has kept none. */
export async function readKeptHead(file: string): Promise<AuditHead | null> {
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null;
    throw error;
  });
  if (text === null) return null;
  const { sequence, hash, signedAt, keyId, signature } = JSON.parse(text);
  return {
    sequence: BigInt(sequence),
    hash: Buffer.from(hash, 'hex'),
    signedAt,
    keyId,
    signature: Buffer.from(signature, 'base64'),
  };
}
