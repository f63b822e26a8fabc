/**
 * `planned`: the release is not out yet · `rolling`: it comes to more and more · `halted`: it comes to nobody else · `done`: it comes to
 * all · `rolled-back`: whoever took it by a policy goes back.
 */
export const STAGING_STATES = ['planned', 'rolling', 'halted', 'done', 'rolled-back'] as const;
export type StagingState = (typeof STAGING_STATES)[number];

export const STAGING_DECISIONS = ['halt', 'resume', 'finish', 'roll-back'] as const;
export type StagingDecision = (typeof STAGING_DECISIONS)[number];

/** What a decision leads to, and from where. */
export const DECISIONS: Record<StagingDecision, { from: readonly StagingState[]; to: StagingState }> = {
  halt: { from: ['planned', 'rolling'], to: 'halted' },
  resume: { from: ['halted'], to: 'rolling' },
  finish: { from: ['planned', 'rolling', 'halted'], to: 'done' },
  'roll-back': { from: ['rolling', 'halted', 'done'], to: 'rolled-back' },
};

const STAGES_MAX = 10;

/** What is wrong with the shares of a plan, in words; null where nothing is. */
export function planFault({ percents }: { percents: readonly number[] }): string | null {
  if (percents.length === 0 || percents.length > STAGES_MAX) return `There are 1 to ${STAGES_MAX} shares.`;
  if (percents.some((percent) => !Number.isInteger(percent) || percent < 1 || percent > 100)) {
    return 'Shares are whole numbers from 1 to 100.';
  }
  if (percents.some((percent, at) => at > 0 && percent <= percents[at - 1]!)) {
    return 'Each share is larger than the one before.';
  }
  return percents.at(-1) === 100 ? null : 'The last share is 100: everybody gets it in the end.';
}

/** Where a staging is after its present stage has gone well. */
export const afterStage = ({ percents, stage }: { percents: readonly number[]; stage: number }) =>
  stage + 1 < percents.length ? ({ state: 'rolling', stage: stage + 1 } as const) : ({ state: 'done', stage } as const);
