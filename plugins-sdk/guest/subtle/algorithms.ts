import { base64Encode } from '../base64.ts';
import { bytesOf } from '../bytes.ts';
import { DOMException } from '../dom-exception.ts';
import { hasOwn, isInteger, jsonStringify, NativeNumber, NativeTypeError, stringUpper, trunc } from '../primordials.ts';

/** An algorithm with what this operation needs of it; bytes as base64. */
export interface Algorithm {
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
  length?: number;
}

export type Operation = 'digest' | 'sign' | 'cipher' | 'derive' | 'import' | 'generate' | 'length';
type Field = Exclude<keyof Algorithm, 'name'>;

const HASHES = ['SHA-1', 'SHA-256', 'SHA-384', 'SHA-512'];
const CURVES = ['P-256', 'P-384', 'P-521'];

/** Which algorithms an operation knows, and which fields it reads; `?` marks those that may be absent. In the order of Web Crypto. */
const KNOWN: Record<Operation, Record<string, readonly string[]>> = {
  digest: { 'SHA-1': [], 'SHA-256': [], 'SHA-384': [], 'SHA-512': [] },
  sign: { HMAC: [], ECDSA: ['hash'], Ed25519: [], 'RSASSA-PKCS1-v1_5': [], 'RSA-PSS': ['saltLength'] },
  cipher: { 'AES-GCM': ['iv', 'additionalData?', 'tagLength?'] },
  derive: { HKDF: ['hash', 'salt', 'info'], PBKDF2: ['salt', 'iterations', 'hash'] },
  import: {
    HMAC: ['hash', 'length?'],
    'AES-GCM': [],
    ECDSA: ['namedCurve'],
    Ed25519: [],
    'RSASSA-PKCS1-v1_5': ['hash'],
    'RSA-PSS': ['hash'],
    HKDF: [],
    PBKDF2: [],
  },
  generate: { HMAC: ['hash', 'length?'], 'AES-GCM': ['length'], ECDSA: ['namedCurve'], Ed25519: [] },
  length: { HMAC: ['hash', 'length?'], 'AES-GCM': ['length'], HKDF: [], PBKDF2: [] },
};

/** Web Crypto's "normalize an algorithm". Throws a NotSupportedError for what plugins have not, a TypeError for what does not fit. */
export function readAlgorithm(operation: Operation, given: unknown): Algorithm {
  const isObject = (typeof given === 'object' && given !== null) || typeof given === 'function';
  const source = isObject ? (given as Record<string, unknown>) : null;
  const asked = source === null ? given : source.name;
  if (source !== null && asked === undefined) throw new NativeTypeError('An algorithm has a name');
  const name = nameIn(KNOWN[operation], `${asked as string}`);
  const algorithm: Algorithm = { name };
  const fields = KNOWN[operation][name]!;
  for (let at = 0; at < fields.length; at += 1) {
    const optional = fields[at]![fields[at]!.length - 1] === '?';
    const field = (optional ? withoutMark(fields[at]!) : fields[at]!) as Field;
    const value = source?.[field];
    if (value === undefined) {
      if (!optional) throw new NativeTypeError(`${name} needs ${field}`);
      continue;
    }
    readField(algorithm, field, value);
  }
  return algorithm;
}

const withoutMark = (field: string): string => {
  let text = '';
  for (let at = 0; at < field.length - 1; at += 1) text += field[at]!;
  return text;
};

/** The name as Web Crypto writes it, whatever letters it came in. */
function nameIn(known: Record<string, unknown>, asked: string): string {
  const upper = stringUpper(asked);
  for (const name in known) if (hasOwn(known, name) && stringUpper(name) === upper) return name;
  throw new DOMException(
    `The algorithm ${asked.length > 40 ? 'asked for' : asked} is not supported here`,
    'NotSupportedError',
  );
}

function readField(algorithm: Algorithm, field: Field, value: unknown): void {
  switch (field) {
    case 'hash':
      algorithm.hash = readAlgorithm('digest', value).name;
      return;
    case 'namedCurve': {
      const curve = `${value as string}`;
      for (let at = 0; at < CURVES.length; at += 1) if (CURVES[at] === curve) algorithm.namedCurve = curve;
      if (algorithm.namedCurve === undefined) throw new DOMException('The curve is not supported', 'NotSupportedError');
      return;
    }
    case 'iv':
    case 'additionalData':
    case 'salt':
    case 'info': {
      const bytes = bytesOf(value);
      if (bytes === null) throw new NativeTypeError(`${field} is an ArrayBuffer or a view of one`);
      algorithm[field] = base64Encode(bytes);
      return;
    }
    default: {
      const number = trunc(NativeNumber(value));
      if (!isInteger(number) || number < 0 || number > 0xffffffff) throw new NativeTypeError(`${field} is a number`);
      algorithm[field] = number;
    }
  }
}

/** As the host reads it: what the key is for, and what this operation wants. `length` is the guest's own business. */
export function algorithmJson(algorithm: Algorithm): string {
  let json = `{"name":${jsonStringify(algorithm.name)}`;
  for (let at = 0; at < SENT.length; at += 1) {
    const value = algorithm[SENT[at]!];
    if (value !== undefined) json += `,"${SENT[at]!}":${jsonStringify(value)}`;
  }
  return `${json}}`;
}
const SENT: Exclude<Field, 'length'>[] = [
  'hash',
  'namedCurve',
  'iv',
  'additionalData',
  'tagLength',
  'salt',
  'info',
  'iterations',
  'saltLength',
];

/** Bits of a block: what an HMAC key has where nobody says. */
export const blockBits = (hash: string): number => (hash === HASHES[0] || hash === HASHES[1] ? 512 : 1024);
