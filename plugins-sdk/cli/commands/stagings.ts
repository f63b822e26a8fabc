import type { ArmSummary, Staging, StagingDecision } from '../../../host/rollouts/stagings/contract.ts';
import type { ApiClient } from '../api-client.ts';
import { CliError } from '../errors.ts';
import { parsePluginName } from '../plugin-name.ts';
import { periodText, readPeriod } from '../read-period.ts';
import { columns, oneLine, type Paint } from '../terminal.ts';

/** How long a share is watched where nobody says. */
export const EVERY_SECONDS = 6 * 3_600;

/** `5,25,50,100` as shares; what does not end with everybody is completed. Refuses with: usage. */
export function readShares(text: string): number[] {
  const shares = text.split(',').map((share) => Number(share.trim().replace(/%$/, '')));
  const rising = shares.every((share, at) => share > (shares[at - 1] ?? 0));
  if (shares.some((share) => !Number.isInteger(share) || share < 1 || share > 100) || !rising) {
    throw new CliError('usage', `Shares are rising whole numbers from 1 to 100, such as 5,25,50,100; not "${text}".`);
  }
  return shares.at(-1) === 100 ? shares : [...shares, 100];
}

export const readEvery = (text: string): number => readPeriod('--every', text, { minSeconds: 60 });

export interface StagingOptions {
  stage?: number[];
  every: number;
  halt?: true;
  resume?: true;
  finish?: true;
  rollback?: true;
  reason?: string;
}

const DECISION_OF = { halt: 'halt', resume: 'resume', finish: 'finish', rollback: 'roll-back' } as const;

/** What a publisher asks about, or decides about, a release on its way. Refuses with: usage, staging-unknown, … */
export async function manageStaging(
  api: Pick<ApiClient, 'listStagings' | 'planStaging' | 'decideStaging'>,
  text: string,
  options: StagingOptions,
): Promise<Staging[]> {
  const { plugin, version } = parsePluginName(text);
  const chosen = (Object.keys(DECISION_OF) as (keyof typeof DECISION_OF)[]).filter((each) => options[each]);
  if (chosen.length + (options.stage ? 1 : 0) > 1) {
    throw new CliError('usage', 'Give one of --stage, --halt, --resume, --finish and --rollback.');
  }
  const [decision] = chosen;
  if (decision === undefined && options.stage === undefined) {
    const { items } = await api.listStagings(plugin);
    return items.filter((each) => version === undefined || each.version === version);
  }
  if (version === undefined) throw new CliError('usage', `Say which version: ${plugin}@1.0.0`);
  if (options.stage) {
    return [await api.planStaging(plugin, version, { percents: options.stage, everySeconds: options.every })];
  }
  if (options.reason === undefined && (decision === 'halt' || decision === 'rollback')) {
    throw new CliError('usage', `Say why with --reason: operators read it.`);
  }
  const command: { decision: StagingDecision; reason: string } = {
    decision: DECISION_OF[decision!],
    reason: options.reason ?? `Its publisher decided: ${decision}.`,
  };
  return [await api.decideStaging(plugin, version, command)];
}

/** Each release with where it is, who has it, and what it answers beside the earlier ones. */
export const stagingsText = (paint: Paint, stagings: Staging[]): string =>
  stagings.map((staging) => stagingText(paint, staging)).join('\n\n');

function stagingText(paint: Paint, staging: Staging): string {
  const { plugin, version, state, reason, installations, staged, earlier } = staging;
  const { following, taken, operators } = installations;
  const color = state === 'halted' || state === 'rolled-back' ? 'red' : state === 'done' ? 'green' : 'yellow';
  const head = `${paint('bold', oneLine(`${plugin}@${version}`))}  ${paint(color, whereText(staging))}`;
  const who = `It runs in ${taken} of the plugin's installations, of ${operators} ${operators === 1 ? 'operator' : 'operators'}; ${following} follow its releases.`;
  const table = columns(
    paint,
    ['RELEASE', 'CALLS', 'FAILED', '95 % WITHIN'],
    [armRow(version, staged), armRow('earlier', earlier)],
  );
  return [head, ...(reason === '' ? [] : [oneLine(reason)]), who, table].join('\n');
}

function whereText({ state, percents, percent, stage, stageAt, everySeconds }: Staging): string {
  const shares = percents.map((each) => `${each} %`).join(', ');
  if (state === 'planned') return `planned: ${shares}, each for ${periodText(everySeconds)}, as soon as it is out`;
  if (state !== 'rolling') return state === 'halted' ? `halted at ${percent} %` : state;
  const next = percents[stage + 1];
  const at = new Date(Date.parse(stageAt!) + everySeconds * 1_000).toISOString();
  const then = next === undefined ? 'done' : `${next} %`;
  return `rolling: ${percent} % (${stage + 1} of ${percents.length}) since ${stageAt}; ${then} from ${at} on, if nothing speaks against it`;
}

const armRow = (name: string, { calls, errors, p95Ms }: ArmSummary): string[] => [
  name,
  `${calls}`,
  calls === 0 ? '-' : `${errors} (${Math.round((errors / calls) * 1_000) / 10} %)`,
  p95Ms === null ? '-' : `${p95Ms} ms`,
];
