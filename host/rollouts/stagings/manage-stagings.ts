import { type AuditIn, type Principal, RegistryRefusal } from '../../../registry/index.ts';
import { HostRefusal } from '../../errors.ts';
import type { Staging, StagingDecision, Stagings, StagingTarget } from './contract.ts';
import type { ChangeStaging, StagingChange } from './end-staging-store.ts';
import { beginning, isOut, summaryOf } from './judge-stagings.ts';
import { DECISIONS, planFault } from './rules/staging-states.ts';
import type { StagingSampleStore, StagingStore, StoredStaging } from './staging-store.ts';

export interface ManagePorts {
  /** As whoever acts may see and change them. */
  inTransaction<Result>(
    work: (stores: { store: StagingStore; audit: ReturnType<AuditIn> }) => Promise<Result>,
  ): Promise<Result>;
  samples: StagingSampleStore;
  change: ChangeStaging;
  onRelease(releaseId: string): void;
  newId(): string;
  nowMs(): number;
}

/** Of one plugin, for versions that are not out. */
const PLANNED_MAX = 20;

/** Whoever publishes a plugin decides how its releases come to operators. */
export function manageStagings(ports: ManagePorts): Stagings {
  const find = async (actor: Principal, { plugin, version }: StagingTarget): Promise<StoredStaging> =>
    ports.inTransaction(async ({ store }) => {
      const staging = await store.find(await ownPluginId(store, actor, plugin), version);
      if (staging === null) throw new HostRefusal('staging-unknown', undefined, { plugin, version });
      return staging;
    });
  return {
    plan: async (actor, target, plan) => {
      const fault = planFault(plan);
      if (fault !== null) throw new HostRefusal('staging-invalid', fault, { percents: plan.percents });
      await ports.inTransaction(async ({ store, audit }) => {
        const pluginId = await ownPluginId(store, actor, target.plugin);
        const { version } = target;
        // Hosts look at every one of them all the time, and versions that never come out would stay for ever.
        const isFull = (await store.lockPlanned(pluginId)) >= PLANNED_MAX;
        const known = isFull ? await store.find(pluginId, version) : null;
        if (isFull && known === null) {
          const message = `There are ${PLANNED_MAX} plans for versions that are not out; publish or finish one of those first.`;
          throw new HostRefusal('staging-invalid', message, { max: PLANNED_MAX });
        }
        if (known !== null || !(await store.insert({ id: ports.newId(), pluginId, version, ...plan }))) {
          const present = known ?? (await store.find(pluginId, version))!;
          if (isSame(present, plan)) return;
          if (present.state !== 'planned' || !(await store.move(present, plan))) throw wrongState(present);
        }
        await audit({
          action: 'staging.plan',
          actor,
          organisationId: actor.organisation.id,
          subject: { kind: 'plugin', id: pluginId },
          after: { plugin: target.plugin, version, ...plan },
        });
      });
      await beginAtOnce(ports, await find(actor, target));
      return describe(ports, await find(actor, target));
    },
    list: async (actor, plugin) => {
      const found = await ports.inTransaction(async ({ store }) => store.list(await ownPluginId(store, actor, plugin)));
      return { items: await Promise.all(found.map((staging) => describe(ports, staging))), nextCursor: null };
    },
    decide: async (actor, target, { decision, reason }) => {
      const staging = await find(actor, target);
      const { from, to } = DECISIONS[decision];
      if (staging.state !== to || decision === 'resume') {
        if (!from.includes(staging.state)) {
          if (staging.state === to) return describe(ports, staging);
          throw wrongState(staging);
        }
        if (decision === 'resume') {
          requireOut(staging);
          // What stopped it would stop it again.
          await ports.samples.clear(staging.id);
        }
        if (!(await ports.change(changeOf(ports, actor, staging, decision, reason)))) throw wrongState(staging);
        if (staging.release) ports.onRelease(staging.release.id);
      }
      return describe(ports, await find(actor, target));
    },
  };
}

