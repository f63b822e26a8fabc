import { Command, CommanderError } from 'commander';
import sdkPackage from '../package.json' with { type: 'json' };
import { type ApiClient, createApiClient } from './api-client.ts';
import { findAccount, profileName } from './credentials.ts';
import { CliError, faultsOf, ServerRefusal } from './errors.ts';
import type { Settings } from './settings.ts';
import { faultLines, jsonText, oneLine, type Paint, painter, type Streams } from './terminal.ts';

/** What one command has to say: a document for programs, the same as text for people. */
export interface Answer {
  value: unknown;
  /** Not called with `--json`. */
  text: (paint: Paint) => string;
  /** 1 where the result is a refusal that still has something to show. */
  exitCode?: 0 | 1;
}

/** What every command gets from the command line around it. */
export interface Cli {
  program: Command;
  settings: Settings;
  streams: Streams;
  json(): boolean;
  /** Whether somebody can be asked: a terminal on both sides, and no `--json`. */
  interactive(): boolean;
  paint: Paint;
  /** Tells a person something that is no result; silent with `--json`. */
  note(text: string): void;
  profile(): Promise<string>;
  /** The host of the profile in use. Refuses with: token-absent (unless `anonymous`), settings-invalid, usage. */
  api(access?: { anonymous?: boolean }): Promise<ApiClient>;
  /** Makes a commander action of a function that answers. */
  answer<Args extends unknown[]>(run: (...args: Args) => Promise<Answer | null>): (...args: Args) => Promise<void>;
  exitCode: number;
}

interface GlobalOptions {
  json?: boolean;
  profile?: string;
  debug?: boolean;
}

export function createCli(settings: Settings, streams: Streams): Cli {
  const program = createProgram(streams);
  const globals = () => program.opts<GlobalOptions>();
  const paint = painter(streams.out);
  const cli: Cli = {
    program,
    settings,
    streams,
    paint,
    exitCode: 0,
    json: () => globals().json === true,
    interactive: () => !cli.json() && streams.in.isTTY === true && streams.out.isTTY === true,
    note: (text) => {
      if (!cli.json()) streams.err.write(`${text}\n`);
    },
    profile: () => profileName(settings, globals().profile),
    api: async ({ anonymous = false } = {}) => {
      const account = await findAccount(settings, globals().profile);
      if (account.token === null && !anonymous) {
        throw new CliError(
          'token-absent',
          `You are not logged in at ${account.url}. Run: gate login --url ${account.url}`,
        );
      }
      return createApiClient(account);
    },
    answer:
      (run) =>
      async (...args) => {
        const answer = await run(...args);
        if (answer === null) return;
        streams.out.write(cli.json() ? `${jsonText(answer.value, 2)}\n` : withNewline(answer.text(paint)));
        cli.exitCode = answer.exitCode ?? 0;
      },
  };
  return cli;
}

const withNewline = (text: string): string => (text === '' || text.endsWith('\n') ? text : `${text}\n`);

function createProgram(streams: Streams): Command {
  return new Command('gate')
    .description('Write, test, sign and publish Gatehouse plugins; install and call them.')
    .version(sdkPackage.version)
    .option('--json', 'print one JSON document; errors go to stderr as {"error": …}')
    .option('--profile <name>', 'the stored login to use (default: the latest)')
    .option('--debug', 'show stack traces')
    .configureHelp({ showGlobalOptions: true })
    .showHelpAfterError(false)
    .exitOverride()
    .configureOutput({
      writeOut: (text) => streams.out.write(text),
      writeErr: (text) => streams.err.write(text),
      // Reported by `reportError`, in the same form as every other error.
      outputError: () => {},
    });
}

/** A subcommand with examples below its help. */
export function verb(
  { program }: Cli,
  { name, summary, examples }: { name: string; summary: string; examples: string[] },
): Command {
  const lines = examples.map((example) => `  $ ${example}`).join('\n');
  return program.command(name).description(summary).addHelpText('after', `\nExamples:\n${lines}`);
}

/** Says what went wrong, as a sentence or as JSON, and returns the exit code. */
export function reportError(cli: Cli, error: unknown, argv: string[]): number {
  if (error instanceof CommanderError && error.exitCode === 0) return 0;
  if (error instanceof CommanderError && error.code === 'commander.help') return 2;
  const known = knownError(error);
  const debug = argv.includes('--debug');
  if (argv.includes('--json')) {
    const { code, message, facts } = known;
    const extra = known instanceof ServerRefusal ? { status: known.status, requestId: known.requestId } : {};
    const stack = debug ? { stack: (error as Error).stack } : {};
    cli.streams.err.write(`${jsonText({ error: { code, message, ...facts, ...extra, ...stack } })}\n`);
  } else {
    cli.streams.err.write(`${errorText(known, painter(cli.streams.err))}\n`);
    if (debug) cli.streams.err.write(`${(error as Error).stack}\n`);
  }
  return known.exitCode;
}

function knownError(error: unknown): CliError | ServerRefusal {
  if (error instanceof CliError || error instanceof ServerRefusal) return error;
  if (error instanceof CommanderError) {
    const message = error.message.replace(/^error: /, '').replace(/[.\s]*$/, '');
    return new CliError('usage', `${message}; add --help.`);
  }
  if ((error as Error)?.name === 'ExitPromptError') return new CliError('confirmation-needed', 'Cancelled.');
  const { message } = error instanceof Error ? error : new Error(String(error));
  return new CliError('internal-error', `${message} (run again with --debug for details)`);
}

/** An error as a sentence with its code, and below it every fault that it names. */
export function errorText(error: CliError | ServerRefusal, paint: Paint): string {
  const lines = [`${paint('red', '✖')} ${oneLine(error.message)} ${paint('dim', `(${oneLine(error.code)})`)}`];
  lines.push(...faultLines(paint, faultsOf(error.facts)));
  const { frames, reasons, advice } = error.facts;
  for (const line of [frames, reasons, advice].flat()) {
    // What the sentence says already is not said twice.
    if (typeof line === 'string' && !error.message.includes(line)) lines.push(`  ${oneLine(line)}`);
  }
  if (error instanceof ServerRefusal && error.requestId) {
    lines.push(paint('dim', `  request ${oneLine(error.requestId)}, status ${error.status}`));
  }
  return lines.join('\n');
}
