/** What an operation of `crypto.subtle` costs the host, as far as that depends on its arguments. */
export interface CryptoWork {
  algorithm: string;
  operation: 'digest' | 'sign' | 'verify' | 'encrypt' | 'decrypt' | 'derive' | 'import' | 'export' | 'generate';
  bytes: number;
  iterations?: number;
}

/** Importing the key, checking arguments, the way to the thread that computes and back. */
const FIXED_MS = 0.05;
/** SHA-1 and AES-GCM are faster, SHA-512 without instructions of its own is not. */
const MS_PER_MIB = 3;
const MS_PER_ITERATION = 0.0006;
const SIGN_MS: Record<string, number> = { ECDSA: 0.15, Ed25519: 0.1, 'RSASSA-PKCS1-v1_5': 2.5, 'RSA-PSS': 2.5 };
const VERIFY_MS: Record<string, number> = { ECDSA: 0.3, Ed25519: 0.2, 'RSASSA-PKCS1-v1_5': 0.15, 'RSA-PSS': 0.15 };
const MIB = 1024 * 1024;

/**
 * CPU milliseconds that an operation is billed with: by a tariff and not by a clock, so that the same invocation costs the same on every
 * machine, and nobody pays for how busy the host is.
 */
export function cryptoCostMs({ algorithm, operation, bytes, iterations = 0 }: CryptoWork): number {
  const asymmetric =
    operation === 'sign' ? SIGN_MS[algorithm] : operation === 'verify' ? VERIFY_MS[algorithm] : undefined;
  return FIXED_MS + (asymmetric ?? 0) + (bytes / MIB) * MS_PER_MIB + iterations * MS_PER_ITERATION;
}