/** Of what is out already there is nothing to wait for. */
async function beginAtOnce(ports: ManagePorts, staging: StoredStaging): Promise<void> {
  const reason = 'It was out already: whoever has it keeps it, and it comes to others by these shares.';
  const change = staging.state === 'planned' ? beginning(ports, staging, reason) : null;
  if (change !== null && (await ports.change(change))) ports.onRelease(staging.release!.id);
}

/** Refuses with: plugin-unknown. */
async function ownPluginId(store: StagingStore, actor: Principal, plugin: string): Promise<string> {
  const [publisher, name = ''] = plugin.split('/');
  const { kind, slug, id } = actor.organisation;
  const found = kind === 'publisher' && slug === publisher ? await store.pluginId(id, name) : null;
  if (found === null) throw new RegistryRefusal('plugin-unknown', undefined, { plugin });
  return found;
}

const isSame = (present: StoredStaging, { percents, everySeconds }: Pick<Staging, 'percents' | 'everySeconds'>) =>
  present.everySeconds === everySeconds && present.percents.join() === percents.join();

const wrongState = ({ state, plugin, version }: StoredStaging) =>
  new HostRefusal(
    'staging-state-invalid',
    `The staging of ${plugin}@${version} is ${state}, which does not allow this.`,
    {
      state,
    },
  );

/** What goes on without its release is halted at the next look. Refuses with: staging-state-invalid. */
function requireOut(staging: StoredStaging): void {
  if (isOut(staging)) return;
  const { plugin, version, state } = staging;
  throw new HostRefusal('staging-state-invalid', `${plugin}@${version} is not out: it can go on once it is.`, {
    state,
  });
}

function changeOf(
  { nowMs }: ManagePorts,
  actor: Principal,
  staging: StoredStaging,
  decision: StagingDecision,
  reason: string,
): StagingChange {
  const now = new Date(nowMs());
  const { to } = DECISIONS[decision];
  // One that was stopped before its release was out has not begun.
  const began = staging.beganAt ?? now;
  const times =
    to === 'rolling'
      ? { beganAt: began, stageAt: now, endedAt: null }
      : { beganAt: began, stageAt: staging.stageAt ?? now, endedAt: now };
  const name = `${staging.plugin}@${staging.version}`;
  const tell: StagingChange['tell'] =
    to === 'halted'
      ? {
          kind: 'staging-halted',
          subject: `${name} was stopped by its publisher`,
          publisher: reason,
          operators: (slugs) => `${reason}\nIt comes to nobody else; it runs in: ${slugs.join(', ')}`,
        }
      : to === 'rolled-back'
        ? {
            kind: 'staging-rolled-back',
            subject: `${name} was rolled back by its publisher`,
            publisher: reason,
            operators: (slugs) =>
              `${reason}\nInstallations that took it by their policy go back by themselves. It ran in: ${slugs.join(', ')}`,
          }
        : undefined;
  return {
    staging,
    move: { state: to, reason, ...times },
    action: ACTIONS[decision],
    actor,
    atMs: nowMs(),
    ...(tell && { tell }),
  };
}

const ACTIONS: Record<StagingDecision, string> = {
  halt: 'staging.halt',
  resume: 'staging.resume',
  finish: 'staging.finish',
  'roll-back': 'staging.roll-back',
};

async function describe({ samples }: ManagePorts, staging: StoredStaging): Promise<Staging> {
  const { plugin, version, state, percents, everySeconds, stage, reason, beganAt, stageAt, endedAt } = staging;
  const [{ staged, earlier }, installations] = await Promise.all([samples.of(staging.id), samples.counts(staging)]);
  return {
    plugin,
    version,
    state,
    percents,
    everySeconds,
    stage,
    percent: state === 'planned' ? 0 : state === 'done' ? 100 : (percents[stage] ?? 0),
    reason,
    beganAt: beganAt?.toISOString() ?? null,
    stageAt: stageAt?.toISOString() ?? null,
    endedAt: endedAt?.toISOString() ?? null,
    installations,
    staged: summaryOf(staged),
    earlier: summaryOf(earlier),
  };
}
