import { readFile, stat } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { sha256Hex } from '../../contract/index.ts';
import type { Recording } from '../../contract/recording.ts';
import { mapFrames } from '../../map-frames.ts';
import { describeDivergence, outcomeText } from '../../replay/describe-replay.ts';
import { RecordingInvalid, readRecording } from '../../replay/read-recording.ts';
import { type Replayed, replayRecording } from '../../replay/replay-recording.ts';
import { writeReplayTest } from '../../replay/write-replay-test.ts';
import type { ApiClient } from '../api-client.ts';
import { type Answer, type Cli, verb } from '../command-line.ts';
import { CliError } from '../errors.ts';
import { loadLocalPlugin } from '../load-plugin.ts';
import { oneLine, type Paint } from '../terminal.ts';
import { downloadRecording } from './recordings.ts';

/** Code to run a recording with, and where it is from. */
export interface ReplayCode {
  from: 'recording' | 'project' | 'host';
  code: string;
  sourceMap: string | null;
}

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/**
 * A recording from a file, or from the host by its id. Only the latter needs a login.
 * Refuses with: recording-invalid, file-unreadable, recording-unknown.
 */
export async function findRecording(
  fileOrId: string,
  { cwd, api }: { cwd: string; api: () => Promise<ApiClient> },
): Promise<Recording> {
  const path = resolve(cwd, fileOrId);
  const isFile = await stat(path).then(
    (found) => found.isFile(),
    () => false,
  );
  if (!isFile && UUID.test(fileOrId)) return downloadRecording(await api())(fileOrId);
  if (!isFile)
    throw new CliError('file-unreadable', `There is no file ${path}, and "${fileOrId}" is no id of a recording.`);
  try {
    return readRecording(await readFile(path, 'utf8'));
  } catch (error) {
    if (!(error instanceof RecordingInvalid)) throw error;
    throw new CliError('recording-invalid', `${path} is no recording. ${error.message}`, {
      path,
      faults: error.faults,
    });
  }
}

/**
 * The code to run: a project's where one is named, else the recorded one. That is in the recording, or it is what the project in
 * `cwd` builds, or the host has it. Refuses with: code-unavailable, and those of building where a project is named.
 */
export async function findCode(
  recording: Recording,
  { cwd, project, api }: { cwd: string; project?: string; api: () => Promise<ApiClient> },
): Promise<ReplayCode> {
  const { bundle, bundleDigest } = recording;
  if (project !== undefined) return { from: 'project', ...(await loadLocalPlugin(resolve(cwd, project))) };
  if (bundle && sha256Hex(bundle.code) === bundleDigest) return { from: 'recording', ...bundle };
  const here = await loadLocalPlugin(cwd).catch(() => null);
  if (here?.digest === bundleDigest) return { from: 'project', ...here };
  const hosts = await api()
    .then((client) => client.readRecordingBundle(recording.id))
    .catch(() => null);
  if (hosts && sha256Hex(hosts.code) === bundleDigest) return { from: 'host', ...hosts };
  throw new CliError(
    'code-unavailable',
    `The code that ran (${recording.plugin}@${recording.version}, ${bundleDigest.slice(0, 12)}…) is not at hand: it is neither in ` +
      'the recording nor what the project in this folder builds, and the host does not hand it out to you. ' +
      'Name a project with --project.',
    { bundleDigest },
  );
}

export function replayCommand(cli: Cli): void {
  verb(cli, {
    name: 'replay',
    summary: 'Run a recorded invocation again on this machine, to the same bytes',
    examples: [
      'gate replay recording-0197c0de-0000-7000-8000-000000000000.json',
      'gate replay 0197c0de-0000-7000-8000-000000000000 --project .',
      'gate replay recording.json --as-test test/lost-order.test.ts',
    ],
  })
    .argument('<file-or-id>', 'file of a recording, or the id of one on the host')
    .option('--project <folder>', 'run the code of this folder instead of the recorded code')
    .option('--as-test [file]', 'write it as a test of the project (default: test/replay-<id>.test.ts)')
    .action(
      cli.answer(async (fileOrId: string, options: { project?: string; asTest?: string | true }) => {
        const surroundings = { cwd: cli.settings.cwd, api: () => cli.api() };
        const recording = await findRecording(fileOrId, surroundings);
        if (options.asTest !== undefined) return asTest(cli, recording, options.project, options.asTest);
        const code = await findCode(recording, { ...surroundings, project: options.project });
        const replayed = await replayRecording(recording, code.code);
        return {
          value: asValue(recording, code, replayed),
          text: (paint) => textOf(paint, recording, code, replayed),
          exitCode: replayed.identical ? 0 : 1,
        };
      }),
    );
}

