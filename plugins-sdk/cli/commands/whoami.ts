import type { TokenOwner } from '../api-client.ts';
import { type Cli, verb } from '../command-line.ts';
import { fields, type Paint } from '../terminal.ts';

export function principalText(paint: Paint, { organisation, role, label, expiresAt }: TokenOwner): string {
  return fields(paint, [
    ['organisation', `${organisation.slug} (${organisation.name})`],
    ['kind', organisation.kind],
    ['role', role],
    ['token', label],
    ['expires', expiresAt ?? 'never'],
  ]);
}

export function whoamiCommand(cli: Cli): void {
  verb(cli, {
    name: 'whoami',
    summary: 'Show whose token is in use',
    examples: ['gate whoami', 'gate whoami --profile staging --json'],
  }).action(
    cli.answer(async () => {
      const api = await cli.api();
      const principal = await api.whoami();
      return {
        value: { url: api.url, ...principal },
        text: (paint) => `${fields(paint, [['host        ', api.url]])}\n${principalText(paint, principal)}`,
      };
    }),
  );
}
