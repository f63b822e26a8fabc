import { type ApiClient, createApiClient } from '../api-client.ts';
import { type Cli, verb } from '../command-line.ts';
import { findAccount, forgetAccount, profileName } from '../credentials.ts';
import { CliError, ServerRefusal } from '../errors.ts';

/** Revokes the token of `api`, for everybody who has it. One that has ended already is no mistake. */
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
    summary: 'Revoke the token of the profile and forget it',
    examples: ['gate logout', 'gate logout --profile staging', 'gate logout --keep-token'],
  })
    .option('--keep-token', 'forget it here, and let it work elsewhere')
    .action(
      cli.answer(async ({ keepToken }: { keepToken?: true }) => {
        // What is stored, and never the environment's: that one is not forgotten here, and others may use it.
        const stored = { ...cli.settings, url: null, token: null };
        const asked = cli.program.opts<{ profile?: string }>().profile;
        const profile = await profileName(stored, asked);
        const account = await findAccount(stored, asked);
        if (account.token === null) throw new CliError('token-absent', `No token is stored as profile "${profile}".`);
        const { revoked } = keepToken ? { revoked: false } : await revokeOwn(createApiClient(account))();
        await forgetAccount(cli.settings.configFolder, profile);
        return {
          value: { profile, revoked },
          text: (paint) =>
            `${paint('green', '✔')} Forgot profile "${profile}"; its token ${revoked ? 'is revoked' : 'was not revoked'}`,
        };
      }),
    );
}
