import { base64Decode, base64Encode } from '../base64.ts';
import { bytesOf } from '../bytes.ts';
import { DOMException } from '../dom-exception.ts';
import {
  charCodeAt,
  defineProperty,
  fromCharCode,
  hasOwn,
  isArray,
  jsonStringify,
  NativeTypeError,
  NativeUint8Array,
} from '../primordials.ts';
import { type Algorithm, algorithmJson } from './algorithms.ts';
import { askHost, asking, bytesJson, decodeBuffer } from './ask-host.ts';
import { type CryptoKey, type KeyFacts, type KeyType, type KeyUsage, keyFacts, makeKey } from './crypto-key.ts';
import { checkKind, checkUsages, includes } from './usages.ts';

const FORMATS = ['raw', 'pkcs8', 'spki', 'jwk'] as const;
export type KeyFormat = (typeof FORMATS)[number];
type Jwk = Record<string, unknown>;

export function readFormat(given: unknown): KeyFormat {
  const format = `${given as string}`;
  if (includes(FORMATS, format)) return format as KeyFormat;
  throw new NativeTypeError('A key format is raw, pkcs8, spki or jwk');
}

const isSymmetric = (name: string): boolean =>
  name === 'HMAC' || name === 'AES-GCM' || name === 'HKDF' || name === 'PBKDF2';

const unfit = (message: string): DOMException => new DOMException(message, 'DataError');

interface ToImport {
  format: KeyFormat;
  algorithm: Algorithm;
  extractable: boolean;
  usages: KeyUsage[];
}

/** A key of bytes, of a JWK, or of `{ secret: 'NAME' }`, whose value stays with the host. */
export async function importKey(given: unknown, what: ToImport): Promise<CryptoKey> {
  const secret = secretName(given);
  if (secret !== null) return importSecret(secret, what);
  const jwk = what.format === 'jwk' ? readJwk(given, what) : null;
  const bytes = jwk === null ? bytesOf(given) : null;
  if (jwk === null && bytes === null)
    throw new NativeTypeError('A key of this format is an ArrayBuffer or a view of one');
  return isSymmetric(what.algorithm.name)
    ? importSymmetric(bytes ?? octets(jwk!), jwk?.alg, what)
    : importAsymmetric(bytes, jwk, what);
}

function secretName(given: unknown): string | null {
  if (typeof given !== 'object' || given === null || bytesOf(given) !== null || !hasOwn(given, 'secret')) return null;
  return `${(given as { secret: string }).secret}`;
}

interface Imported {
  type: KeyType;
  format: 'raw' | 'pkcs8' | 'spki';
  bytes: string;
  algorithm: { name: string; hash?: string; length?: number; modulusLength?: number; publicExponent?: string };
}

async function importSecret(secret: string, { format, algorithm, extractable, usages }: ToImport): Promise<CryptoKey> {
  if (extractable) throw new DOMException('A key of a secret cannot be extracted', 'InvalidAccessError');
  const args = `{"algorithm":${algorithmJson(algorithm)},"format":"${format}","secret":${jsonStringify(secret)}}`;
  const imported = await askHost<Imported>(asking(), 'import', args);
  checkUsages(algorithm.name, imported.type, usages);
  return makeKey({
    type: imported.type,
    extractable: false,
    algorithm: shownAlgorithm(imported.algorithm),
    usages,
    material: { format, secret },
  });
}

/** `alg` is what a JWK says that it is for. */
function importSymmetric(
  bytes: Uint8Array<ArrayBuffer>,
  alg: unknown,
  { format, algorithm, extractable, usages }: ToImport,
): CryptoKey {
  const { name, hash, length } = algorithm;
  if (format !== 'raw' && format !== 'jwk') {
    throw new DOMException(`A key for ${name} cannot be ${format}`, 'NotSupportedError');
  }
  const derives = name === 'HKDF' || name === 'PBKDF2';
  if (derives && format === 'jwk') throw new DOMException(`A key for ${name} cannot be jwk`, 'NotSupportedError');
  if (derives && extractable) throw new DOMException(`A key for ${name} cannot be extractable`, 'SyntaxError');
  checkKind(name, 'secret', usages);
  const bits = bytes.length * 8;
  if (name === 'AES-GCM' && bits !== 128 && bits !== 192 && bits !== 256)
    throw unfit('An AES key has 128, 192 or 256 bits');
  if (name === 'HMAC' && (bits === 0 || (length !== undefined && (length > bits || length <= bits - 8)))) {
    throw unfit('The HMAC key has not the length that was asked for');
  }
  if (alg !== undefined && alg !== algOf(name, hash, bits)) throw unfit('The JWK is for another algorithm');
  checkUsages(name, 'secret', usages);
  return secretKey(bytes, { name, hash, length: derives ? undefined : (length ?? bits) }, extractable, usages);
}

