// biome-ignore-all lint/complexity/noArguments: Web IDL counts what was given, and a rest parameter would change `length`.
import { CRYPTO_ITERATIONS_MAX } from '../../contract/capabilities/sizes.ts';
import { base64Decode } from '../base64.ts';
import { DOMException } from '../dom-exception.ts';
import { randomOf } from '../invocation.ts';
import {
  jsonParse,
  jsonStringify,
  NativeNumber,
  NativeTypeError,
  NativeUint8Array,
  typedArrayBuffer,
} from '../primordials.ts';
import { utf8Decode, utf8Encode } from '../utf8.ts';
import { webClass } from '../web-class.ts';
import { type Algorithm, algorithmJson, blockBits, readAlgorithm } from './algorithms.ts';
import { askForBytes, askHost, asking, bytesJson, inputBytes, materialJson } from './ask-host.ts';
import { CryptoKey, type KeyFacts, type KeyUsage, keyFor } from './crypto-key.ts';
import { exportKey, importKey, keyOf, readFormat, secretKey } from './import-key.ts';
import { hmacSha256, sameBytes, sha256 } from './sha256.ts';
import { checkKind, checkUsages, readUsages, usagesOf } from './usages.ts';

export { CryptoKey };

/** Up to here SHA-256 is faster in the isolate than a call to the host, which costs some 100 us. */
const IN_ISOLATE_BYTES_MAX = 16 * 1024;

function readJson(bytes: ArrayBuffer): unknown {
  try {
    return jsonParse(utf8Decode(new NativeUint8Array(bytes), true));
  } catch {
    throw new DOMException('What was wrapped is no JWK', 'DataError');
  }
}

const BY_RUNTIME = {};
let check: (self: unknown) => void;

