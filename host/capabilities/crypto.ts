import { createECDH, createPrivateKey, createPublicKey, type KeyObject, webcrypto } from 'node:crypto';
import type { HostCallName, Json } from '../../plugins-sdk/contract/index.ts';
import type { SecretReader } from '../secrets/contract.ts';
import type { CapabilityCalls } from './broker.ts';
import type { CapabilityContext } from './call-scope.ts';
import { CapabilityError } from './capability-error.ts';
import { importBytes, type KeyFormat } from './crypto-keys.ts';
import { type CryptoWork, cryptoCostMs } from './rules/crypto-cost.ts';

const { subtle } = webcrypto;

interface Algorithm {
  name: string;
  hash?: string;
  namedCurve?: string;
  iv?: string;
  additionalData?: string;
  tagLength?: number;
  salt?: string;
  info?: string;
  iterations?: number;
  saltLength?: number;
}

type HeldKey = { format: Exclude<KeyFormat, 'jwk'>; bytes: string };
type Key = HeldKey | { format: KeyFormat; secret: string };
type CryptoCalls = Pick<CapabilityCalls, Extract<HostCallName, `crypto.${string}`>>;

/**
 * The part of `crypto.subtle` that the host computes, on the threads of Node.js's Web Crypto. What Web Crypto refuses is an answer
 * `{ error: { name, message } }`, which the guest throws as a DOMException.
 */
export function cryptoCalls({ secrets }: { secrets: SecretReader }): CryptoCalls {
  const readKey = async (context: CapabilityContext, key: Key, algorithm: Algorithm, usage: webcrypto.KeyUsage) =>
    'secret' in key
      ? importSecret(context, secrets, key, algorithm, usage)
      : importBytes(key.format, bytesOf(key.bytes), algorithm, false, [usage]);

  return {
    'crypto.digest': (context, { hash, input }: { hash: string; input: string }) =>
      work(context, { algorithm: hash, operation: 'digest', input }, async () =>
        output(await subtle.digest(hash, bytesOf(input))),
      ),
    'crypto.sign': (context, { algorithm, key, input }: { algorithm: Algorithm; key: Key; input: string }) =>
      work(context, { ...of(algorithm), operation: 'sign', input }, async () =>
        output(
          await subtle.sign(ofOperation(algorithm), await readKey(context, key, algorithm, 'sign'), bytesOf(input)),
        ),
      ),
    'crypto.verify': (
      context,
      { algorithm, key, signature, input }: { algorithm: Algorithm; key: Key; signature: string; input: string },
    ) =>
      work(context, { ...of(algorithm), operation: 'verify', input }, async () => ({
        valid: await subtle.verify(
          ofOperation(algorithm),
          await readKey(context, key, algorithm, 'verify'),
          bytesOf(signature),
          bytesOf(input),
        ),
      })),
    'crypto.encrypt': (context, { algorithm, key, input }: { algorithm: Algorithm; key: Key; input: string }) =>
      work(context, { ...of(algorithm), operation: 'encrypt', input: readByCipher(algorithm, input) }, async () =>
        output(
          await subtle.encrypt(
            ofOperation(algorithm),
            await readKey(context, key, algorithm, 'encrypt'),
            bytesOf(input),
          ),
        ),
      ),
    'crypto.decrypt': (context, { algorithm, key, input }: { algorithm: Algorithm; key: Key; input: string }) =>
      work(context, { ...of(algorithm), operation: 'decrypt', input: readByCipher(algorithm, input) }, async () =>
        output(
          await subtle.decrypt(
            ofOperation(algorithm),
            await readKey(context, key, algorithm, 'decrypt'),
            bytesOf(input),
          ),
        ),
      ),
    'crypto.derive': (context, { algorithm, key, bits }: { algorithm: Algorithm; key: Key; bits: number }) =>
      work(context, { ...of(algorithm), operation: 'derive', bits }, async () =>
        output(
          await subtle.deriveBits(ofOperation(algorithm), await readKey(context, key, algorithm, 'deriveBits'), bits),
        ),
      ),
    'crypto.import': (context, args: ImportArguments) =>
      work(context, { ...of(args.algorithm), operation: 'import' }, () => importForGuest(context, secrets, args)),
    'crypto.export': (context, { algorithm, key, format }: { algorithm: Algorithm; key: HeldKey; format: KeyFormat }) =>
      work(context, { ...of(algorithm), operation: 'export' }, async () => {
        const imported = await importAny(key.format, bytesOf(key.bytes), algorithm);
        if (format === 'jwk') return { jwk: (await subtle.exportKey('jwk', imported)) as unknown as Json };
        return output(await subtle.exportKey(format, imported));
      }),
    'crypto.generate': (context, { algorithm, seed }: { algorithm: Algorithm; seed: string }) =>
      work(context, { ...of(algorithm), operation: 'generate' }, async () => pairOf(algorithm, bytesOf(seed))),
  };
}

