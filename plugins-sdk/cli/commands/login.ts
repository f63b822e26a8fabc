import { createApiClient, type TokenOwner } from '../api-client.ts';
import { type Cli, verb } from '../command-line.ts';
import { checkUrl, DEFAULT_URL, storeAccount } from '../credentials.ts';
import { CliError } from '../errors.ts';
import { principalText } from './whoami.ts';

/**
 * Checks a token against its host and stores both as a profile, which becomes the current one.
 * Refuses with: usage, settings-invalid, token-invalid, host-unreachable, host-timeout, host-answer-invalid.
 */
export const login =
  (ports: { configFolder: string }) =>
  async (command: {
    profile: string;
    url: string;
    token: string;
  }): Promise<{ principal: TokenOwner; path: string }> => {
    const account = { url: checkUrl(command.url), token: command.token.trim() };
    // A token that no header can carry would be refused by fetch with a sentence about headers.
    if (!/^[\x21-\x7e]+$/.test(account.token))
      throw new CliError('usage', 'The token has characters that no token has.');
    const principal = await createApiClient(account).whoami();
    return { principal, path: await storeAccount(ports.configFolder, command.profile, account) };
  };

export function loginCommand(cli: Cli): void {
  verb(cli, {
    name: 'login',
    summary: 'Store the address and the token of a host',
    examples: [
      'gate login --url http://127.0.0.1:8080',
      'gate login --profile staging --url https://gatehouse.example --token gh_…',
      'gate login < token.txt',
    ],
  })
    .option('--url <address>', `address of the host (default: ${DEFAULT_URL})`)
    .option('--token <token>', 'API token; better typed at the prompt or piped in, where no history keeps it')
    .action(
      cli.answer(async (options: { url?: string; token?: string }) => {
        const url = checkUrl(options.url ?? cli.settings.url ?? DEFAULT_URL);
        warnOfPlainText(cli, url);
        const token = options.token ?? cli.settings.token ?? (await askToken(cli, url));
        const profile = cli.program.opts<{ profile?: string }>().profile ?? 'default';
        const { principal, path } = await login(cli.settings)({ profile, url, token });
        return {
          value: { profile, url, path, principal },
          text: (paint) =>
            `${paint('green', '✔')} Logged in at ${url} as profile "${profile}"\n${principalText(paint, principal)}`,
        };
      }),
    );
}

async function askToken(cli: Cli, url: string): Promise<string> {
  if (cli.interactive()) {
    const { password } = await import('@inquirer/prompts');
    return password({ message: `API token for ${url}`, mask: false });
  }
  if (cli.streams.in.isTTY) throw new CliError('usage', 'Give the token with --token or GATEHOUSE_TOKEN.');
  let text = '';
  for await (const chunk of cli.streams.in) text += chunk;
  if (text.trim() === '')
    throw new CliError('usage', 'Give the token with --token, GATEHOUSE_TOKEN or on standard input.');
  return text;
}

const LOOPBACK_PATTERN = /^(?:localhost|127(?:\.\d+){3}|\[::1\])$/;

function warnOfPlainText(cli: Cli, url: string): void {
  const { protocol, hostname } = new URL(url);
  if (protocol === 'http:' && !LOOPBACK_PATTERN.test(hostname)) {
    cli.note(`Warning: ${url} is not encrypted; anybody on the way can read the token.`);
  }
}