/** The frames of a fault in the author's own files; none where nothing failed or there is no map. */
const framesOf = ({ outcome }: Replayed, sourceMap: string | null): string[] =>
  outcome?.status === 'faulted' && sourceMap !== null ? mapFrames(outcome.fault, sourceMap) : [];

const asValue = (recording: Recording, { from, sourceMap }: ReplayCode, replayed: Replayed) => {
  const { id, plugin, version, job, bundleDigest, redacted } = recording;
  const frames = framesOf(replayed, sourceMap);
  return { recording: { id, plugin, version, job, bundleDigest, redacted }, code: from, ...replayed, frames };
};

function textOf(paint: Paint, recording: Recording, { from, sourceMap }: ReplayCode, replayed: Replayed): string {
  const { job, plugin, version, calls, outcome, redacted } = recording;
  const { sameCode, divergence, engine } = replayed;
  const what = `${job} of ${plugin}@${version}`;
  const code = sameCode ? `the recorded code (from the ${from})` : 'changed code';
  const lines: string[] = [];
  if (divergence === null) {
    const again = outcome.status === 'completed' ? 'gives the same bytes again' : 'fails again in the same way';
    lines.push(`${paint('green', '✔')} ${oneLine(what)} ${again}: ${oneLine(outcomeText(outcome))}`);
    lines.push(paint('dim', `  ${code}, ${calls.length} recorded calls and timers`));
  } else {
    const { headline, recorded, now } = describeDivergence(divergence);
    lines.push(`${paint('red', '✖')} ${oneLine(what)} ${headline}, with ${code}`);
    lines.push(`  recorded  ${oneLine(recorded)}`, `  now       ${oneLine(now)}`);
  }
  lines.push(...framesOf(replayed, sourceMap).map((frame) => `    at ${oneLine(frame)}`));
  lines.push(
    ...replayed.logs.map(({ level, json }) => paint('dim', `  ${level.padEnd(5)} ${oneLine(messageOf(json))}`)),
  );
  if (divergence !== null)
    lines.push(...reasonsOf(sameCode, engine, redacted).map((why) => paint('yellow', `  ${why}`)));
  return lines.join('\n');
}

function messageOf(json: string): string {
  try {
    const { message, facts } = JSON.parse(json) as { message: string; facts?: object };
    return facts === undefined ? message : `${message} ${JSON.stringify(facts)}`;
  } catch {
    return json;
  }
}

/** What a divergence may come from other than changed code. */
function reasonsOf(sameCode: boolean, engine: string[], redacted: Recording['redacted']): string[] {
  const reasons: string[] = [];
  if (redacted !== null) reasons.push(`Redacted: ${redacted.places.join(', ')}. ${redacted.note}`);
  if (engine.length > 0) reasons.push(`Recorded with another engine: ${engine.join(', ')}.`);
  if (sameCode && reasons.length === 0) {
    reasons.push(
      'The code is the same: it may keep something in variables between invocations, and a replay starts with none.',
    );
  }
  return reasons;
}

async function asTest(
  cli: Cli,
  recording: Recording,
  project: string | undefined,
  wanted: string | true,
): Promise<Answer> {
  const folder = resolve(cli.settings.cwd, project ?? '.');
  const { manifest } = await loadLocalPlugin(folder);
  const file =
    wanted === true ? join(folder, 'test', `replay-${recording.id}.test.ts`) : resolve(cli.settings.cwd, wanted);
  if (!/\.test\.ts$/.test(basename(file))) throw new CliError('usage', 'The name of a test ends in .test.ts');
  const files = await writeReplayTest(recording, folder, file).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'EEXIST')
      throw new CliError('file-taken', `${error.path} exists already and is never overwritten.`);
    throw new CliError('file-unwritable', `The test cannot be written: ${error.message}`);
  });
  return {
    value: { ...files, plugin: `${manifest.publisher}/${manifest.name}` },
    text: (paint) => `${paint('green', '✔')} Wrote ${files.test}; run it with: gate test ${project ?? ''}`.trimEnd(),
  };
}
