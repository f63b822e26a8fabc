import { mkdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join, relative, sep } from 'node:path';
import type { Recording } from '../contract/recording.ts';
import { outcomeText } from './describe-replay.ts';

/** Files that a test of a recording consists of. */
export interface ReplayTestFiles {
  /** Absolute. */
  test: string;
  /** Absolute; the recording, without code. */
  recording: string;
}

/**
 * Writes a recording as a test for `node --test` (and `gate test`), beside the other tests of the plugin. What succeeded must go on
 * to answer the same bytes; what failed must not fail any more, so that test is red until the plugin is corrected. Existing files
 * are never overwritten; where one of the two is there, neither is written. Rejects with EEXIST.
 */
export async function writeReplayTest(recording: Recording, folder: string, file: string): Promise<ReplayTestFiles> {
  const recordingFile = join(dirname(file), 'recordings', `${recording.id}.json`);
  const { bundle: _code, ...bare } = recording;
  await mkdir(dirname(recordingFile), { recursive: true });
  await writeFile(file, testSource(recording, folder, file), { flag: 'wx' });
  await writeFile(recordingFile, `${JSON.stringify(bare, null, 2)}\n`, { flag: 'wx' }).catch(async (error) => {
    await rm(file);
    throw error;
  });
  return { test: file, recording: recordingFile };
}

/** A recording may come from a stranger, and this becomes code: it ends neither its line nor its template. */
const inComment = (text: string): string => text.replace(/[\r\n\u2028\u2029]+/g, ' ');
const inTemplate = (text: string): string => text.replace(/[`\\]|\$\{/g, '\\$&');

function testSource(recording: Recording, folder: string, file: string): string {
  const { id, job, recordedAt, outcome, plugin, version, redacted } = recording;
  const toFolder = relative(dirname(file), folder).split(sep).join('/') || '.';
  const failed = outcome.status === 'faulted';
  const title = failed
    ? `${job} does not fail as it did at ${recordedAt}`
    : `${job} answers as it did at ${recordedAt}`;
  const assertion = failed
    ? `  // It failed with ${inComment(outcomeText(outcome))}\n  assert.equal(replayed.fault, null);`
    : '  assert.equal(replayed.difference, null);';
  const note =
    redacted === null ? '' : '// Values of the recording were replaced by placeholders; the plugin gets those.\n';
  return `import assert from 'node:assert/strict';
import { test } from 'node:test';
import { replay } from '@gatehouse/plugin-sdk/testing';

// Invocation ${id} of ${inComment(`${plugin}@${version}`)}, written by: gate replay --as-test
${note}test(${JSON.stringify(title)}, async () => {
  const replayed = await replay({
    folder: \`\${import.meta.dirname}/${inTemplate(toFolder)}\`,
    recording: \`\${import.meta.dirname}/recordings/${id}.json\`,
  });
${assertion}
});
`;
}
