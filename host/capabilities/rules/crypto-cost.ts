/** What an operation of `crypto.subtle` costs the host, as far as that depends on its arguments. */
export interface CryptoWork {
  algorithm: string;
  operation: 'digest' | 'sign' | 'verify' | 'encrypt' | 'decrypt' | 'derive' | 'import' | 'export' | 'generate';
  bytes: number;
  hash?: string;
  namedCurve?: string;
  /** Of PBKDF2, for each block of its output. */
  iterations?: number;
  /** Of the output. */
  bits?: number;
  /** What is read again for each block of the output: the salt of PBKDF2, the info of HKDF. */
  bytesPerBlock?: number;
}

/** Importing the key, checking arguments, the way to the thread that computes and back. */
const FIXED_MS = 0.05;
/** SHA-1 and AES-GCM are faster, SHA-512 without instructions of its own is not. */
const MS_PER_MIB = 3;
const MS_PER_ITERATION = 0.0006;
/** With reading the key; of RSA with the largest modulus that is taken. */
const SIGNATURE_MS: Record<string, { sign: number; verify: number }> = {
  Ed25519: { sign: 0.1, verify: 0.2 },
  'P-256': { sign: 0.4, verify: 0.3 },
  'P-384': { sign: 1.4, verify: 1.2 },
  'P-521': { sign: 3, verify: 2 },
  'RSASSA-PKCS1-v1_5': { sign: 6, verify: 0.3 },
  'RSA-PSS': { sign: 6, verify: 0.3 },
};
/** Computing a public point, or checking that one is on its curve: Node.js does that on the host's own thread. */
const KEY_MS: Record<string, number> = { 'P-384': 1.5, 'P-521': 3 };
const KEY_MS_ELSE = 0.5;
const HASH_BITS: Record<string, number> = { 'SHA-1': 160, 'SHA-256': 256, 'SHA-384': 384, 'SHA-512': 512 };
const MIB = 1024 * 1024;

/**
 * CPU milliseconds that an operation is billed with: by a tariff and not by a clock, so that the same invocation costs the same on every
 * machine, and nobody pays for how busy the host is.
 */
export function cryptoCostMs(work: CryptoWork): number {
  const blocks = blocksOf(work);
  const bytes = work.bytes + blocks * (work.bytesPerBlock ?? 0);
  return FIXED_MS + (bytes / MIB) * MS_PER_MIB + keyMs(work) + blocks * (work.iterations ?? 1) * MS_PER_ITERATION;
}

function keyMs({ algorithm, operation, namedCurve = 'P-521' }: CryptoWork): number {
  // A curve beside another algorithm means nothing, and must not make it cheaper.
  const kind = algorithm === 'ECDSA' ? namedCurve : algorithm;
  if (operation === 'sign' || operation === 'verify') return SIGNATURE_MS[kind]?.[operation] ?? 0;
  const readsKey = operation === 'import' || operation === 'export' || operation === 'generate';
  return readsKey ? (KEY_MS[kind] ?? KEY_MS_ELSE) : 0;
}

/** Each block of the output, as long as the hash, takes all iterations. */
const blocksOf = ({ operation, bits = 0, hash = 'SHA-1' }: CryptoWork): number =>
  operation === 'derive' ? Math.max(1, Math.ceil(bits / (HASH_BITS[hash] ?? 160))) : 0;
