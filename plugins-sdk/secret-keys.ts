import type { webcrypto } from 'node:crypto';

/** A key whose value is a secret of the installation: it never enters the isolate. */
export interface SecretKey {
  /** The name under which the manifest declares it. */
  secret: string;
}

declare module 'node:crypto' {
  namespace webcrypto {
    interface SubtleCrypto {
      /** Needs the capability `secrets`. Rejects with: crypto-key-refused, secret-undeclared, secret-missing. */
      importKey(
        format: webcrypto.KeyFormat,
        keyData: SecretKey,
        algorithm: webcrypto.AlgorithmIdentifier | webcrypto.HmacImportParams | webcrypto.EcKeyImportParams,
        extractable: false,
        keyUsages: readonly webcrypto.KeyUsage[],
      ): Promise<webcrypto.CryptoKey>;
    }
  }
}