/** A key of bytes that are in the isolate. */
export const secretKey = (
  bytes: Uint8Array,
  algorithm: { name: string; hash?: string | undefined; length?: number | undefined },
  extractable: boolean,
  usages: KeyUsage[],
): CryptoKey =>
  makeKey({
    type: 'secret',
    extractable,
    algorithm: shownAlgorithm(algorithm),
    usages,
    material: { format: 'raw', bytes: base64Encode(bytes) },
  });

async function importAsymmetric(
  bytes: Uint8Array<ArrayBuffer> | null,
  jwk: Jwk | null,
  { format, algorithm, extractable, usages }: ToImport,
): Promise<CryptoKey> {
  const type: KeyType = format === 'pkcs8' || (jwk !== null && jwk.d !== undefined) ? 'private' : 'public';
  checkKind(algorithm.name, type, usages);
  const what = bytes === null ? `"jwk":${jwkJson(jwk!)}` : `"bytes":${bytesJson(bytes)}`;
  const args = `{"algorithm":${algorithmJson(algorithm)},"format":"${format}",${what}}`;
  const imported = await askHost<Imported>(asking(), 'import', args);
  checkUsages(algorithm.name, imported.type, usages);
  return makeKey({
    type: imported.type,
    extractable,
    algorithm: shownAlgorithm(imported.algorithm),
    usages,
    material: { format: imported.format, bytes: imported.bytes },
  });
}

type Shown = KeyFacts['algorithm'] & { length?: number; modulusLength?: number; publicExponent?: Uint8Array };

function shownAlgorithm(from: {
  name: string;
  hash?: string | undefined;
  length?: number | undefined;
  namedCurve?: string | undefined;
  modulusLength?: number | undefined;
  publicExponent?: string | undefined;
}): Shown {
  const { name, hash, length, namedCurve, modulusLength, publicExponent } = from;
  const shown: Shown = { name };
  if (hash !== undefined) shown.hash = { name: hash };
  if (length !== undefined) shown.length = length;
  if (namedCurve !== undefined) shown.namedCurve = namedCurve;
  if (modulusLength !== undefined) shown.modulusLength = modulusLength;
  if (publicExponent !== undefined) shown.publicExponent = new NativeUint8Array(decodeBuffer(publicExponent));
  return shown;
}

export const keyOf = (
  type: KeyType,
  algorithm: { name: string; namedCurve?: string | undefined },
  extractable: boolean,
  usages: KeyUsage[],
  bytes: string,
): CryptoKey =>
  makeKey({
    type,
    extractable,
    algorithm: shownAlgorithm(algorithm),
    usages,
    material: { format: type === 'private' ? 'pkcs8' : 'spki', bytes },
  });

/** Checks what a JWK says about how it may be used. Throws a DataError where that is not what is asked. */
function readJwk(given: unknown, { algorithm, extractable, usages }: ToImport): Jwk {
  if (typeof given !== 'object' || given === null || bytesOf(given) !== null) {
    throw new NativeTypeError('A key in the format jwk is an object');
  }
  const jwk = given as Jwk;
  if (jwk.kty === undefined) throw unfit('The JWK has no kty');
  if (jwk.ext === false && extractable) throw unfit('The JWK may not be extractable');
  const use = algorithm.name === 'AES-GCM' ? 'enc' : 'sig';
  if (usages.length > 0 && jwk.use !== undefined && jwk.use !== use) throw unfit(`The JWK is not for ${use}`);
  const operations = jwk.key_ops;
  if (operations !== undefined) {
    if (!isArray(operations)) throw unfit('key_ops of the JWK is no list');
    for (let at = 0; at < usages.length; at += 1) {
      if (!includes(operations as string[], usages[at]!)) throw unfit(`The JWK is not for ${usages[at]!}`);
    }
  }
  return jwk;
}

