import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { keyIdOf } from '../../contract/index.ts';
import type { ApiClient } from '../api-client.ts';
import { type Cli, verb } from '../command-line.ts';
import { CliError } from '../errors.ts';
import { fields } from '../terminal.ts';

export interface KeyFile {
  /** Absolute. */
  path: string;
  /** SHA-256 of the public key, lower-case hex. */
  keyId: string;
  publicKeyPem: string;
}

/** Where the key of a profile is unless `--key` or `--out` says otherwise. */
export const keyPath = (configFolder: string, profile: string): string => join(configFolder, 'keys', `${profile}.pem`);

/** Makes an Ed25519 key in a file that only its owner can read. Refuses with: file-taken, file-unwritable. */
export async function createKeyFile(path: string): Promise<KeyFile> {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  try {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    await writeFile(path, privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600, flag: 'wx' });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') {
      throw new CliError('file-taken', `${path} exists already and is never overwritten; choose another with --out.`, {
        path,
      });
    }
    throw new CliError('file-unwritable', `${path} cannot be written: ${(error as Error).message}`, { path });
  }
  return { path, ...publicPart(publicKey) };
}

/** Reads a private key. Refuses with: key-missing, key-invalid. */
export async function loadKeyFile(path: string): Promise<KeyObject> {
  const pem = await readFile(path, 'utf8').catch(() => {
    throw new CliError('key-missing', `There is no signing key at ${path}. Make one with: gate keygen --register`, {
      path,
    });
  });
  try {
    const key = createPrivateKey(pem);
    if (key.asymmetricKeyType === 'ed25519') return key;
  } catch {
    // Says the same as for a key of another type, below.
  }
  throw new CliError('key-invalid', `${path} is not an Ed25519 private key in PEM form.`, { path });
}

export const publicPart = (key: KeyObject): Omit<KeyFile, 'path'> => {
  const publicKey = key.type === 'public' ? key : createPublicKey(key as never);
  return { keyId: keyIdOf(publicKey), publicKeyPem: publicKey.export({ type: 'spki', format: 'pem' }) as string };
};

/** Tells the host which key a publisher signs with; idempotent. Refuses with: key-invalid, key-taken. */
export const registerKey = (api: Pick<ApiClient, 'registerKey'>) => (privateKey: KeyObject, label: string) =>
  api.registerKey({ publicKeyPem: publicPart(privateKey).publicKeyPem, label });

export function keygenCommand(cli: Cli): void {
  verb(cli, {
    name: 'keygen',
    summary: 'Make the key that signs your releases',
    examples: ['gate keygen --register', 'gate keygen --out ./release-key.pem --register --label "build server"'],
  })
    .option('--out <file>', 'where the key goes (default: keys/<profile>.pem in the settings folder)')
    .option('--register', 'tell the host about it; registers an existing key when there is one')
    .option('--label <text>', 'how the host lists the key', 'gate')
    .action(
      cli.answer(async (options: { out?: string; register?: true; label: string }) => {
        const path = options.out
          ? resolve(cli.settings.cwd, options.out)
          : keyPath(cli.settings.configFolder, await cli.profile());
        // Before the key is made: whoever is not logged in shall not be left with half of what was asked.
        const api = options.register ? await cli.api() : null;
        const key = await createOrKeep(path, options.register === true);
        if (api !== null) await registerKey(api)(await loadKeyFile(path), options.label);
        return {
          value: { ...key, registered: api !== null },
          text: (paint) => {
            const advice = api ? `registered at ${api.url}` : 'not registered yet: gate keygen --register';
            const entries: [string, string][] = [
              ['file', key.path],
              ['key id', key.keyId],
              ['status', advice],
            ];
            return `${paint('green', '✔')} ${key.created ? 'Made a signing key' : 'Kept the existing signing key'}\n${fields(paint, entries)}`;
          },
        };
      }),
    );
}

/** With `keep`, an existing key is what was asked for: registering must be possible after the key was made. */
async function createOrKeep(path: string, keep: boolean): Promise<KeyFile & { created: boolean }> {
  try {
    return { ...(await createKeyFile(path)), created: true };
  } catch (error) {
    if (!keep || !(error instanceof CliError) || error.code !== 'file-taken') throw error;
    return { path, ...publicPart(await loadKeyFile(path)), created: false };
  }
}
