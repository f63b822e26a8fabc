import type { Log } from '../../http/log.ts';
import { type ArmSample, judgeCanary } from '../rules/judge-canary.ts';
import { edgeMs, quantileBucket } from '../rules/latency-buckets.ts';
import type { ArmSummary } from './contract.ts';
import type { ChangeStaging, StagingChange } from './end-staging-store.ts';
import { afterStage } from './rules/staging-states.ts';
import type { StagingSampleStore, StagingStore, StoredStaging } from './staging-store.ts';

export interface JudgePorts {
  store: Pick<StagingStore, 'inState'>;
  samples: Pick<StagingSampleStore, 'of'>;
  change: ChangeStaging;
  /** To be called when a release may come to more installations. */
  onRelease(releaseId: string): void;
  log: Log;
  nowMs(): number;
}

const BY_ITSELF = { via: 'system', part: 'rollouts' } as const;

/**
 * Begins stagings whose release is out, and judges the others by what all operators' installations have answered: as canaries are. Each
 * step is made by one host.
 */
export const judgeStagings = (ports: JudgePorts) => async (): Promise<void> => {
  for (const staging of await ports.store.inState('planned', 'rolling')) {
    await step(ports, staging).catch((error) =>
      ports.log.error({ err: error, plugin: staging.plugin, version: staging.version }, 'staging not judged'),
    );
  }
};

async function step(ports: JudgePorts, staging: StoredStaging): Promise<void> {
  const change = staging.state === 'planned' ? beginning(ports, staging) : await judgement(ports, staging);
  if (change === null || !(await ports.change(change))) return;
  const { plugin, version, release } = staging;
  ports.log.info({ plugin, version, ...change.move }, change.action);
  if (change.move.state !== 'halted' && release) ports.onRelease(release.id);
}

type Change = Omit<StagingChange, 'actor' | 'atMs' | 'staging'>;
const whole = ({ nowMs }: Pick<JudgePorts, 'nowMs'>, staging: StoredStaging, change: Change): StagingChange => ({
  staging,
  actor: BY_ITSELF,
  atMs: nowMs(),
  ...change,
});

/** Null where its release is not out. */
export function beginning(
  ports: Pick<JudgePorts, 'nowMs'>,
  staging: StoredStaging,
  reason = 'The release came out.',
): StagingChange | null {
  if (!isOut(staging)) return null;
  const now = new Date(ports.nowMs());
  return whole(ports, staging, {
    action: 'staging.begin',
    move: { state: 'rolling', stage: 0, beganAt: now, stageAt: now, reason },
  });
}

/** Whether installations can have the release. */
export const isOut = ({ release }: StoredStaging): boolean => release?.state === 'published' && !release.isBlocked;

async function judgement(ports: JudgePorts, staging: StoredStaging): Promise<StagingChange | null> {
  const { version, everySeconds } = staging;
  if (!isOut(staging)) {
    const state = staging.release?.isBlocked ? 'blocked' : staging.release?.state;
    return halting(ports, staging, `The release is ${state}.`);
  }
  const { staged, earlier } = await ports.samples.of(staging.id);
  const verdict = judgeCanary({
    canary: staged,
    stable: earlier,
    startedAtMs: staging.stageAt!.getTime(),
    nowMs: ports.nowMs(),
    promoteAfterMs: everySeconds * 1_000,
    names: { canary: version, stable: 'earlier releases' },
  });
  if (verdict.verdict === 'wait') return null;
  if (verdict.verdict === 'roll-back') return halting(ports, staging, verdict.reason);
  return advancing(ports, staging, verdict.reason);
}

function halting(ports: JudgePorts, staging: StoredStaging, reason: string): StagingChange {
  const { plugin, version, percents, stage } = staging;
  const name = `${plugin}@${version}`;
  return whole(ports, staging, {
    action: 'staging.halt',
    move: { state: 'halted', reason, endedAt: new Date(ports.nowMs()) },
    tell: {
      kind: 'staging-halted',
      subject: `${name} was stopped at ${percents[stage]} %`,
      publisher: `${reason}\nIt comes to nobody else. Numbers: gate rollouts ${name}\nOn: gate rollouts ${name} --resume; back: gate rollouts ${name} --rollback`,
      operators: (slugs) =>
        `${reason}\nIt comes to nobody else; it runs in: ${slugs.join(', ')}\nBack: ${slugs.map((slug) => `gate rollback ${slug}`).join('; ')}`,
    },
  });
}

function advancing(ports: JudgePorts, staging: StoredStaging, reason: string): StagingChange {
  const next = afterStage(staging);
  const now = new Date(ports.nowMs());
  const { plugin, version } = staging;
  if (next.state === 'rolling') {
    return whole(ports, staging, { action: 'staging.advance', move: { ...next, stageAt: now, reason } });
  }
  return whole(ports, staging, {
    action: 'staging.finish',
    move: { ...next, endedAt: now, reason },
    tell: { kind: 'staging-done', subject: `${plugin}@${version} has come to all who follow`, publisher: reason },
  });
}

/** What publishers are shown of one side. */
export const summaryOf = ({ calls, errors, durations }: ArmSample): ArmSummary => ({
  calls,
  errors,
  p95Ms: calls > errors ? Math.round(edgeMs(quantileBucket(durations, 0.95)) * 10) / 10 : null,
});
