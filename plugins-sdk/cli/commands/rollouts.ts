import type { Rollout } from '../../../host/rollouts/contract.ts';
import { type Cli, verb } from '../command-line.ts';
import { columns, oneLine, type Paint } from '../terminal.ts';
import { resolveInstallationId } from './installations.ts';

export function rolloutsText(paint: Paint, items: Rollout[]): string {
  const rows = items.map(({ startedAt, fromVersion, toVersion, state, percent, cause, reason }) => [
    startedAt,
    `${fromVersion} → ${toVersion}`,
    state === 'canary' ? `canary ${percent} %` : state,
    cause,
    oneLine(reason.split('\n')[0]!),
  ]);
  return columns(paint, ['STARTED', 'RELEASES', 'STATE', 'CAUSE', 'REASON'], rows);
}

export function rolloutsCommand(cli: Cli): void {
  verb(cli, {
    name: 'rollouts',
    summary: 'Show which releases an installation had, why they came and why they went',
    examples: ['gate rollouts shop', 'gate rollouts shop --json'],
  })
    .argument('<installation>', 'slug or id of an installation')
    .action(
      cli.answer(async (slugOrId: string) => {
        const api = await cli.api();
        const { items } = await api.listRollouts(await resolveInstallationId(api)(slugOrId), { limit: 100 });
        return {
          value: { items },
          text: (paint) => (items.length === 0 ? 'It still has its first release.' : rolloutsText(paint, items)),
        };
      }),
    );
}
