import { type Cli, verb } from '../command-line.ts';
import { resolveReleaseId, reviewedValue } from './releases.ts';

export function rejectCommand(cli: Cli): void {
  verb(cli, {
    name: 'reject',
    summary: 'Refuse a release, with reasons for its publisher (moderators)',
    examples: ['gate reject acme-labs/hello-http@1.0.0 --reason "README.md does not say what is stored."'],
  })
    .argument('<release>', '<publisher>/<name>@<version>, or the id of the release')
    .requiredOption('--reason <text...>', 'why; may be given several times')
    .action(
      cli.answer(async (text: string, options: { reason: string[] }) => {
        const api = await cli.api();
        const release = await api.rejectRelease(await resolveReleaseId(api)(text), options.reason);
        return reviewedValue(release, 'rejected');
      }),
    );
}
