import { readFile } from 'node:fs/promises';
import { bodyBytes } from '../../host/invocations/plugin-request.ts';
import { loadLocalPlugin } from '../cli/load-plugin.ts';
import type { GuestOutput, PluginFault } from '../contract/index.ts';
import { describeDivergence } from '../replay/describe-replay.ts';
import { readRecording } from '../replay/read-recording.ts';
import { type Replayed, replayRecording } from '../replay/replay-recording.ts';

export interface ReplayOptions {
  /** The plugin's folder, the one with gatehouse.json. */
  folder: string;
  /** File of a recording, from `gate recordings download` or `gate replay --as-test`. */
  recording: string;
}

export interface ReplayedInTest extends Replayed {
  /** What the plugin did wrong this time; null where it answered, or went another way than was recorded. */
  fault: PluginFault | null;
  /** The answer of a route; null for everything else, and for one that was written piece by piece. */
  response: Response | null;
  /** Where it first went another way, as text; null where all is the same. */
  difference: string | null;
}

/** Runs a recorded invocation again with the plugin as it is now. Rejects where the recording or the plugin cannot be read. */
export async function replay({ folder, recording: file }: ReplayOptions): Promise<ReplayedInTest> {
  const recording = readRecording(await readFile(file, 'utf8'));
  const { code } = await loadLocalPlugin(folder);
  const replayed = await replayRecording(recording, code);
  const { outcome, divergence } = replayed;
  return {
    ...replayed,
    fault: outcome?.status === 'faulted' ? outcome.fault : null,
    response: outcome?.status === 'completed' ? responseOf(outcome.output) : null,
    difference: divergence && differenceText(divergence),
  };
}

function differenceText(divergence: NonNullable<Replayed['divergence']>): string {
  const { headline, recorded, now } = describeDivergence(divergence);
  return `${headline}\n  recorded: ${recorded}\n  now:      ${now}`;
}

function responseOf(output: string): Response | null {
  const answer = JSON.parse(output) as GuestOutput;
  if (answer.kind !== 'http') return null;
  const { status, headers } = answer.response;
  const bodiless = status === 204 || status === 205 || status === 304;
  return new Response(bodiless ? null : bodyBytes(answer.response), { status, headers });
}
