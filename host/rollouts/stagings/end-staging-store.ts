import type { Knex } from 'knex';
import { v7 as uuidv7 } from 'uuid';
import { type AuditEntry, type AuditIn, chooseLatestIn } from '../../../registry/index.ts';
import type { NotificationKind } from '../../notifications/contract.ts';
import { notificationStore } from '../../notifications/notification-store.ts';
import { type StagingMove, type StoredStaging, stagingSampleStore, stagingStore } from './staging-store.ts';

export interface StagingChange {
  staging: StoredStaging;
  move: StagingMove;
  /** `staging.halt` and the like. */
  action: string;
  actor: AuditEntry['actor'];
  atMs: number;
  /** What is told; to whom runs the release as well, or to its publisher alone. */
  tell?: { kind: NotificationKind; subject: string; publisher: string; operators?: (slugs: string[]) => string };
}

/** One step of a staging with its audit entry and what is told: all of it or nothing. False where somebody else was faster. */
export type ChangeStaging = (change: StagingChange) => Promise<boolean>;

/** For the host alone: operators are told whom a publisher does not know. */
export const changeStaging =
  (system: Knex, auditIn: AuditIn): ChangeStaging =>
  ({ staging, move, action, actor, atMs, tell }) =>
    system.transaction(async (transaction) => {
      if (!(await stagingStore(transaction).move(staging, move))) return false;
      const { plugin, version, publisherId, release, percents, stage } = staging;
      // What was stopped is not what a catalogue shows, and what goes on is.
      if (move.state !== undefined) await chooseLatestIn(transaction)(staging.pluginId);
      const at = new Date(atMs).toISOString();
      await auditIn(transaction)({
        action,
        actor,
        organisationId: publisherId,
        subject: { kind: 'plugin', id: staging.pluginId },
        before: { state: staging.state, stage },
        after: {
          plugin,
          version,
          state: move.state ?? staging.state,
          percent: percents[move.stage ?? stage] ?? 0,
          reason: move.reason ?? staging.reason,
        },
      });
      if (tell === undefined) return true;
      const facts = { plugin, version, releaseId: release?.id ?? null, state: move.state ?? staging.state };
      const message = (organisationId: string, body: string, more = {}) => ({
        id: uuidv7(),
        organisationId,
        at,
        kind: tell.kind,
        subject: tell.subject.slice(0, 300),
        body: body.slice(0, 10_000),
        facts: { ...facts, ...more },
      });
      const takers = tell.operators && release ? await stagingSampleStore(transaction).takers(release.id) : [];
      await notificationStore(transaction).add([
        message(publisherId, tell.publisher),
        ...takers.map(({ operatorId, slugs }) => message(operatorId, tell.operators!(slugs), { installations: slugs })),
      ]);
      return true;
    });
