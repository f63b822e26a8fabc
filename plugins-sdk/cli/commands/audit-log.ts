import { createPublicKey } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { isTreeHeadOf, trustedKeys } from '../../contract/index.ts';
import { type Answer, type Cli, errorText } from '../command-line.ts';
import { CliError, ServerRefusal } from '../errors.ts';
import { parsePluginName } from '../plugin-name.ts';
import { fields, jsonText, oneLine, type Paint } from '../terminal.ts';
import { logStatePath, readLogState, readPublicKey, writeLogState } from '../transparency/log-state.ts';
import { comparedWith, type LogApi, type LogLook, type LogState, lookAtLog } from '../transparency/look-at-log.ts';
import { proofPath } from './verify.ts';

const HOUR_MS = 3_600_000;
const INTERVAL_SECONDS = 60;
const AGE_HOURS_MAX = 24;

interface AuditOptions {
  state?: string;
  registryKey?: string;
  compare?: string;
  watch?: true;
  interval: number;
  maxAge: number;
  /** False with `--no-whole`. */
  whole: boolean;
}

interface Auditing extends AuditOptions {
  statePath: string;
  whole: boolean;
}

/**
 * Looks once, remembers what was seen where nothing is wrong, and keeps the evidence where something is. Refuses with: settings-invalid,
 * file-unreadable, key-invalid, file-unwritable, and the codes of the API.
 */
export async function auditOnce(
  api: LogApi & { url: string },
  { statePath, registryKey, compare, whole, maxAge }: Auditing,
  nowMs: number,
): Promise<LogLook & { isFirst: boolean }> {
  const before = await readLogState(statePath);
  const trustedKey = registryKey === undefined ? null : await readPublicKey(registryKey);
  const ageMsMax = maxAge * HOUR_MS;
  const look = await lookAtLog(api, { before, trustedKey, whole, url: api.url, nowMs, ageMsMax });
  if (look.state !== null && compare !== undefined) {
    look.findings.push(...(await othersFindings(api, compare, look.state)));
  }
  if (look.findings.length === 0 && look.state !== null) await writeLogState(statePath, look.state);
  else {
    const evidence = {
      at: new Date(nowMs).toISOString(),
      findings: look.findings,
      seen: before?.head,
      shown: look.head,
    };
    await writeLogState(`${statePath}.evidence`, evidence);
  }
  return { ...look, isFirst: before === null };
}

/** What another auditor saw must be the same log. */
async function othersFindings(api: LogApi, path: string, own: LogState): Promise<LogLook['findings']> {
  const other = await readLogState(path);
  if (other === null) throw new CliError('file-unreadable', `${path} is not there.`, { path });
  if (!isTreeHeadOf(other.head, keysOf(own))) {
    const message = `The head in ${path} is signed with another key than the one that is trusted here.`;
    return [{ kind: 'key-changed', message }];
  }
  return comparedWith(api, other.head, own.head, 'the other auditor saw');
}

const keysOf = ({ publicKeyPem, keys }: LogState) => trustedKeys(createPublicKey(publicKeyPem), keys);

export function auditLogCommand(cli: Cli): void {
  const group = cli.program
    .command('audit-log')
    .description('Check the transparency log of the registry, or get a proof from it')
    .addHelpText(
      'after',
      '\nExamples:\n  $ gate audit-log verify\n  $ gate audit-log verify --watch --state ./seen.json\n  $ gate audit-log proof acme/hello@1.0.0',
    );
  group
    .command('verify')
    .description('Hash every entry again, and compare the log with what was seen before; no login is needed')
    .option('--state <file>', 'what was seen before (default: in the settings folder, by host)')
    .option('--registry-key <file>', 'trust this public key, not the one that the host shows first')
    .option('--compare <file>', 'the state of another auditor: both must have seen one log')
    .option('--no-whole', 'hash only what is new since the last look')
    .option('--watch', 'look again and again; ends with 1 as soon as anything is wrong')
    .option('--interval <seconds>', 'between two looks', Number, INTERVAL_SECONDS)
    .option('--max-age <hours>', 'how old the newest head may be', Number, AGE_HOURS_MAX)
    .action(
      cli.answer(async (options: AuditOptions) => {
        const at = (path: string | undefined) => (path === undefined ? undefined : resolve(cli.settings.cwd, path));
        for (const [name, value] of [
          ['interval', options.interval],
          ['max-age', options.maxAge],
        ] as const) {
          if (!(value > 0)) throw new CliError('usage', `--${name} must be a number above 0.`);
        }
        const api = await cli.api({ anonymous: true });
        const auditing = {
          ...options,
          registryKey: at(options.registryKey),
          compare: at(options.compare),
          statePath: at(options.state) ?? logStatePath(cli.settings.configFolder, api.url),
        };
        return options.watch
          ? watch(cli, api, auditing)
          : lookAnswer(await auditOnce(api, auditing, Date.now()), auditing);
      }),
    );
  group
    .command('proof')
    .description('Get the proof of a release, for gate verify')
    .argument('<release>', '<publisher>/<name>@<version>, or the digest of the archive')
    .option('--out <file>', 'default: <publisher>-<name>-<version>.gpk.proof.json')
    .action(
      cli.answer(async (release: string, options: { out?: string }) => {
        const { digest, name } = await digestOf(cli, release);
        const proof = await (await cli.api({ anonymous: true })).proveRelease(digest);
        const path = resolve(cli.settings.cwd, options.out ?? proofPath(`${name}.gpk`));
        await writeFile(path, `${JSON.stringify(proof, null, 2)}\n`).catch((error: Error) => {
          throw new CliError('file-unwritable', `${path} cannot be written: ${error.message}`, { path });
        });
        return {
          value: { path, proof },
          text: (paint) => `${paint('green', '✔')} The proof of ${oneLine(release)} is in ${path}`,
        };
      }),
    );
}

