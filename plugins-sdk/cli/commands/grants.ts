import type { Grant } from '../../../host/grants/contract.ts';
import type { ApiClient } from '../api-client.ts';
import { type Cli, verb } from '../command-line.ts';
import { columns, oneLine, type Paint } from '../terminal.ts';
import { readGrants } from './install.ts';
import { resolveInstallationId } from './installations.ts';

interface GrantChanges {
  grant?: string;
  revoke?: string;
}

/** Takes and gives capabilities, as far as asked, and returns all grants. Refuses with: usage. */
export const changeGrants =
  (api: Pick<ApiClient, 'listInstallations' | 'listGrants' | 'grant' | 'revoke'>) =>
  async (slugOrId: string, { grant = '', revoke = '' }: GrantChanges): Promise<Grant[]> => {
    const [given, taken] = [readGrants(grant), readGrants(revoke)];
    const id = await resolveInstallationId(api)(slugOrId);
    // Taken away first: that is what cannot wait.
    for (const name of taken) await api.revoke(id, name);
    for (const name of given) await api.grant(id, name);
    return (await api.listGrants(id)).items;
  };

/** A line for each capability, and below them what could be taken away. */
export function grantsText(paint: Paint, slugOrId: string, grants: Grant[]): string {
  if (grants.length === 0) return 'The plugin asks for nothing and has nothing.';
  const rows = grants.map(({ capability, granted, optional, reason, usedAt, purpose }) => [
    capability,
    granted ? 'granted' : optional ? 'not granted' : 'not granted, needed',
    granted ? (usedAt ?? 'never') : '',
    oneLine(reason ?? `${purpose} The present release does not ask for it.`),
  ]);
  const unused = grants.filter((grant) => grant.unused).map(({ capability }) => capability);
  const advice = unused.map(
    (name) =>
      `${paint('yellow', '!')} ${name} was granted but not used for 30 days: gate grants ${slugOrId} --revoke ${name}`,
  );
  return [columns(paint, ['CAPABILITY', 'STATE', 'USED', 'WHY'], rows), ...advice].join('\n');
}

export function grantsCommand(cli: Cli): void {
  verb(cli, {
    name: 'grants',
    summary: 'Show what an installation may do and what it makes use of; give or take capabilities',
    examples: ['gate grants shop', 'gate grants shop --revoke notify', 'gate grants shop --grant notify --json'],
  })
    .argument('<installation>', 'slug or id of an installation')
    .option('--grant <capabilities>', 'grant what the plugin asks for')
    .option('--revoke <capabilities>', 'take it away at once, also from what runs')
    .action(
      cli.answer(async (slugOrId: string, changes: GrantChanges) => {
        const items = await changeGrants(await cli.api())(slugOrId, changes);
        return { value: { items }, text: (paint) => grantsText(paint, slugOrId, items) };
      }),
    );
}
