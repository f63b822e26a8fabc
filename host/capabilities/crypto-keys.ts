import { webcrypto } from 'node:crypto';

const { subtle } = webcrypto;

export type KeyFormat = 'raw' | 'pkcs8' | 'spki' | 'jwk';

/** What of an algorithm belongs to its key. */
interface KeyAlgorithm {
  name: string;
  hash?: string;
  namedCurve?: string;
}

/** What Web Crypto wants to know to import a key. */
function ofKey({ name, hash, namedCurve }: KeyAlgorithm): webcrypto.Algorithm {
  if (name === 'ECDSA') return { name, namedCurve } as webcrypto.EcKeyImportParams;
  return name === 'HMAC' || name.startsWith('RSA') ? ({ name, hash } as webcrypto.RsaHashedImportParams) : { name };
}

/** Reads a key of what the algorithm names. Refuses, as Web Crypto does, with what costs more than an operation with such a key is billed. */
export async function importBytes(
  format: KeyFormat,
  material: Buffer | webcrypto.JsonWebKey,
  algorithm: KeyAlgorithm,
  extractable: boolean,
  usages: webcrypto.KeyUsage[],
): Promise<webcrypto.CryptoKey> {
  if (Buffer.isBuffer(material)) requireKeyOf(format, material, algorithm);
  const read = (isShown: boolean) =>
    subtle.importKey(format as 'raw', material as Buffer<ArrayBuffer>, ofKey(algorithm), isShown, usages);
  if (!algorithm.name.startsWith('RSA')) return read(extractable);
  const key = withinSize(await read(true));
  if (key.type === 'public') return key;
  const jwk = withWholeHalves(await subtle.exportKey('jwk', key));
  return extractable ? key : subtle.importKey('jwk', { ...jwk, d: ONE }, ofKey(algorithm), false, usages);
}

const RSA_OID = '06092a864886f70d010101';
const EC_OID = '06072a8648ce3d0201';
/** How keys name their kind (RFC 8017, 5480, 8410), DER in hex. */
const KEY_OIDS: Record<string, string> = {
  Ed25519: '06032b6570',
  'RSASSA-PKCS1-v1_5': RSA_OID,
  'RSA-PSS': RSA_OID,
  'P-256': `${EC_OID}06082a8648ce3d030107`,
  'P-384': `${EC_OID}06052b81040022`,
  'P-521': `${EC_OID}06052b81040023`,
};

/** Web Crypto reads a key before it asks of what kind it is, and reading one of a large curve costs more than one of a small one is billed. */
function requireKeyOf(format: KeyFormat, bytes: Buffer, { name, namedCurve = '' }: KeyAlgorithm): void {
  const oid = KEY_OIDS[name === 'ECDSA' ? namedCurve : name];
  if (oid === undefined || (format !== 'pkcs8' && format !== 'spki')) return;
  const version = format === 'pkcs8' ? '02010[01]' : '';
  const head = new RegExp(`^30(?:[0-7].|81..|82....)${version}30..${oid}`);
  if (!head.test(bytes.subarray(0, 40).toString('hex'))) {
    throw new DOMException(`The bytes are no ${format} key of the algorithm`, 'DataError');
  }
}

const MODULUS_BITS_MAX = 4_096;
const EXPONENT_BYTES_MAX = 4;

/** RSA with larger numbers takes the host seconds. */
function withinSize(key: webcrypto.CryptoKey): webcrypto.CryptoKey {
  const { modulusLength = 0, publicExponent } = key.algorithm as Partial<webcrypto.RsaHashedKeyAlgorithm>;
  if (modulusLength <= MODULUS_BITS_MAX && (publicExponent?.length ?? 0) <= EXPONENT_BYTES_MAX) return key;
  throw new DOMException(
    `RSA keys have at most ${MODULUS_BITS_MAX} bits and a public exponent of 32`,
    'NotSupportedError',
  );
}

/**
 * Stands for `d` in a key that signs. The two halves are enough; where they gave no signature, OpenSSL would begin again with all of `d`, and
 * that takes three times as long.
 */
const ONE = 'AQ';
const HALF_BYTES_SPARE = 4;

/**
 * How long a signature takes depends on these numbers, of which OpenSSL only asks that none is longer than the modulus: primes as long as
 * that take ten times what is billed. Keys of more than two primes are refused too.
 */
function withWholeHalves(jwk: webcrypto.JsonWebKey): webcrypto.JsonWebKey {
  const { n = '', e = '', p = '', q = '', dp = '', dq = '', qi = '' } = jwk;
  const bytesMax = bytesOf(n).length / 2 + HALF_BYTES_SPARE;
  const areHalves = [p, q, dp, dq].every((half) => bytesOf(half).length <= bytesMax);
  const isWhole =
    areHalves &&
    numberOf(p) * numberOf(q) === numberOf(n) &&
    isInverse(dp, e, numberOf(p) - 1n) &&
    isInverse(dq, e, numberOf(q) - 1n) &&
    isInverse(qi, q, numberOf(p));
  if (isWhole) return jwk;
  throw new DOMException('An RSA key has two primes of half its size, and what follows from them', 'DataError');
}

const bytesOf = (base64url: string): Buffer => Buffer.from(base64url, 'base64url');
const numberOf = (base64url: string): bigint => BigInt(`0x0${bytesOf(base64url).toString('hex')}`);
const isInverse = (one: string, other: string, modulus: bigint): boolean =>
  modulus > 1n && (numberOf(one) * numberOf(other)) % modulus === 1n;
