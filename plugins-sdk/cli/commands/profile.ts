import { writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Json } from '../../contract/index.ts';
import { type Cli, verb } from '../command-line.ts';
import { CliError } from '../errors.ts';
import type { ProfileReport, ProfileTarget, Spread } from '../profile-plugin.ts';
import { columns, fields, type Paint } from '../terminal.ts';
import { readJsonOption } from './install.ts';

interface ProfileOptions {
  folder: string;
  runs: number;
  body?: string;
  config?: string;
  out?: string;
}

/**
 * `GET /orders/1`, `hook order.paid` or `job tidy`. `body` is what a request carries, as it is, or a hook's payload as JSON.
 * Refuses with: usage.
 */
export function readTarget(text: string, body: Json | string | undefined): ProfileTarget {
  const [first = '', ...rest] = text.trim().split(/\s+/);
  const name = rest.join(' ');
  if (first === 'hook' && name !== '') return { kind: 'hook', hook: name, payload: (body as Json) ?? {} };
  if (first === 'job' && name !== '') return { kind: 'schedule', name };
  if (/^[A-Z]+$/.test(first) && name.startsWith('/')) {
    const sent = body === undefined ? '' : typeof body === 'string' ? body : JSON.stringify(body);
    return { kind: 'http', method: first, path: name, body: sent };
  }
  throw new CliError('usage', 'Say what to run: "GET /path", "hook <name>" or "job <name>".');
}

export function profileCommand(cli: Cli): void {
  verb(cli, {
    name: 'profile',
    summary: 'Run a route, hook or job many times here and write where its CPU time goes',
    examples: [
      'gate profile "GET /orders/1"',
      `gate profile "POST /orders" --body '{"sku":"a"}' --runs 1000`,
      `gate profile "hook order.paid" --body '{"orderId":"o-1","lines":[{"sku":"a","quantity":1}]}' --out paid.cpuprofile`,
    ],
  })
    .argument('<target>', '"GET /path", "hook <name>" or "job <name>"')
    .option('--folder <folder>', 'folder of the plugin', '.')
    .option('--runs <count>', 'how often, after a few runs to warm up; 1 to 100000', readRuns, 500)
    .option('--body <json>', 'body of the request or payload of the hook: JSON, or a file with it')
    .option('--config <json>', 'configuration: JSON, or a file with it')
    .option('--out <file>', 'where the profile goes', 'gate.cpuprofile')
    .action(
      cli.answer(async (text: string, options: ProfileOptions) => {
        const { cwd } = cli.settings;
        const read = (option: string, given: string | undefined) =>
          given === undefined ? undefined : readJsonOption(option, given, cwd);
        const [body, config] = await Promise.all([read('--body', options.body), read('--config', options.config)]);
        const { profilePlugin } = await import('../profile-plugin.ts');
        const { profile, ...report } = await profilePlugin({
          folder: resolve(cwd, options.folder),
          target: readTarget(text, body),
          runs: options.runs,
          ...(config !== undefined && { config }),
        });
        const path = resolve(cwd, options.out ?? 'gate.cpuprofile');
        await writeFile(path, JSON.stringify(profile)).catch((error) => {
          throw new CliError('file-unwritable', `${path} cannot be written: ${error.message}`, { path });
        });
        return { value: { path, ...report }, text: (paint) => reportText(paint, report, path) };
      }),
    );
}

function reportText(paint: Paint, report: Omit<ProfileReport, 'profile'>, path: string): string {
  const { runs, cpuMs, wallMs, hostCalls, limits, hotSpots } = report;
  return [
    `${paint('green', '✔')} Ran ${runs} times`,
    fields(paint, [
      ['cpu', `${spreadText(cpuMs)}; ${limits.cpuMs} ms are allowed`],
      ['wall', `${spreadText(wallMs)}; ${limits.wallMs} ms are allowed`],
      ['calls', `${hostCalls} of at most ${limits.hostCalls}`],
      ['written', path],
    ]),
    columns(
      paint,
      ['SELF', 'SHARE', 'FUNCTION', 'WHERE'],
      hotSpots.map(({ selfMs, share, name, place }) => [
        `${selfMs.toFixed(1)} ms`,
        `${(share * 100).toFixed(1)} %`,
        name,
        place,
      ]),
    ),
    paint('dim', 'Open the file in Chrome DevTools (Performance, Load profile), VS Code or speedscope.'),
  ].join('\n');
}

const spreadText = ({ p50, p95, max }: Spread): string =>
  `p50 ${p50.toFixed(2)} ms, p95 ${p95.toFixed(2)} ms, max ${max.toFixed(2)} ms`;

function readRuns(text: string): number {
  const runs = Number(text);
  if (Number.isInteger(runs) && runs >= 1 && runs <= 100_000) return runs;
  throw new CliError('usage', '--runs must be a whole number from 1 to 100000');
}
