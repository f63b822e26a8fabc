import { resolve } from 'node:path';
import { ACCESS, type Access, type CapabilityName, type Limits } from '../../contract/index.ts';
import { type Cli, verb } from '../command-line.ts';
import { debugSandbox } from '../debug-sandbox.ts';
import type { DevRequest, DevServer } from '../dev-server.ts';
import type { DevEvent, DevSession } from '../dev-session.ts';
import { CliError } from '../errors.ts';
import { linkSdk } from '../link-sdk.ts';
import { loadProject } from '../load-project.ts';
import { bytesText, faultLines, jsonText, oneLine, type Paint } from '../terminal.ts';
import { waterfallLines } from '../waterfall.ts';
import { readGrants, readJsonOption } from './install.ts';
import { logLine } from './logs.ts';

export interface DevOptions {
  folder: string;
  /** 0 takes a free one. */
  port: number;
  access?: Access;
  deny?: CapabilityName[];
  /** JSON, or a file with it, relative to `cwd`. */
  config?: string;
  /** JSON, or a file with it. */
  secrets?: string;
  cwd?: string;
  /** Port of the debugger on loopback, 0 for a free one: the plugin runs where it can be stopped, and without limits. */
  inspect?: number;
}

/**
 * Serves the plugin of a folder on loopback, in the real sandbox, and follows every change of its files.
 * Refuses with: manifest-missing, port-taken. Everything else that is wrong is an event, and can be mended meanwhile.
 */
export async function startDev(
  options: DevOptions,
  onEvent: (event: DevEvent | DevRequest) => void,
): Promise<{ url: string; inspectorUrl: string | null; session: DevSession; close(): Promise<void> }> {
  const { folder, port, access = 'operator', deny, config, secrets, cwd = folder, inspect } = options;
  await requireManifest(folder);
  await linkSdk(folder);
  // Loaded here, because most commands need no sandbox and shall start at once.
  const [{ startDevSession }, { startDevServer }] = await Promise.all([
    import('../dev-session.ts'),
    import('../dev-server.ts'),
  ]);
  const readConfig = config === undefined ? undefined : () => readJsonOption('--config', config, cwd);
  const readSecrets =
    secrets === undefined ? undefined : async () => checkSecrets(await readJsonOption('--secrets', secrets, cwd));
  const debug = inspect === undefined ? null : await debugSandbox(inspect);
  const session = await startDevSession({ folder, deny, readConfig, readSecrets, ...debug?.command }, onEvent);
  const onFailure = (error: unknown) => onEvent({ type: 'failure', message: (error as Error)?.stack ?? String(error) });
  let server: DevServer;
  try {
    server = await startDevServer({ session, access, onRequest: onEvent, onFailure }, port);
  } catch (error) {
    await session.close();
    throw error;
  }
  return {
    url: server.url,
    inspectorUrl: debug?.inspectorUrl() ?? null,
    session,
    close: async () => {
      await server.close();
      await session.close();
    },
  };
}

function checkSecrets(value: unknown): Record<string, string> {
  const isFit =
    typeof value === 'object' && value !== null && Object.values(value).every((each) => typeof each === 'string');
  if (!isFit) throw new CliError('usage', '--secrets takes an object of texts: {"API_KEY": "…"}');
  return value as Record<string, string>;
}

/** A manifest with faults can be mended while the session runs; a folder without one is the wrong folder. */
async function requireManifest(folder: string): Promise<void> {
  await loadProject(folder).catch((error) => {
    if (error instanceof CliError && error.code === 'manifest-missing') throw error;
  });
}

interface CommandOptions {
  port: number;
  as: Access;
  deny?: CapabilityName[];
  config?: string;
  /** JSON, or a file with it. */
  secrets?: string;
  inspect?: number | true;
  trace?: true;
}

const INSPECT_PORT = 9229;

export function devCommand(cli: Cli): void {
  verb(cli, {
    name: 'dev',
    summary: 'Run a plugin here, in the real sandbox, and follow every save',
    examples: [
      'gate dev',
      'gate dev ./my-plugin --port 9000 --config ./config.json',
      'gate dev --deny kv --as public',
      'gate dev --inspect',
      `curl -X POST http://127.0.0.1:8787/_gatehouse/hooks/order.paid -d '{"payload":{"orderId":"o-1","lines":[{"sku":"vpn-year","quantity":1}]}}'`,
      'curl http://127.0.0.1:8787/_gatehouse/health',
    ],
  })
    .argument('[folder]', 'folder of the plugin', '.')
    .option('--port <port>', 'port on loopback; 0 takes a free one', readPort, 8787)
    .option('--as <access>', `who requests come from: ${ACCESS.join(', ')}`, readAccess, 'operator')
    .option('--deny <capabilities>', 'capabilities not to grant; all that the manifest names are granted', readGrants)
    .option(
      '--secrets <file>',
      'file with secrets as JSON, {"API_KEY": "…"}, read anew at every build; keep it out of git',
    )
    .option('--config <json>', 'configuration: JSON, or a file with it, read anew at every build')
    .option('--trace', 'show the capability calls of every request')
    .option(
      '--inspect [port]',
      `let a debugger in, on this port of loopback (${INSPECT_PORT}); limits are off`,
      readPort,
    )
    .action(
      cli.answer(async (given: string, { as: access, trace, inspect: asked, ...options }: CommandOptions) => {
        const folder = resolve(cli.settings.cwd, given);
        const show = (event: Shown) =>
          cli.streams.out.write(`${cli.json() ? jsonText(event) : eventText(cli.paint, event, trace)}\n`);
        const inspect = asked === true ? INSPECT_PORT : asked;
        const dev = await startDev(
          { folder, access, cwd: cli.settings.cwd, ...options, ...(inspect !== undefined && { inspect }) },
          show,
        );
        show({ type: 'listening', url: dev.url });
        if (dev.inspectorUrl !== null) show({ type: 'inspecting', url: dev.inspectorUrl });
        await interrupted();
        await dev.close();
        return null;
      }),
    );
}