/** What of an algorithm its cost depends on. */
const of = ({ name, hash, namedCurve, iterations, salt = '', info = '' }: Algorithm): Billed => ({
  algorithm: name,
  bytesPerBlock: sizeOf(name === 'PBKDF2' ? salt : info),
  ...(hash !== undefined && { hash }),
  ...(namedCurve !== undefined && { namedCurve }),
  ...(iterations !== undefined && { iterations }),
});
type Billed = Omit<CryptoWork, 'operation' | 'bytes'>;

/** Both as base64. */
const readByCipher = ({ additionalData = '' }: Algorithm, input: string): string => input + additionalData;
const sizeOf = (base64: string): number => Math.floor((base64.length * 3) / 4);

const bytesOf = (base64: string): Buffer<ArrayBuffer> => Buffer.from(base64, 'base64') as Buffer<ArrayBuffer>;
const output = (bytes: ArrayBuffer): Json => ({ output: Buffer.from(bytes).toString('base64') });

/** Bills the operation first, then does it; what Web Crypto refuses becomes an answer. */
async function work(
  context: CapabilityContext,
  { input = '', ...what }: Omit<CryptoWork, 'bytes'> & { input?: string },
  run: () => Promise<Json>,
): Promise<Json> {
  const costMs = cryptoCostMs({ ...what, bytes: sizeOf(input) });
  const allowedMs = context.installation.limits.cpuMs;
  if (context.hostCpuMs + costMs > allowedMs) {
    throw new CapabilityError(
      'crypto-cpu-exhausted',
      `The operation needs ${costMs.toFixed(2)} ms of CPU time; ${(allowedMs - context.hostCpuMs).toFixed(2)} of ${allowedMs} are left.`,
    );
  }
  context.bill(costMs);
  try {
    return await run();
  } catch (error) {
    if (error instanceof CapabilityError) throw error;
    const { name, message } = error as Error;
    return { error: { name: `${name}`, message: `${message}`.slice(0, 200) } };
  }
}

/** What Web Crypto wants to know to use a key. */
function ofOperation(algorithm: Algorithm): webcrypto.AeadParams {
  const { name, hash, tagLength, iterations, saltLength } = algorithm;
  const parts: Record<string, unknown> = { name };
  if (hash !== undefined) parts.hash = hash;
  if (tagLength !== undefined) parts.tagLength = tagLength;
  if (iterations !== undefined) parts.iterations = iterations;
  if (saltLength !== undefined) parts.saltLength = saltLength;
  for (const part of ['iv', 'additionalData', 'salt', 'info'] as const) {
    if (algorithm[part] !== undefined) parts[part] = bytesOf(algorithm[part]);
  }
  return parts as unknown as webcrypto.AeadParams;
}

const USAGES: Record<string, webcrypto.KeyUsage[]> = {
  HMAC: ['sign', 'verify'],
  'AES-GCM': ['encrypt', 'decrypt'],
  HKDF: ['deriveBits'],
  PBKDF2: ['deriveBits'],
};

/** Private keys sign, public ones verify: which it is shows when it is imported. */
async function importAny(
  format: KeyFormat,
  bytes: Buffer | webcrypto.JsonWebKey,
  algorithm: Algorithm,
): Promise<webcrypto.CryptoKey> {
  const isPrivate = format === 'pkcs8' || (format === 'jwk' && 'd' in bytes);
  const usages = USAGES[algorithm.name] ?? (isPrivate ? ['sign'] : ['verify']);
  return importBytes(format, bytes, algorithm, true, usages);
}

type ImportArguments =
  | { algorithm: Algorithm; format: Exclude<KeyFormat, 'jwk'>; bytes: string }
  | { algorithm: Algorithm; format: 'jwk'; jwk: webcrypto.JsonWebKey }
  | { algorithm: Algorithm; format: KeyFormat; secret: string };

/** The key in the one form that the guest keeps; of one that is a secret only what it can do. */
async function importForGuest(context: CapabilityContext, secrets: SecretReader, args: ImportArguments): Promise<Json> {
  const { algorithm, format } = args;
  if ('secret' in args) {
    const key = await importSecret(context, secrets, args, algorithm, null);
    return { type: key.type, algorithm: shown(key) };
  }
  const key = await importAny(format, 'jwk' in args ? args.jwk : bytesOf(args.bytes), algorithm);
  const kept = key.type === 'private' ? 'pkcs8' : 'spki';
  const bytes = Buffer.from(await subtle.exportKey(kept, key)).toString('base64');
  return { type: key.type, format: kept, bytes, algorithm: shown(key) };
}

