import type { Rollout } from '../../../host/rollouts/contract.ts';
import { type Cli, verb } from '../command-line.ts';
import { columns, oneLine, type Paint } from '../terminal.ts';
import { resolveInstallationId } from './installations.ts';
import { EVERY_SECONDS, manageStaging, readEvery, readShares, type StagingOptions, stagingsText } from './stagings.ts';

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
    summary: 'Show which releases an installation had and why; for publishers: how releases come to operators',
    examples: [
      'gate rollouts shop',
      'gate rollouts acme-labs/shop                # for its publisher: releases on their way',
      'gate rollouts acme-labs/shop@2.0.0 --stage 5,25,50,100 --every 6h',
      "gate rollouts acme-labs/shop@2.0.0 --halt --reason 'It loses orders.'",
      'gate rollouts acme-labs/shop@2.0.0 --resume',
      "gate rollouts acme-labs/shop@2.0.0 --rollback --reason 'It loses orders.'",
    ],
  })
    .argument('<installation>', 'slug or id of an installation; for publishers <publisher>/<name>[@<version>]')
    .option('--stage <shares>', 'let a version come to rising shares of those who follow', readShares)
    .option('--every <time>', 'with --stage: how long each share is watched', readEvery, EVERY_SECONDS)
    .option('--halt', 'let it come to nobody else')
    .option('--resume', 'let it go on where it was halted, counted anew')
    .option('--finish', 'let everybody have it now')
    .option('--rollback', 'take it back from all who took it by their policy')
    .option('--reason <text>', 'why; operators read it')
    .action(
      cli.answer(async (target: string, options: StagingOptions) => {
        const api = await cli.api();
        if (target.includes('/')) {
          const items = await manageStaging(api, target, options);
          return {
            value: { items },
            text: (paint) =>
              items.length === 0 ? 'Its releases come to everybody at once.' : stagingsText(paint, items),
          };
        }
        const { items } = await api.listRollouts(await resolveInstallationId(api)(target), { limit: 100 });
        return {
          value: { items },
          text: (paint) => (items.length === 0 ? 'It still has its first release.' : rolloutsText(paint, items)),
        };
      }),
    );
}