function octets(jwk: Jwk): Uint8Array<ArrayBuffer> {
  if (jwk.kty !== 'oct' || typeof jwk.k !== 'string') throw unfit('The JWK is no symmetric key');
  let base64 = '';
  for (let at = 0; at < jwk.k.length; at += 1) {
    const unit = charCodeAt(jwk.k, at);
    base64 += unit === 45 ? '+' : unit === 95 ? '/' : fromCharCode(unit);
  }
  const bytes = base64Decode(base64);
  if (bytes === null) throw unfit('The key of the JWK is not base64url');
  return bytes;
}

const FIELDS = ['kty', 'crv', 'x', 'y', 'd', 'n', 'e', 'p', 'q', 'dp', 'dq', 'qi', 'alg'] as const;

/** The fields that make a key, as text: what else is in a JWK stays here. */
function jwkJson(jwk: Jwk): string {
  let json = '';
  for (let at = 0; at < FIELDS.length; at += 1) {
    const value = jwk[FIELDS[at]!];
    if (value !== undefined) json += `${json === '' ? '' : ','}"${FIELDS[at]!}":${jsonStringify(`${value as string}`)}`;
  }
  return `{${json}}`;
}

/** Bytes, or a JWK. Throws an InvalidAccessError for a key that is not extractable. */
export async function exportKey(format: KeyFormat, key: unknown): Promise<ArrayBuffer | object> {
  const { type, extractable, algorithm, usages, material } = keyFacts(key);
  if (!extractable || 'secret' in material) throw new DOMException('The key cannot be extracted', 'InvalidAccessError');
  if (type === 'secret') {
    if (format === 'raw') return decodeBuffer(material.bytes);
    if (format !== 'jwk') throw new DOMException(`A secret key cannot be ${format}`, 'NotSupportedError');
    const size = (algorithm as Shown).length!;
    const alg = algOf(algorithm.name, algorithm.hash?.name, size);
    return jwkOf({ kty: 'oct', k: urlSafe(material.bytes), alg }, usages);
  }
  if (format === material.format) return decodeBuffer(material.bytes);
  if (format !== 'jwk' && (format === 'pkcs8' ? 'private' : 'public') !== type) {
    throw new DOMException(`A ${type} key cannot be ${format}`, 'InvalidAccessError');
  }
  const { name, hash, namedCurve } = algorithm;
  const sent = algorithmJson({
    name,
    ...(hash && { hash: hash.name }),
    ...(namedCurve !== undefined && { namedCurve }),
  });
  const args = `{"algorithm":${sent},"key":{"format":"${material.format}","bytes":"${material.bytes}"},"format":"${format}"}`;
  const answer = await askHost<{ output?: string; jwk?: object }>(asking(), 'export', args);
  return answer.jwk === undefined ? decodeBuffer(answer.output!) : jwkOf(answer.jwk as Jwk, usages);
}

/** How a JWK names what it is for. */
const algOf = (name: string, hash: string | undefined, bits: number): string =>
  name === 'HMAC' ? `HS${hashBits(hash!)}` : `A${bits}GCM`;

const hashBits = (hash: string): string =>
  hash === 'SHA-1' ? '1' : hash === 'SHA-256' ? '256' : hash === 'SHA-384' ? '384' : '512';

function jwkOf(fields: Jwk, usages: readonly KeyUsage[]): object {
  const operations: string[] = [];
  for (let at = 0; at < usages.length; at += 1) {
    defineProperty(operations, at, {
      __proto__: null,
      value: usages[at],
      writable: true,
      configurable: true,
      enumerable: true,
    } as PropertyDescriptor);
  }
  fields.key_ops = operations;
  fields.ext = true;
  return fields;
}

function urlSafe(base64: string): string {
  let text = '';
  for (let at = 0; at < base64.length; at += 1) {
    const unit = charCodeAt(base64, at);
    if (unit !== 61) text += unit === 43 ? '-' : unit === 47 ? '_' : fromCharCode(unit);
  }
  return text;
}