/** Facts of a key's algorithm that a plugin may read. */
function shown({ algorithm }: webcrypto.CryptoKey): Json {
  const { name, modulusLength, publicExponent, hash, namedCurve, length } =
    algorithm as webcrypto.RsaHashedKeyAlgorithm & webcrypto.EcKeyAlgorithm & webcrypto.AesKeyAlgorithm;
  return {
    name,
    ...(hash !== undefined && { hash: hash.name }),
    ...(namedCurve !== undefined && { namedCurve }),
    ...(length !== undefined && { length }),
    ...(modulusLength !== undefined && { modulusLength }),
    ...(publicExponent !== undefined && { publicExponent: Buffer.from(publicExponent).toString('base64') }),
  };
}

/**
 * A key of a secret that the operator entered. `raw` takes the text itself as UTF-8, `pkcs8` and `spki` take PEM or base64, `jwk` JSON.
 * Refuses with: crypto-key-refused, secret-undeclared, secret-missing.
 */
async function importSecret(
  context: CapabilityContext,
  secrets: SecretReader,
  { format, secret }: { format: KeyFormat; secret: string },
  algorithm: Algorithm,
  usage: webcrypto.KeyUsage | null,
): Promise<webcrypto.CryptoKey> {
  const { id, manifest } = context.installation;
  if (!context.isGranted('secrets')) {
    throw new CapabilityError('crypto-key-refused', 'The operator did not grant the capability "secrets".');
  }
  const declared = manifest.secrets?.find(({ name }) => name === secret);
  if (declared === undefined) throw new CapabilityError('secret-undeclared');
  if (declared.send !== undefined) {
    throw new CapabilityError('crypto-key-refused', `The secret ${secret} is sent in headers and cannot be a key too.`);
  }
  const value = await secrets.read(id, secret);
  if (value === null) throw new CapabilityError('secret-missing');
  context.used('secrets');
  try {
    const material = format === 'jwk' ? secretJwk(value) : secretBytes(format, value);
    if (usage === null) return await importAny(format, material, algorithm);
    return await importBytes(format, material, algorithm, false, [usage]);
  } catch (error) {
    // What a parser says about a text that is no key could quote it.
    if ((error as Error).name !== 'NotSupportedError')
      throw new CapabilityError(
        'crypto-key-refused',
        `The secret ${secret} is no ${format} key for ${algorithm.name}.`,
      );
    throw error;
  }
}

const PEM = /-----(?:BEGIN|END) [A-Z ]+-----|\s/g;
const secretBytes = (format: KeyFormat, value: string): Buffer<ArrayBuffer> =>
  format === 'raw' ? (Buffer.from(value, 'utf8') as Buffer<ArrayBuffer>) : bytesOf(value.replace(PEM, ''));

/** Whether it may be exported is nothing that a plugin could ask for: a secret never is. */
function secretJwk(value: string): webcrypto.JsonWebKey {
  const { ext: _ext, ...jwk } = JSON.parse(value) as webcrypto.JsonWebKey;
  return jwk;
}

const CURVES: Record<string, [ecdh: string, bytes: number]> = {
  'P-256': ['prime256v1', 32],
  'P-384': ['secp384r1', 48],
  'P-521': ['secp521r1', 66],
};

/** A key pair from bytes that the guest drew of its invocation's seed, so that the same seed makes the same keys. */
function pairOf({ name, namedCurve }: Algorithm, seed: Buffer): Json {
  const privateKey = name === 'Ed25519' ? ed25519Of(seed) : ecOf(namedCurve ?? '', seed);
  return {
    privateKey: privateKey.export({ format: 'der', type: 'pkcs8' }).toString('base64'),
    publicKey: createPublicKey(privateKey).export({ format: 'der', type: 'spki' }).toString('base64'),
  };
}

/** The head of an Ed25519 private key in PKCS #8 (RFC 8410). */
const ED25519_HEAD = Buffer.from('302e020100300506032b657004220420', 'hex');

const ed25519Of = (seed: Buffer): KeyObject =>
  createPrivateKey({ key: Buffer.concat([ED25519_HEAD, seed.subarray(0, 32)]), format: 'der', type: 'pkcs8' });

/** Throws an OperationError for the few seeds that are no private key of the curve: the guest draws another. */
function ecOf(namedCurve: string, seed: Buffer): KeyObject {
  const curve = CURVES[namedCurve];
  if (curve === undefined) throw new DOMException('The curve is unknown', 'NotSupportedError');
  const [name, bytes] = curve;
  const pair = createECDH(name);
  try {
    pair.setPrivateKey(seed.subarray(0, bytes));
  } catch {
    throw new DOMException('The seed is no private key', 'OperationError');
  }
  const point = pair.getPublicKey();
  const text = (from: number): string => point.subarray(from, from + bytes).toString('base64url');
  const jwk = {
    kty: 'EC',
    crv: namedCurve,
    d: seed.subarray(0, bytes).toString('base64url'),
    x: text(1),
    y: text(1 + bytes),
  };
  return createPrivateKey({ key: jwk, format: 'jwk' });
}