/** Web Crypto's SubtleCrypto. The host computes, so that keys can be secrets that never enter the isolate. */
export class SubtleCrypto {
  readonly #own = true;
  static {
    check = (self) => {
      if (!(self as SubtleCrypto).#own) throw new NativeTypeError('This is not crypto.subtle');
    };
  }
  constructor(key: object | undefined = undefined) {
    if (key !== BY_RUNTIME) throw new NativeTypeError('Illegal constructor: use crypto.subtle');
  }

  async digest(algorithm: unknown, input: unknown): Promise<ArrayBuffer> {
    need(this, arguments.length, 2);
    const { name } = readAlgorithm('digest', algorithm);
    const bytes = inputBytes(input);
    if (name === 'SHA-256' && bytes.length <= IN_ISOLATE_BYTES_MAX) return typedArrayBuffer(sha256(bytes));
    return askForBytes(asking(), 'digest', `{"hash":"${name}","input":${bytesJson(bytes)}}`);
  }

  async sign(algorithm: unknown, key: CryptoKey, input: unknown): Promise<ArrayBuffer> {
    need(this, arguments.length, 3);
    const wanted = readAlgorithm('sign', algorithm);
    const bytes = inputBytes(input);
    const facts = keyFor(key, wanted.name, 'sign');
    const local = hmacKey(facts, bytes);
    if (local !== null) return typedArrayBuffer(hmacSha256(local, bytes));
    return askForBytes(asking(), 'sign', `{${keyArguments(wanted, facts)},"input":${bytesJson(bytes)}}`);
  }

  async verify(algorithm: unknown, key: CryptoKey, signature: unknown, input: unknown): Promise<boolean> {
    need(this, arguments.length, 4);
    const wanted = readAlgorithm('sign', algorithm);
    const signed = inputBytes(signature);
    const bytes = inputBytes(input);
    const facts = keyFor(key, wanted.name, 'verify');
    const local = hmacKey(facts, bytes);
    if (local !== null) return sameBytes(hmacSha256(local, bytes), signed);
    const args = `{${keyArguments(wanted, facts)},"signature":${bytesJson(signed)},"input":${bytesJson(bytes)}}`;
    return (await askHost<{ valid: boolean }>(asking(), 'verify', args)).valid;
  }

  async encrypt(algorithm: unknown, key: CryptoKey, input: unknown): Promise<ArrayBuffer> {
    need(this, arguments.length, 3);
    return cipher('encrypt', 'encrypt', algorithm, key, input);
  }

  async decrypt(algorithm: unknown, key: CryptoKey, input: unknown): Promise<ArrayBuffer> {
    need(this, arguments.length, 3);
    return cipher('decrypt', 'decrypt', algorithm, key, input);
  }

  async deriveBits(algorithm: unknown, key: CryptoKey, length: number | null = null): Promise<ArrayBuffer> {
    need(this, arguments.length, 2);
    const wanted = readAlgorithm('derive', algorithm);
    return derive(wanted, keyFor(key, wanted.name, 'deriveBits'), length === null ? null : NativeNumber(length));
  }

  async deriveKey(
    algorithm: unknown,
    key: CryptoKey,
    derivedKeyType: unknown,
    extractable: boolean,
    keyUsages: Iterable<KeyUsage>,
  ): Promise<CryptoKey> {
    need(this, arguments.length, 5);
    const wanted = readAlgorithm('derive', algorithm);
    const size = readAlgorithm('length', derivedKeyType);
    const made = readAlgorithm('import', derivedKeyType);
    const usages = readUsages(keyUsages);
    const bits = await derive(wanted, keyFor(key, wanted.name, 'deriveKey'), bitsOf(size));
    return importKey(bits, { format: 'raw', algorithm: made, extractable: !!extractable, usages });
  }

  async generateKey(algorithm: unknown, extractable: boolean, keyUsages: Iterable<KeyUsage>): Promise<object> {
    need(this, arguments.length, 3);
    const wanted = readAlgorithm('generate', algorithm);
    const usages = readUsages(keyUsages);
    if (wanted.name === 'HMAC' || wanted.name === 'AES-GCM') return generateSecret(wanted, !!extractable, usages);
    return generatePair(wanted, !!extractable, usages);
  }

  async importKey(
    format: string,
    keyData: unknown,
    algorithm: unknown,
    extractable: boolean,
    keyUsages: Iterable<KeyUsage>,
  ): Promise<CryptoKey> {
    need(this, arguments.length, 5);
    const what = {
      format: readFormat(format),
      algorithm: readAlgorithm('import', algorithm),
      extractable: !!extractable,
      usages: readUsages(keyUsages),
    };
    return importKey(keyData, what);
  }

  async exportKey(format: string, key: CryptoKey): Promise<ArrayBuffer | object> {
    need(this, arguments.length, 2);
    return exportKey(readFormat(format), key);
  }

  async wrapKey(format: string, key: CryptoKey, wrappingKey: CryptoKey, wrapAlgorithm: unknown): Promise<ArrayBuffer> {
    need(this, arguments.length, 4);
    const exported = await exportKey(readFormat(format), key);
    const bytes = format === 'jwk' ? utf8Encode(jsonStringify(exported)) : exported;
    return cipher('encrypt', 'wrapKey', wrapAlgorithm, wrappingKey, bytes);
  }

  async unwrapKey(
    format: string,
    wrappedKey: unknown,
    unwrappingKey: CryptoKey,
    unwrapAlgorithm: unknown,
    unwrappedKeyAlgorithm: unknown,
    extractable: boolean,
    keyUsages: Iterable<KeyUsage>,
  ): Promise<CryptoKey> {
    need(this, arguments.length, 7);
    const what = {
      format: readFormat(format),
      algorithm: readAlgorithm('import', unwrappedKeyAlgorithm),
      extractable: !!extractable,
      usages: readUsages(keyUsages),
    };
    const bytes = await cipher('decrypt', 'unwrapKey', unwrapAlgorithm, unwrappingKey, wrappedKey);
    return importKey(what.format === 'jwk' ? readJson(bytes) : bytes, what);
  }
}
webClass(SubtleCrypto, 'SubtleCrypto');
export const subtle = new SubtleCrypto(BY_RUNTIME);

function need(self: unknown, given: number, wanted: number): void {
  check(self);
  if (given < wanted) throw new NativeTypeError(`This operation of crypto.subtle takes ${wanted} arguments`);
}

/** The bytes of an HMAC key that the isolate can use by itself; null otherwise. */
function hmacKey({ algorithm, material }: KeyFacts, input: Uint8Array): Uint8Array | null {
  if (algorithm.name !== 'HMAC' || algorithm.hash?.name !== 'SHA-256' || 'secret' in material) return null;
  return input.length <= IN_ISOLATE_BYTES_MAX ? base64Decode(material.bytes) : null;
}

/** The algorithm of the operation, with what its key says of itself, and the key. */
function keyArguments(wanted: Algorithm, { algorithm, material }: KeyFacts): string {
  const hash = wanted.hash ?? algorithm.hash?.name;
  const { namedCurve } = algorithm;
  const whole = { ...wanted, ...(hash !== undefined && { hash }), ...(namedCurve !== undefined && { namedCurve }) };
  return `"algorithm":${algorithmJson(whole)},"key":${materialJson(material)}`;
}

async function cipher(
  operation: 'encrypt' | 'decrypt',
  usage: KeyUsage,
  algorithm: unknown,
  key: CryptoKey,
  input: unknown,
): Promise<ArrayBuffer> {
  const wanted = readAlgorithm('cipher', algorithm);
  const bytes = inputBytes(input);
  const facts = keyFor(key, wanted.name, usage);
  return askForBytes(asking(), operation, `{${keyArguments(wanted, facts)},"input":${bytesJson(bytes)}}`);
}

async function derive(wanted: Algorithm, facts: KeyFacts, bits: number | null): Promise<ArrayBuffer> {
  const { iterations } = wanted;
  if (bits === null || !(bits >= 0) || bits % 8 !== 0 || bits > 65_536) {
    throw new DOMException('The length is a multiple of 8 of at most 65536 bits', 'OperationError');
  }
  if (iterations !== undefined && (iterations === 0 || iterations > CRYPTO_ITERATIONS_MAX)) {
    throw new DOMException(`PBKDF2 takes 1 to ${CRYPTO_ITERATIONS_MAX} iterations`, 'OperationError');
  }
  if (bits === 0) return typedArrayBuffer(new NativeUint8Array(0));
  return askForBytes(asking(), 'derive', `{${keyArguments(wanted, facts)},"bits":${bits}}`);
}

/** How long a derived key is. */
function bitsOf({ name, hash, length }: Algorithm): number | null {
  if (name === 'HMAC') {
    if (length === 0) throw new NativeTypeError('An HMAC key has more than no bits');
    return length ?? blockBits(hash!);
  }
  if (name !== 'AES-GCM') return null;
  checkAesLength(length!);
  return length!;
}

function checkAesLength(bits: number): void {
  if (bits !== 128 && bits !== 192 && bits !== 256) {
    throw new DOMException('An AES key has 128, 192 or 256 bits', 'OperationError');
  }
}

/** Bytes of the invocation's seed: the same seed makes the same keys. */
function randomBytes(length: number): Uint8Array<ArrayBuffer> {
  const bytes = new NativeUint8Array(length);
  randomOf(asking()).fill(bytes, length);
  return bytes;
}

const KEY_BITS_MAX = 65_536;

function generateSecret({ name, hash, length }: Algorithm, extractable: boolean, usages: KeyUsage[]): CryptoKey {
  checkKind(name, 'secret', usages);
  if (name === 'AES-GCM') checkAesLength(length!);
  const bits = length ?? blockBits(hash!);
  if (bits === 0 || bits % 8 !== 0 || bits > KEY_BITS_MAX) {
    throw new DOMException('The length of a key is a multiple of 8 bits', 'OperationError');
  }
  checkUsages(name, 'secret', usages);
  return secretKey(randomBytes(bits / 8), { name, hash, length: bits }, extractable, usages);
}

const SCALAR_BYTES: Record<string, number> = { 'P-256': 32, 'P-384': 48, 'P-521': 66 };
/** Nearly every seed is a private key; of P-521 nearly all whose first bits are zero. */
const DRAWS_MAX = 8;

async function generatePair(wanted: Algorithm, extractable: boolean, usages: KeyUsage[]): Promise<object> {
  const { name, namedCurve } = wanted;
  for (let at = 0; at < usages.length; at += 1) {
    if (usages[at] !== 'sign' && usages[at] !== 'verify') {
      throw new DOMException(`A key for ${name} cannot ${usages[at]!}`, 'SyntaxError');
    }
  }
  checkUsages(name, 'private', usagesOf('private', usages));
  const length = namedCurve === undefined ? 32 : SCALAR_BYTES[namedCurve]!;
  for (let draw = 1; ; draw += 1) {
    const seed = randomBytes(length);
    if (length === 66) seed[0] = seed[0]! & 1;
    try {
      const args = `{"algorithm":${algorithmJson(wanted)},"seed":${bytesJson(seed)}}`;
      const pair = await askHost<{ privateKey: string; publicKey: string }>(asking(), 'generate', args);
      return {
        publicKey: keyOf('public', wanted, true, usagesOf('public', usages), pair.publicKey),
        privateKey: keyOf('private', wanted, extractable, usagesOf('private', usages), pair.privateKey),
      };
    } catch (error) {
      if (draw === DRAWS_MAX || !(error instanceof DOMException) || error.name !== 'OperationError') throw error;
    }
  }
}
