import type { IncomingMessage, ServerResponse } from 'node:http';
import getRawBody, { type RawBodyError } from 'raw-body';
import { PIECE_BYTES_MAX } from '../../plugins-sdk/contract/index.ts';
import { HostRefusal } from '../errors.ts';
import type { ReadPiece } from '../invocations/contract.ts';

const EMPTY = Buffer.alloc(0);

/** Whether a body follows the headers (RFC 9112, section 6.3). */
export const hasBody = ({ headers }: IncomingMessage): boolean =>
  headers['transfer-encoding'] !== undefined || (headers['content-length'] ?? '0') !== '0';

/**
 * Reads a body of at most `bytesMax` bytes. A client that waits for `100 Continue` gets it here, so it never sends a body
 * that is refused for other reasons. Compressed bodies are refused: their true size is unknown before they are unpacked.
 * Refuses with: body-too-large, body-malformed (cut short), content-type-unsupported (compressed).
 */
export function readBody(req: IncomingMessage, res: ServerResponse, bytesMax: number): Buffer | Promise<Buffer> {
  return hasBody(req) ? readPresentBody(req, res, bytesMax) : EMPTY;
}

/**
 * Reads a body piece by piece, never more than its reader asks for. Null where there is no body.
 * Refuses with: body-too-large (at once where the length is declared, else when it shows), content-type-unsupported; the reader
 * with: body-too-large, body-malformed.
 */
export function openBody(req: IncomingMessage, res: ServerResponse, bytesMax: number): ReadPiece | null {
  if (!hasBody(req)) return null;
  requirePlain(req);
  if (Number(req.headers['content-length']) > bytesMax) throw tooLarge(bytesMax);
  let bytes = 0;
  let chunks: AsyncIterator<Buffer> | null = null;
  let rest: Buffer | null = null;
  return async () => {
    if (chunks === null) {
      if (expectsContinue(req)) res.writeContinue();
      chunks = req[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
    }
    if (rest === null) {
      const next = await chunks.next().catch(() => {
        throw cutShort();
      });
      if (next.done) return null;
      bytes += next.value.length;
      if (bytes > bytesMax) throw tooLarge(bytesMax);
      rest = next.value;
    }
    const piece: Buffer = rest.subarray(0, PIECE_BYTES_MAX);
    rest = piece.length < rest.length ? rest.subarray(piece.length) : null;
    return piece;
  };
}

function requirePlain(req: IncomingMessage): void {
  const encoding = req.headers['content-encoding']?.toLowerCase();
  if (encoding === undefined || encoding === 'identity') return;
  throw new HostRefusal('content-type-unsupported', 'Send the body uncompressed, without Content-Encoding.', {
    contentEncoding: encoding,
  });
}

async function readPresentBody(req: IncomingMessage, res: ServerResponse, bytesMax: number): Promise<Buffer> {
  requirePlain(req);
  const declared = req.headers['content-length'];
  if (Number(declared) > bytesMax) throw tooLarge(bytesMax);
  if (expectsContinue(req)) res.writeContinue();
  // Until here the parser stood still behind the headers. What came with them is there when this goes on.
  await null;
  if (req.readableLength === Number(declared)) return takeWhole(req);
  try {
    return await getRawBody(req, { limit: bytesMax, length: declared });
  } catch (error) {
    const { type } = error as RawBodyError;
    if (type === 'entity.too.large') throw tooLarge(bytesMax);
    if (type === 'request.aborted' || type === 'request.size.invalid' || type === 'stream.not.readable') {
      throw cutShort();
    }
    throw error;
  }
}

/** A body that is there from its first byte to its last. Each `read` gives one of the pieces in which it came. */
function takeWhole(req: IncomingMessage): Buffer {
  const pieces: Buffer[] = [];
  for (let piece: Buffer | null = req.read(); piece !== null; piece = req.read()) pieces.push(piece);
  // To its end, which the parser has not said yet.
  req.resume();
  return pieces.length === 1 ? pieces[0]! : Buffer.concat(pieces);
}

const expectsContinue = ({ headers }: IncomingMessage): boolean => headers.expect?.toLowerCase() === '100-continue';

const cutShort = () => new HostRefusal('body-malformed', 'The body ended before its declared length.');

const tooLarge = (bytesMax: number) =>
  new HostRefusal('body-too-large', `The body may have at most ${bytesMax} bytes.`, { bytesMax });

const LEFTOVER_MS_MAX = 2_000;

/**
 * A refused body is still on its way when its refusal is sent. The rest is discarded and the connection kept, so that the
 * client can read the answer; this also bounds how long a client may go on sending.
 */
export function boundLeftover(req: IncomingMessage, res: ServerResponse): void {
  if (req.complete) return;
  res.once('finish', () => {
    // Node discards by itself only what nobody has begun to read, and lets nothing flow while a reader listens for more.
    req.removeAllListeners('readable');
    req.resume();
    const timer = setTimeout(() => req.complete || req.socket.destroy(), LEFTOVER_MS_MAX);
    timer.unref();
    req.once('close', () => req.complete && clearTimeout(timer));
  });
}
