import { CliError } from './errors.ts';

/** All of standard input, without a byte order mark. Refuses with: usage, for what is not UTF-8. */
export async function readInput(input: AsyncIterable<string | Uint8Array>): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of input) chunks.push(Buffer.from(chunk as string));
  try {
    // Together: a character may be in two pieces of a pipe.
    return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(chunks));
  } catch {
    throw new CliError('usage', 'Standard input is not UTF-8 text; write it again in that encoding.');
  }
}
