import { resolve } from 'node:path';
import type { PublisherKey } from '../../../registry/index.ts';
import type { ApiClient } from '../api-client.ts';
import { type Cli, verb } from '../command-line.ts';
import { CliError } from '../errors.ts';
import { readOverlap } from '../read-period.ts';
import { columns, oneLine, type Paint } from '../terminal.ts';
import { createKeyFile, keyPath, loadKeyFile, publicPart, registerKey } from './keygen.ts';

/** What a key may do now, in a few words. */
export function keyState({ revokedAt, retiresAt, compromisedSince }: PublisherKey, nowMs: number): string {
  if (compromisedSince !== null) return `compromised since ${compromisedSince}`;
  if (revokedAt !== null) return `revoked ${revokedAt}`;
  if (retiresAt === null) return 'signs';
  return Date.parse(retiresAt) > nowMs ? `signs until ${retiresAt}` : `retired ${retiresAt}`;
}

export function keysText(paint: Paint, keys: PublisherKey[], nowMs: number): string {
  if (keys.length === 0) return 'There are no keys. Make one with: gate keygen --register';
  const rows = keys.map((key) => [key.keyId.slice(0, 16), oneLine(key.label), key.createdAt, keyState(key, nowMs)]);
  return columns(paint, ['KEY', 'LABEL', 'REGISTERED', 'STATE'], rows);
}

/** A key by its id or the beginning of it. Refuses with: usage, key-missing. */
export async function findKeyId(api: Pick<ApiClient, 'listKeys'>, text: string): Promise<string> {
  if (!/^[0-9a-f]{8,64}$/.test(text)) throw new CliError('usage', 'Name a key by the first 8 to 64 digits of its id.');
  const found = (await api.listKeys()).items.filter(({ keyId }) => keyId.startsWith(text));
  if (found.length === 1) return found[0]!.keyId;
  // Whose key it is the host decides: moderators revoke those of others by the whole id.
  if (found.length === 0 && text.length === 64) return text;
  throw new CliError(
    'key-missing',
    found.length === 0 ? `You have no key ${text}.` : `Several keys begin with ${text}.`,
  );
}

/** ISO 8601, or how long ago: `90m`, `36h`, `3d`. Refuses with: usage. */
export function readTime(text: string, nowMs: number): string {
  const [, amount, unit] = /^(\d{1,5})([mhd])$/.exec(text) ?? [];
  const ms = unit
    ? nowMs - Number(amount) * { m: 60_000, h: 3_600_000, d: 86_400_000 }[unit as 'm' | 'h' | 'd']
    : Date.parse(text);
  if (Number.isNaN(ms))
    throw new CliError('usage', `"${text}" is no time: 2026-11-21T08:00:00Z, or 36h for 36 hours ago.`);
  return new Date(ms).toISOString();
}

export function keysCommand(cli: Cli): void {
  const keys = verb(cli, {
    name: 'keys',
    summary: 'List, register, rotate and revoke the keys that sign your releases',
    examples: [
      'gate keys list',
      'gate keys register --label "build server"',
      'gate keys rotate 3f2a91c07d11 --out ./next.pem --overlap 30',
      'gate keys revoke 3f2a91c07d11',
      'gate keys revoke 3f2a91c07d11 --compromised-since 36h --yes',
    ],
  });
  keys
    .command('list')
    .description('Show the keys and their state')
    .action(
      cli.answer(async () => {
        const { items } = await (await cli.api()).listKeys();
        return { value: { items }, text: (paint) => keysText(paint, items, Date.now()) };
      }),
    );
  keys
    .command('register')
    .description('Tell the host about the key that you sign with')
    .option('--key <file>', 'private key (default: that of the profile)')
    .option('--label <text>', 'how the host lists it', 'gate')
    .action(
      cli.answer(async ({ key, label }: { key?: string; label: string }) => {
        const path = key ? resolve(cli.settings.cwd, key) : keyPath(cli.settings.configFolder, await cli.profile());
        const registered = await registerKey(await cli.api())(await loadKeyFile(path), label);
        return { value: registered, text: (paint) => keysText(paint, [registered], Date.now()) };
      }),
    );
  keys
    .command('rotate')
    .description('Make a successor; both sign for a while, and what the old key signed stays good')
    .argument('<key>', 'beginning of the id of the old key')
    .requiredOption('--out <file>', 'where the new key goes')
    .option('--overlap <days>', 'how long both sign', readOverlap('days', 90), 30)
    .option('--label <text>', 'how the host lists the new key', 'gate')
    .action(
      cli.answer(async (text: string, { out, overlap, label }: { out: string; overlap: number; label: string }) => {
        const api = await cli.api();
        const keyId = await findKeyId(api, text);
        const path = resolve(cli.settings.cwd, out);
        const ownPath = keyPath(cli.settings.configFolder, await cli.profile());
        // Made before it is registered: sent again, the same key is the successor.
        const made = await createKeyFile(path).catch(async (error) => {
          if (!(error instanceof CliError) || error.code !== 'file-taken') throw error;
          return { path, ...publicPart(await loadKeyFile(path)) };
        });
        const overlapSeconds = Math.round(overlap * 86_400);
        const rotated = await api.rotateKey(keyId, { publicKeyPem: made.publicKeyPem, label, overlapSeconds });
        return {
          value: { ...rotated, path },
          text: (paint) =>
            [
              keysText(paint, [rotated.key, rotated.successor], Date.now()),
              `The new key is in ${path}. Publish with it: gate publish --key ${path}`,
              `Without --key, gate publish goes on with the key of the profile, ${ownPath}: put the new one there before the old one ends.`,
            ].join('\n'),
        };
      }),
    );
  keys
    .command('revoke')
    .description('Let a key sign nothing any more; a stolen one takes its releases along')
    .argument('<key>', 'beginning of the id of the key')
    .option('--compromised-since <time>', 'block every release that came from then on: a time, or 36h for 36 hours ago')
    .option('--yes', 'do not ask')
    .action(
      cli.answer(async (text: string, options: { compromisedSince?: string; yes?: true }) => {
        const api = await cli.api();
        const keyId = await findKeyId(api, text);
        const { compromisedSince: since } = options;
        const compromisedSince = since === undefined ? undefined : readTime(since, Date.now());
        if (!options.yes) await confirm(cli, keyId, compromisedSince);
        const { key, blockedReleaseIds } = await api.revokeKey(keyId, { compromisedSince });
        const count = blockedReleaseIds.length;
        return {
          value: { key, blockedReleaseIds },
          text: (paint) =>
            [
              `${paint('green', '✔')} ${keyId.slice(0, 16)}… is ${keyState(key, Date.now())}`,
              ...(since === undefined
                ? []
                : [`${count} ${count === 1 ? 'release is' : 'releases are'} blocked on every host.`]),
            ].join('\n'),
        };
      }),
    );
}

async function confirm(cli: Cli, keyId: string, since: string | undefined): Promise<void> {
  const what =
    since === undefined
      ? 'signs nothing any more'
      : `signs nothing any more, and all that came since ${since} stops everywhere`;
  if (!cli.interactive()) throw new CliError('confirmation-needed', `${keyId.slice(0, 16)}… ${what}: add --yes.`);
  const { confirm: ask } = await import('@inquirer/prompts');
  if (!(await ask({ message: `${keyId.slice(0, 16)}… ${what}. Go on?`, default: false })))
    throw new CliError('confirmation-needed', 'Cancelled.');
}
