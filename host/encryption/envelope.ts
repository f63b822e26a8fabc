import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';

/** Where a value is stored. A sealed value opens only there: one that was copied to another row is refused. */
export interface Place {
  table: string;
  /** The key of the row; parts are joined by whoever stores it. */
  row: string;
  column: string;
}

/** Keys that wrap data keys, by version. New values use the highest version; older ones are for values sealed before. */
export type WrappingKeys = ReadonlyMap<number, Buffer>;

/** A value cannot be opened: its key is gone, it belongs elsewhere, or it was changed. */
export class SealBroken extends Error {
  override name = 'SealBroken';
}

/** AES-256-GCM with a key for every value, which is stored beside it, wrapped by a versioned key from the configuration. */
export interface Envelope {
  seal(place: Place, text: string): Buffer;
  /** Refuses with: SealBroken. */
  open(place: Place, sealed: Buffer): string;
  /** The same value under the newest wrapping key: the data key is wrapped anew, the value is not touched. Refuses with: SealBroken. */
  rewrap(place: Place, sealed: Buffer): Buffer;
  /** Whether `rewrap` would change something. */
  isOld(sealed: Buffer): boolean;
}

const FORMAT = 1;
const [VERSION_BYTES, KEY_BYTES, NONCE_BYTES, TAG_BYTES] = [4, 32, 12, 16];
const WRAPPED_BYTES = NONCE_BYTES + KEY_BYTES + TAG_BYTES;
const HEAD_BYTES = 1 + VERSION_BYTES;
const VALUE_AT = HEAD_BYTES + WRAPPED_BYTES;

/**
 * Layout: format 1 byte · version of the wrapping key 4 · wrapped data key 60 · value. The last two are nonce 12, ciphertext,
 * tag 16. Format, version and place are authenticated with both. Nonces are random: a data key encrypts one value once, and
 * a wrapping key may wrap 2^32 data keys (NIST SP 800-38D, 8.3).
 */
export function createEnvelope(keys: WrappingKeys): Envelope {
  const newest = Math.max(...keys.keys());

  const keyOf = (version: number): Buffer => {
    const key = keys.get(version);
    if (key === undefined) throw new SealBroken(`The encryption key of version ${version} is not configured.`);
    return key;
  };
  const wrap = (place: Place, dataKey: Buffer): Buffer => {
    const head = Buffer.alloc(HEAD_BYTES);
    head.writeUInt8(FORMAT);
    head.writeUInt32BE(newest, 1);
    return Buffer.concat([head, encrypt(keyOf(newest), boundTo(place, 'key', head), dataKey)]);
  };
  const unwrap = (place: Place, sealed: Buffer): Buffer => {
    if (sealed.length < VALUE_AT + NONCE_BYTES + TAG_BYTES || sealed[0] !== FORMAT) {
      throw new SealBroken('The stored value is not a sealed one.');
    }
    const head = sealed.subarray(0, HEAD_BYTES);
    return decrypt(keyOf(versionOf(sealed)), boundTo(place, 'key', head), sealed.subarray(HEAD_BYTES, VALUE_AT));
  };

  return {
    seal: (place, text) => {
      const dataKey = randomBytes(KEY_BYTES);
      return Buffer.concat([
        wrap(place, dataKey),
        encrypt(dataKey, boundTo(place, 'value'), Buffer.from(text, 'utf8')),
      ]);
    },
    open: (place, sealed) =>
      decrypt(unwrap(place, sealed), boundTo(place, 'value'), sealed.subarray(VALUE_AT)).toString('utf8'),
    rewrap: (place, sealed) => Buffer.concat([wrap(place, unwrap(place, sealed)), sealed.subarray(VALUE_AT)]),
    isOld: (sealed) => versionOf(sealed) !== newest,
  };
}

const versionOf = (sealed: Buffer): number => sealed.readUInt32BE(1);

/** JSON keeps the parts apart, whatever they hold. */
const boundTo = ({ table, row, column }: Place, part: 'key' | 'value', head?: Buffer): Buffer =>
  Buffer.from(JSON.stringify(['gatehouse', part, table, row, column, head?.toString('hex') ?? '']));

function encrypt(key: Buffer, boundText: Buffer, plain: Buffer): Buffer {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(boundText);
  return Buffer.concat([nonce, cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
}

function decrypt(key: Buffer, boundText: Buffer, sealed: Buffer): Buffer {
  const decipher = createDecipheriv('aes-256-gcm', key, sealed.subarray(0, NONCE_BYTES), { authTagLength: TAG_BYTES });
  decipher.setAAD(boundText).setAuthTag(sealed.subarray(-TAG_BYTES));
  try {
    return Buffer.concat([decipher.update(sealed.subarray(NONCE_BYTES, -TAG_BYTES)), decipher.final()]);
  } catch {
    throw new SealBroken('The stored value was changed, belongs elsewhere, or was sealed with another key.');
  }
}
