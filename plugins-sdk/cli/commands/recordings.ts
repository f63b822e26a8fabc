import { writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { RecordingEntry } from '../../../host/recordings/contract.ts';
import type { RecordingSettings } from '../../../host/recordings/rules/settings.ts';
import type { Recording } from '../../contract/recording.ts';
import { type ApiClient, readPages } from '../api-client.ts';
import { type Cli, verb } from '../command-line.ts';
import { CliError, ServerRefusal } from '../errors.ts';
import { bytesText, columns, fields, oneLine } from '../terminal.ts';
import { resolveInstallationId } from './installations.ts';

/**
 * A recording, with the code that ran where the caller is the publisher of the plugin.
 * Refuses with: recording-unknown and those of the transport.
 */
export const downloadRecording =
  (api: Pick<ApiClient, 'readRecording' | 'readRecordingBundle'>) =>
  async (id: string): Promise<Recording> => {
    const recording = await api.readRecording(id);
    try {
      return { ...recording, bundle: await api.readRecordingBundle(id) };
    } catch (error) {
      // Operators do not get their publishers' code; a release may be gone.
      if (error instanceof ServerRefusal && (error.status === 403 || error.status === 404)) return recording;
      throw error;
    }
  };

/** Writes a recording to a file that is not there yet. Refuses with: file-taken, file-unwritable. */
export async function saveRecording(recording: Recording, path: string): Promise<void> {
  try {
    await writeFile(path, `${JSON.stringify(recording, null, 2)}\n`, { flag: 'wx', mode: 0o600 });
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST')
      throw new CliError('file-taken', `${path} exists already and is never overwritten.`, { path });
    throw new CliError('file-unwritable', `${path} cannot be written: ${message}`, { path });
  }
}

export function recordingsCommand(cli: Cli): void {
  const group = verb(cli, {
    name: 'recordings',
    summary: 'Recorded invocations: list, download, rm, settings',
    examples: [
      'gate recordings list shop',
      'gate recordings download 0197c0de-0000-7000-8000-000000000000',
      'gate recordings settings shop --sample 0.01 --share failures',
    ],
  });
  listVerb(cli, group);
  downloadVerb(cli, group);
  removeVerb(cli, group);
  settingsVerb(cli, group);
}

type Group = ReturnType<typeof verb>;

function listVerb(cli: Cli, group: Group): void {
  group
    .command('list')
    .description('List the recordings of an installation, newest first')
    .argument('<installation>', 'slug or id of an installation')
    .option('--limit <count>', 'the newest so many, 1 to 1000', readCount(1, 1_000), 50)
    .action(
      cli.answer(async (slugOrId: string, { limit }: { limit: number }) => {
        const api = await cli.api();
        const id = await resolveInstallationId(api)(slugOrId);
        const items = await readPages((page) => api.listRecordings(id, page), limit);
        return {
          value: { items },
          text: (paint) =>
            items.length === 0
              ? 'There are no recordings. Ask for one: gate call --help, or gate recordings settings --help.'
              : columns(paint, ['AT', 'WHY', 'JOB', 'OUTCOME', 'VERSION', 'SIZE', 'ID'], items.map(row)),
        };
      }),
    );
}

const row = ({ at, why, job, outcome, version, bytes, id }: RecordingEntry): string[] => [
  at,
  why,
  job,
  outcome,
  version,
  bytesText(bytes),
  id,
];

function downloadVerb(cli: Cli, group: Group): void {
  group
    .command('download')
    .description('Write a recording to a file, for gate replay; with the code, for its publisher')
    .argument('<id>', 'id of the recording, which is that of the invocation')
    .argument('[file]', 'default: recording-<id>.json')
    .action(
      cli.answer(async (id: string, file: string | undefined) => {
        const recording = await downloadRecording(await cli.api())(id);
        const path = resolve(cli.settings.cwd, file ?? `recording-${id}.json`);
        await saveRecording(recording, path);
        const withCode = recording.bundle === undefined ? 'without the code' : 'with the code';
        return {
          value: { id, path, bundle: recording.bundle !== undefined, redacted: recording.redacted },
          text: (paint) => `${paint('green', '✔')} ${oneLine(recording.job)} ${withCode}: ${path}`,
        };
      }),
    );
}

function removeVerb(cli: Cli, group: Group): void {
  group
    .command('rm')
    .description('Delete recordings')
    .argument('<ids...>', 'ids of recordings')
    .action(
      cli.answer(async (ids: string[]) => {
        const api = await cli.api();
        for (const id of ids) await api.removeRecording(id);
        const count = ids.length === 1 ? 'The recording is' : `${ids.length} recordings are`;
        return { value: { removed: ids }, text: (paint) => `${paint('green', '✔')} ${count} deleted` };
      }),
    );
}

interface SettingsOptions {
  failures?: boolean;
  sample?: number;
  perDay?: number;
  bytesPerDay?: number;
  keepDays?: number;
  keepBytes?: number;
  share?: RecordingSettings['share'];
}

function settingsVerb(cli: Cli, group: Group): void {
  group
    .command('settings')
    .description('Show or change what is recorded of an installation')
    .argument('<installation>', 'slug or id of an installation')
    .option('--failures', 'record failures by themselves')
    .option('--no-failures', 'record no failures by themselves')
    .option('--sample <rate>', 'part of all invocations, 0 to 1', readRate)
    .option('--per-day <count>', 'recordings a day, for each cause', readCount(0, 10_000))
    .option('--bytes-per-day <bytes>', 'compressed bytes a day, for each cause', readCount(0, 2 ** 28))
    .option('--keep-days <days>', 'days that they are kept, 1 to 90', readCount(1, 90))
    .option('--keep-bytes <bytes>', 'compressed bytes that are kept', readCount(0, 2 ** 30))
    .option('--share <what>', "what the plugin's publisher sees: none, failures or all", readShare)
    .action(
      cli.answer(async (slugOrId: string, options: SettingsOptions) => {
        const api = await cli.api();
        const id = await resolveInstallationId(api)(slugOrId);
        const change = changeOf(options);
        const settings =
          Object.keys(change).length === 0
            ? await api.recordingSettings(id)
            : await api.configureRecordings(id, change);
        return { value: settings, text: (paint) => fields(paint, settingsLines(settings)) };
      }),
    );
}

function changeOf(options: SettingsOptions): Partial<RecordingSettings> {
  const { failures, sample: sampleRate, perDay: countPerDay, bytesPerDay, keepDays, keepBytes, share } = options;
  const all = { failures, sampleRate, countPerDay, bytesPerDay, keepDays, keepBytes, share };
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
}

const settingsLines = (settings: RecordingSettings): [string, string][] => [
  ['failures', settings.failures ? 'recorded' : 'not recorded'],
  ['samples', `${settings.sampleRate * 100} % of all invocations`],
  ['a day', `${settings.countPerDay} recordings and ${bytesText(settings.bytesPerDay)} for each cause`],
  ['kept', `${settings.keepDays} days, ${bytesText(settings.keepBytes)}`],
  ['publisher', { none: 'sees none', failures: 'sees failures', all: 'sees all' }[settings.share]],
];

const readCount =
  (min: number, max: number) =>
  (text: string): number => {
    const count = Number(text);
    if (text.trim() !== '' && Number.isInteger(count) && count >= min && count <= max) return count;
    throw new CliError('usage', `"${text}" is no whole number from ${min} to ${max}`);
  };

function readRate(text: string): number {
  const rate = Number(text);
  if (text.trim() !== '' && rate >= 0 && rate <= 1) return rate;
  throw new CliError('usage', `--sample is a number from 0 to 1, not "${text}"`);
}

function readShare(text: string): RecordingSettings['share'] {
  if (text === 'none' || text === 'failures' || text === 'all') return text;
  throw new CliError('usage', `--share is none, failures or all, not "${text}"`);
}
