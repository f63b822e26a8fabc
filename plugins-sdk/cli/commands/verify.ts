import type { KeyObject } from 'node:crypto';
import { createPublicKey } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { keyIdOf, type ReleaseProof } from '../../contract/index.ts';
import { isBundle, readBundle } from '../bundle/bundle-file.ts';
import { verifyBundle } from '../bundle/verify-bundle.ts';
import { type Cli, verb } from '../command-line.ts';
import { findAccount } from '../credentials.ts';
import { CliError } from '../errors.ts';
import { oneLine, type Paint } from '../terminal.ts';
import { logStatePath, readLogState, readPublicKey } from '../transparency/log-state.ts';
import { type VerifiedArchive, verifyArchive } from '../transparency/verify-archive.ts';
import { verifiedAnswer } from './bundle.ts';

/** Where the proof of an archive is unless `--proof` or `--out` says otherwise. */
export const proofPath = (archivePath: string): string => `${archivePath}.proof.json`;

/** Refuses with: file-unreadable, proof-invalid. */
export async function readProof(path: string): Promise<ReleaseProof> {
  const text = await readFile(path, 'utf8').catch((error: Error) => {
    throw new CliError(
      'file-unreadable',
      `${path} cannot be read: ${error.message}. Get it with: gate audit-log proof <plugin>@<version> --out ${path}`,
      { path },
    );
  });
  try {
    const proof = JSON.parse(text) as ReleaseProof | null;
    if (proof?.version === 1) return proof;
  } catch {
    // Says the same as for a document of another kind, below.
  }
  throw new CliError('proof-invalid', `${path} is no proof of a release of a version that this gate knows.`, { path });
}

/** The key given, or the one that this auditor trusted first. Refuses with: registry-key-unknown, file-unreadable, key-invalid. */
async function registryKeyOf(cli: Cli, path: string | undefined): Promise<KeyObject> {
  if (path !== undefined) return readPublicKey(resolve(cli.settings.cwd, path));
  const { url } = await findAccount(cli.settings, cli.program.opts<{ profile?: string }>().profile);
  const state = await readLogState(logStatePath(cli.settings.configFolder, url));
  if (state !== null) return createPublicKey(state.publicKeyPem);
  throw new CliError(
    'registry-key-unknown',
    `The key of the registry at ${url} is not known here. Name it with --registry-key, or run once: gate audit-log verify`,
    { url },
  );
}

export function verifyCommand(cli: Cli): void {
  verb(cli, {
    name: 'verify',
    summary: 'Verify a release archive by its proof, or a bundle, without a network',
    examples: [
      'gate verify acme-hello-1.0.0.gpk',
      'gate verify acme-hello-1.0.0.gatebundle --registry-key registry.pem',
      'gate verify hello.gpk --proof hello.json --registry-key registry.pem',
    ],
  })
    .argument('<file>', 'the release archive, or a bundle of gate bundle export')
    .option('--proof <file>', 'default: <file>.proof.json')
    .option('--registry-key <file>', "the registry's public key (default: the one that gate audit-log verify trusted)")
    .action(
      cli.answer(async (file: string, options: { proof?: string; registryKey?: string }) => {
        const path = resolve(cli.settings.cwd, file);
        const archive = await readFile(path).catch((error: Error) => {
          throw new CliError('file-unreadable', `${path} cannot be read: ${error.message}`, { path });
        });
        if (isBundle(archive)) {
          const root = await registryKeyOf(cli, options.registryKey);
          return verifiedAnswer(await verifyBundle(await readBundle(archive), root), keyIdOf(root));
        }
        const proof = await readProof(options.proof ? resolve(cli.settings.cwd, options.proof) : proofPath(path));
        const registryKey = await registryKeyOf(cli, options.registryKey);
        const verified = await verifyArchive(archive, proof, registryKey);
        return {
          value: { ...verified, registryKeyId: keyIdOf(registryKey) },
          text: (paint) => verifiedText(paint, verified),
          exitCode: verified.passed ? 0 : 1,
        };
      }),
    );
}

function verifiedText(paint: Paint, { statement, steps, passed }: VerifiedArchive): string {
  const lines = steps.map(
    (step) =>
      `${step.passed ? paint('green', '✔') : paint('red', '✖')} ${step.step.padEnd(20)} ${oneLine(step.message)}`,
  );
  const name = statement ? oneLine(`${statement.publisher}/${statement.name}@${statement.version}`) : 'The file';
  const end = passed
    ? `${paint('green', '✔')} ${name} is what its publisher signed and the registry approved in public.`
    : `${paint('red', '✖')} ${name} is not proven; do not install it.`;
  return [...lines, end].join('\n');
}
