import { CRYPTO_INPUT_BYTES_MAX } from '../../contract/capabilities/sizes.ts';
import { base64Decode, base64Encode } from '../base64.ts';
import { bytesOf } from '../bytes.ts';
import { DOMException } from '../dom-exception.ts';
import { callHost, currentInvocation, type Invocation } from '../invocation.ts';
import { copyOfBytes, jsonStringify, NativeError, NativeTypeError, typedArrayBuffer } from '../primordials.ts';
import type { KeyMaterial } from './crypto-key.ts';

interface Refused {
  error?: { name: string; message: string };
}

/** Who asks. Throws while the bundle starts: nobody would pay for the work. */
export function asking(): Invocation {
  const invocation = currentInvocation();
  if (invocation !== null) return invocation;
  throw new NativeError('crypto.subtle cannot be used while the bundle starts; call it inside a handler.');
}

/** One operation of the host; `args` is JSON. What Web Crypto refuses is thrown as it throws it. */
export async function askHost<Answer>(invocation: Invocation, operation: string, args: string): Promise<Answer> {
  const answer = (await callHost(invocation, `crypto.${operation}`, args)) as Answer & Refused;
  const { error } = answer;
  if (error === undefined) return answer;
  throw error.name === 'TypeError' ? new NativeTypeError(error.message) : new DOMException(error.message, error.name);
}

export async function askForBytes(invocation: Invocation, operation: string, args: string): Promise<ArrayBuffer> {
  const { output } = await askHost<{ output: string }>(invocation, operation, args);
  return decodeBuffer(output);
}

/** A buffer of exactly these bytes. */
export const decodeBuffer = (base64: string): ArrayBuffer => typedArrayBuffer(copyOfBytes(base64Decode(base64)!));

/** The bytes of an argument, copied. Throws a TypeError for what has none, an OperationError for too many. */
export function inputBytes(value: unknown): Uint8Array<ArrayBuffer> {
  const bytes = bytesOf(value);
  if (bytes === null) throw new NativeTypeError('The argument is an ArrayBuffer or a view of one');
  if (bytes.length <= CRYPTO_INPUT_BYTES_MAX) return bytes;
  const message = `One operation takes ${CRYPTO_INPUT_BYTES_MAX} bytes, not ${bytes.length}`;
  throw new DOMException(message, 'OperationError');
}

export const bytesJson = (bytes: Uint8Array): string => `"${base64Encode(bytes)}"`;

export const materialJson = (material: KeyMaterial): string =>
  'secret' in material
    ? `{"format":"${material.format}","secret":${jsonStringify(material.secret)}}`
    : `{"format":"${material.format}","bytes":"${material.bytes}"}`;
