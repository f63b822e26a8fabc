import { type Cli, verb } from '../command-line.ts';
import { resolveReleaseId, reviewedValue } from './releases.ts';

export function approveCommand(cli: Cli): void {
  verb(cli, {
    name: 'approve',
    summary: 'Countersign a release and publish it (moderators)',
    examples: ['gate approve acme-labs/hello-http@1.0.0', 'gate approve 0197c0de-0000-7000-8000-000000000000'],
  })
    .argument('<release>', '<publisher>/<name>@<version>, or the id of the release')
    .action(
      cli.answer(async (text: string) => {
        const api = await cli.api();
        const release = await api.approveRelease(await resolveReleaseId(api)(text));
        return reviewedValue(release, 'published');
      }),
    );
}