const interrupted = (): Promise<void> =>
  new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve());
  });

function readPort(text: string): number {
  const port = Number(text);
  if (Number.isInteger(port) && port >= 0 && port <= 65_535) return port;
  throw new CliError('usage', '--port must be a whole number from 0 to 65535');
}

function readAccess(text: string): Access {
  if (ACCESS.includes(text as Access)) return text as Access;
  throw new CliError('usage', `--as must be one of: ${ACCESS.join(', ')}`);
}

type Shown = DevEvent | DevRequest | { type: 'listening' | 'inspecting'; url: string };

function eventText(paint: Paint, event: Shown, trace = false): string {
  switch (event.type) {
    case 'listening':
      return `${paint('green', '✔')} Serving at ${paint('bold', event.url)}  ${paint('dim', 'Ctrl-C ends it')}`;
    case 'inspecting':
      return [
        `${paint('green', '✔')} Debugger at ${paint('bold', event.url)}`,
        paint('dim', '  Chrome: chrome://inspect · VS Code: attach to this port · limits of time and memory are off'),
      ].join('\n');
    case 'loaded': {
      const { first, buildMs, bundleBytes, warnings } = event;
      const verb = first ? 'Built' : 'Reloaded';
      const line = `${paint('green', '✔')} ${verb} in ${buildMs.toFixed(0)} ms ${paint('dim', `(${bytesText(bundleBytes)})`)}`;
      return [line, ...warnings.map((warning) => `  ${paint('yellow', 'warning')} ${oneLine(warning)}`)].join('\n');
    }
    case 'build-failed': {
      const { message, code, faults, frames, kept } = event;
      const fate = kept ? 'The version before goes on answering.' : 'Nothing can answer until this is mended.';
      return [
        `${paint('red', '✖')} ${oneLine(message)} ${paint('dim', `(${code})`)}`,
        ...faultLines(paint, faults),
        ...frames.map((frame) => `  ${oneLine(frame)}`),
        paint('dim', `  ${fate}`),
      ].join('\n');
    }
    case 'mended':
      return `${paint('green', '✔')} Mended; the version that runs is the one in the folder again`;
    case 'mismatch':
      return [`${paint('yellow', '!')} ${oneLine(event.message)}`, ...faultLines(paint, event.faults)].join('\n');
    case 'failure':
      return `${paint('red', '✖')} gate itself failed: ${event.message}`;
    case 'log':
      return logLine(paint, event.entry);
    case 'fault': {
      const { fault, frames } = event;
      return [
        `${paint('red', '✖')} ${fault.name ? `${oneLine(fault.name)}: ` : ''}${oneLine(fault.message)} ${paint('dim', `(${fault.code})`)}`,
        ...frames.map((frame) => `    at ${oneLine(frame)}`),
        ...(fault.lastHostCall ? [paint('dim', `    last capability call: ${oneLine(fault.lastHostCall)}`)] : []),
      ].join('\n');
    }
    case 'request':
      return [
        requestText(paint, event),
        ...(trace && event.trace !== null
          ? waterfallLines(paint, event.trace, event.usage?.wallMs ?? event.wallMs).map((line) => `    ${line}`)
          : []),
      ].join('\n');
  }
}

function requestText(paint: Paint, { method, path, status, wallMs, usage, limits }: DevRequest): string {
  const style = status < 300 ? 'green' : status < 400 ? 'cyan' : 'red';
  const line = `${paint(style, String(status))} ${method} ${oneLine(path)} ${paint('dim', `${wallMs.toFixed(1)} ms`)}`;
  return usage === null || limits === null ? line : `${line}  ${paint('dim', usageText(usage, limits))}`;
}

const usageText = (usage: NonNullable<DevRequest['usage']>, limits: Limits): string =>
  [
    `cpu ${usage.cpuMs.toFixed(1)}/${limits.cpuMs} ms`,
    `heap ${usage.heapMiB.toFixed(1)}/${limits.heapMiB} MiB`,
    `calls ${usage.hostCalls}/${limits.hostCalls}`,
    `out ${bytesText(usage.outputBytes)}/${bytesText(limits.outputBytes)}`,
  ].join(' · ');
