import type { ApiToken, Permission, TokenNarrowing, TokenRole } from '../../../registry/index.ts';
import type { ApiClient } from '../api-client.ts';
import { type Cli, verb } from '../command-line.ts';
import { CliError } from '../errors.ts';
import { readOverlap } from '../read-period.ts';
import { fields, oneLine, type Paint } from '../terminal.ts';

const DAY_MS = 86_400_000;

export interface NewTokenOptions {
  role: string;
  label: string;
  organisation?: string;
  days?: number;
  scopes?: string[];
  installations?: string[];
  plugin?: string;
  addresses?: string[];
}

/** A token of one's own organisation unless another is named. Refuses with: usage, and what the host refuses. */
export const createToken =
  (api: Pick<ApiClient, 'whoami' | 'issueToken'>, nowMs: () => number) =>
  async (options: NewTokenOptions): Promise<{ token: ApiToken; secret: string }> => {
    const { days, scopes, installations, plugin, addresses } = options;
    if (days !== undefined && !(days > 0)) throw new CliError('usage', '--days must be a number above 0.');
    const narrowing: TokenNarrowing = {
      ...(scopes && { scopes: scopes.flatMap((each) => each.split(',')) as Permission[] }),
      ...(installations && { installationIds: installations }),
      ...(plugin !== undefined && { plugin }),
      ...(addresses && { addressRanges: addresses }),
    };
    return api.issueToken({
      organisation: options.organisation ?? (await api.whoami()).organisation.slug,
      role: options.role as TokenRole,
      label: options.label,
      ...(days !== undefined && { expiresAt: new Date(nowMs() + days * DAY_MS).toISOString() }),
      ...narrowing,
    });
  };

/** Whether it works, what it may do, and when it was used. */
export function tokenText(paint: Paint, token: ApiToken): string {
  const { id, label, role, account, expiresAt, lastUsedAt, revokedAt, successorId } = token;
  const { scopes, installationIds, plugin, addressRanges } = token;
  const state =
    revokedAt !== null ? `revoked ${revokedAt}` : expiresAt === null ? 'never expires' : `expires ${expiresAt}`;
  const only = [
    scopes && `scopes ${scopes.join(' ')}`,
    installationIds && `installations ${installationIds.join(' ')}`,
    plugin !== null && `plugin ${plugin}`,
    addressRanges && `addresses ${addressRanges.join(' ')}`,
  ].filter(Boolean);
  const facts = [
    role,
    state,
    lastUsedAt === null ? 'never used' : `used ${lastUsedAt}`,
    ...(account ? [`of ${account.username}`] : []),
    ...(successorId ? [`succeeded by ${successorId}`] : []),
  ];
  const head = `${paint('dim', id)} ${paint('bold', oneLine(label))} ${facts.join(', ')}`;
  return only.length === 0 ? head : `${head}\n    only ${only.join('; ')}`;
}

const secretText = (paint: Paint, { token, secret }: { token: ApiToken; secret: string }): string =>
  `${fields(paint, [
    ['id', token.id],
    ['role', token.role],
    ['expires', token.expiresAt ?? 'never'],
    ['secret', secret],
  ])}\nThis is the only time that the secret is shown.`;

export function tokensCommand(cli: Cli): void {
  const command = verb(cli, {
    name: 'tokens',
    summary: 'List, create, rotate and revoke API tokens',
    examples: [
      'gate tokens list',
      'gate tokens create till-1 --role caller --installations 0199b7a0-… --addresses 203.0.113.0/24',
      'gate tokens create ci --role developer --plugin acme/hello --scopes release:publish --days 90',
      'gate tokens rotate <id> --overlap 3600',
      'gate tokens revoke <id>',
    ],
  });
  command.command('list').action(
    cli.answer(async () => {
      const { items } = await (await cli.api()).listTokens();
      return {
        value: { items },
        text: (paint) =>
          items.length === 0 ? 'There are no tokens.' : items.map((token) => tokenText(paint, token)).join('\n'),
      };
    }),
  );
  command
    .command('create')
    .argument('<label>', 'what it is for')
    .requiredOption('--role <role>', 'such as caller, developer or operator-viewer')
    .option('--organisation <slug>', 'for admins of the platform (default: your own)')
    .option('--days <number>', 'until it expires (default: never)', Number)
    .option(
      '--scopes <permissions...>',
      'all that it may do of what the role may, separated by commas; see docs/permissions.md',
    )
    .option('--installations <ids...>', 'the only installations that it may touch')
    .option('--plugin <name>', 'publisher/name: the only plugin that it may publish')
    .option('--addresses <ranges...>', 'addresses and CIDR ranges from which it may come')
    .action(
      cli.answer(async (label: string, options: Omit<NewTokenOptions, 'label'>) => {
        const issued = await createToken(await cli.api(), Date.now)({ ...options, label });
        return { value: issued, text: (paint) => secretText(paint, issued) };
      }),
    );
  command
    .command('rotate')
    .argument('<id>', 'of the token')
    .option(
      '--overlap <seconds>',
      'how long the old one works beside the new one',
      readOverlap('seconds', 2_592_000),
      3_600,
    )
    .action(
      cli.answer(async (id: string, { overlap }: { overlap: number }) => {
        const issued = await (await cli.api()).rotateToken(id, overlap);
        return { value: issued, text: (paint) => secretText(paint, issued) };
      }),
    );
  command
    .command('revoke')
    .argument('<id>', 'of the token')
    .action(
      cli.answer(async (id: string) => {
        const token = await (await cli.api()).revokeToken(id);
        return { value: token, text: (paint) => tokenText(paint, token) };
      }),
    );
}
