import type { ApiClient } from '../api-client.ts';
import { type Cli, verb } from '../command-line.ts';
import { forgetAccount, profileName } from '../credentials.ts';
import { ServerRefusal } from '../errors.ts';

/** Revokes the token in use, for everybody who has it. One that has ended already is no mistake. */
export const revokeOwn =
  (api: Pick<ApiClient, 'whoami' | 'revokeToken'>) => async (): Promise<{ revoked: boolean }> => {
    try {
      const { credentialId } = await api.whoami();
      await api.revokeToken(credentialId);
      return { revoked: true };
    } catch (error) {
      if (error instanceof ServerRefusal && error.code === 'token-invalid') return { revoked: false };
      throw error;
    }
  };

export function logoutCommand(cli: Cli): void {
  verb(cli, {
    name: 'logout',
    summary: 'Revoke the token in use and forget it',
    examples: ['gate logout', 'gate logout --profile staging', 'gate logout --keep-token'],
  })
    .option('--keep-token', 'forget it here, and let it work elsewhere')
    .action(
      cli.answer(async ({ keepToken }: { keepToken?: true }) => {
        const profile = await profileName(cli.settings, cli.program.opts<{ profile?: string }>().profile);
        const { revoked } = keepToken ? { revoked: false } : await revokeOwn(await cli.api())();
        await forgetAccount(cli.settings.configFolder, profile);
        return {
          value: { profile, revoked },
          text: (paint) =>
            `${paint('green', '✔')} Forgot profile "${profile}"; its token ${revoked ? 'is revoked' : 'was not revoked'}`,
        };
      }),
    );
}
