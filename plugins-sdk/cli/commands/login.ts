import { hostname } from 'node:os';
import { setTimeout } from 'node:timers/promises';
import { type ApiClient, createApiClient, type DeviceCode, type TokenOwner } from '../api-client.ts';
import { type Cli, verb } from '../command-line.ts';
import { checkToken, checkUrl, DEFAULT_URL, profileName, storeAccount } from '../credentials.ts';
import { CliError, ServerRefusal } from '../errors.ts';
import { readInput } from '../read-input.ts';
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
    const account = { url: checkUrl(command.url), token: checkToken('The token', command.token) };
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
      'gate login --token < token.txt',
    ],
  })
    .option('--url <address>', `address of the host (default: ${DEFAULT_URL})`)
    .option(
      '--token [token]',
      'API token; without a value it is asked for, or read from standard input, where no history keeps it',
    )
    .option('--device', 'approve in a browser, here or on another machine (default in a terminal)')
    .action(
      cli.answer(async (options: { url?: string; token?: string | true; device?: true }) => {
        const profile = await profileName(cli.settings, cli.program.opts<{ profile?: string }>().profile ?? 'default');
        const url = checkUrl(options.url ?? cli.settings.url ?? DEFAULT_URL);
        warnOfPlainText(cli, url);
        const isSaid = options.token !== undefined || options.device;
        const given = typeof options.token === 'string' ? options.token : isSaid ? null : cli.settings.token;
        const byDevice = options.device || (options.token === undefined && cli.interactive());
        const token = given ?? (byDevice ? await askPerson(cli, url) : await askToken(cli, url));
        const { principal, path } = await login(cli.settings)({ profile, url, token });
        return {
          value: { profile, url, path, principal },
          text: (paint) =>
            `${paint('green', '✔')} Logged in at ${url} as profile "${profile}"\n${principalText(paint, principal)}`,
        };
      }),
    );
}

/** Until when somebody approves, or refuses, or is too late. Refuses with: device-code-denied, device-code-expired. */
export const loginByDevice =
  (ports: {
    api: Pick<ApiClient, 'beginDevice' | 'claimDevice'>;
    show(code: DeviceCode): void;
    sleep(ms: number): Promise<unknown>;
  }) =>
  async (label: string): Promise<string> => {
    const { api, show, sleep } = ports;
    const code = await api.beginDevice(label);
    show(code);
    let { intervalSeconds } = code;
    for (;;) {
      await sleep(intervalSeconds * 1_000);
      try {
        return (await api.claimDevice(code.deviceCode)).secret;
      } catch (error) {
        if (!(error instanceof ServerRefusal) || !WAITING.has(error.code)) throw error;
        // RFC 8628, section 3.5: whoever was too quick waits longer from then on.
        if (error.code === 'device-code-slow-down') intervalSeconds += 5;
      }
    }
  };

const WAITING = new Set(['device-code-pending', 'device-code-slow-down']);

function askPerson(cli: Cli, url: string): Promise<string> {
  const show = ({ verificationUri, userCode }: DeviceCode) =>
    void cli.streams.err.write(`Open ${verificationUri} and approve the code ${userCode}\n`);
  return loginByDevice({ api: createApiClient({ url, token: null }), show, sleep: setTimeout })(
    `gate on ${hostname()
      .replace(/[^\x20-\x7e]/g, '?')
      .slice(0, 80)}`,
  );
}

async function askToken(cli: Cli, url: string): Promise<string> {
  if (cli.interactive()) {
    const { password } = await import('@inquirer/prompts');
    return password({ message: `API token for ${url}`, mask: false });
  }
  if (cli.streams.in.isTTY) throw new CliError('usage', 'Give the token with --token or GATEHOUSE_TOKEN.');
  const text = await readInput(cli.streams.in);
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