async function digestOf(cli: Cli, release: string): Promise<{ digest: string; name: string }> {
  if (/^[0-9a-f]{64}$/.test(release)) return { digest: release, name: release.slice(0, 16) };
  const { plugin, version } = parsePluginName(release);
  if (version === undefined) throw new CliError('usage', `Say which version: ${plugin}@1.0.0`);
  const found = await (await cli.api()).findRelease(plugin, version);
  return { digest: found.digest, name: `${plugin.replace('/', '-')}-${found.version}` };
}

async function watch(cli: Cli, api: LogApi & { url: string }, auditing: Auditing): Promise<Answer | null> {
  const stop = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort());
  let { whole } = auditing;
  while (!stop.signal.aborted) {
    try {
      const look = await auditOnce(api, { ...auditing, whole }, Date.now());
      if (look.findings.length > 0) return lookAnswer(look, auditing);
      const { head, hashed } = look;
      cli.streams.out.write(
        cli.json()
          ? `${jsonText({ head, hashed })}\n`
          : `${cli.paint('green', '✔')} ${new Date().toISOString()} ${head.size} entries, ${hashed} of them hashed now\n`,
      );
      whole = false;
    } catch (error) {
      // A host that is down has not lied.
      if (!isOutage(error)) throw error;
      cli.note(errorText(error, cli.paint));
    }
    await sleep(auditing.interval * 1_000, undefined, { signal: stop.signal }).catch(() => {});
  }
  return null;
}

const isOutage = (error: unknown): error is CliError | ServerRefusal =>
  (error instanceof CliError && ['host-unreachable', 'host-timeout'].includes(error.code)) ||
  (error instanceof ServerRefusal && (error.status === 503 || error.status === 429));

function lookAnswer(look: LogLook & { isFirst: boolean }, { statePath, registryKey }: Auditing): Answer {
  const { head, hashed, events, findings, isFirst, rotation } = look;
  return {
    value: { passed: findings.length === 0, head, hashed, events, findings, rotation, statePath },
    text: (paint) =>
      findings.length > 0
        ? findingsText(paint, look, statePath)
        : [
            `${paint('green', '✔')} ${hashed} entries were hashed again and are what the head of ${head.size} was signed over.`,
            fields(paint, [
              ['root', head.root],
              ['signed', `${head.signedAt} with the key ${head.keyId}`],
              [
                'events',
                Object.entries(events)
                  .map(([event, count]) => `${event} ${count}`)
                  .join(', ') || 'nothing new',
              ],
              ['before', isFirst ? 'never seen' : 'what was seen before is the beginning of it'],
              ...(rotation === null
                ? []
                : [
                    ['key', `${rotation.from} named ${rotation.to} as its successor, which is trusted now`] as [
                      string,
                      string,
                    ],
                  ]),
              ['state', statePath],
            ]),
            ...(isFirst && registryKey === undefined
              ? [
                  `${paint('yellow', 'note')} The key was trusted because the host showed it. Compare it with one from elsewhere.`,
                ]
              : []),
          ].join('\n'),
    exitCode: findings.length === 0 ? 0 : 1,
  };
}

const findingsText = (paint: Paint, { findings }: LogLook, statePath: string): string =>
  [
    ...findings.map(({ kind, message }) => `${paint('red', '✖')} ${oneLine(message)} ${paint('dim', `(${kind})`)}`),
    `What was shown and what was seen before is in ${statePath}.evidence; show it to other operators.`,
  ].join('\n');
