import type { Knex } from 'knex';

export interface RunningInstallation {
  id: string;
  operatorId: string;
  operator: string;
  slug: string;
  enabled: boolean;
  follows: string | null;
}

export interface ReachStore {
  /** Installations that run a release, as their own or as a canary; by id. */
  running(releaseId: string): Promise<RunningInstallation[]>;
  publisherOf(releaseId: string): Promise<string | null>;
  invocationsSince(installationIds: string[], since: Date): Promise<number>;
  /** Ids of installations whose release, or canary, may not run: of one release, or all. */
  stopped(runnableStates: readonly string[], releaseId?: string): Promise<string[]>;
}

const RUNS = `(installation.release_id = release.id or exists (
  select 1 from rollouts where rollouts.installation_id = installation.id and rollouts.state = 'canary'
    and rollouts.to_release_id = release.id))`;

/** For the host's own work: it looks at everybody's installations. */
export function reachStore(system: Knex): ReachStore {
  return {
    running: async (releaseId) => {
      const { rows } = await system.raw(
        `select installation.id, installation.operator_id as "operatorId", operator.slug as operator, installation.slug,
           installation.enabled, installation.follows
         from installations as installation
         join organisations as operator on operator.id = installation.operator_id
         join releases as release on release.id = ?
         where installation.deleted_at is null and ${RUNS}
         order by installation.id`,
        [releaseId],
      );
      return rows;
    },
    publisherOf: async (releaseId) =>
      (await system('releases').where('id', releaseId).first('organisation_id'))?.organisation_id ?? null,
    invocationsSince: async (installationIds, since) => {
      const sum = await system('usage')
        .whereIn('installation_id', installationIds)
        .where('hour', '>=', since)
        .sum('invocations as invocations')
        .first();
      return Number(sum?.invocations ?? 0);
    },
    stopped: async (runnableStates, releaseId) => {
      const { rows } = await system.raw(
        `select distinct installation.id
         from releases as release
         join installations as installation on installation.deleted_at is null and ${RUNS}
         where (release.blocked is not null or release.state <> all (?))
           and (cast(? as uuid) is null or release.id = cast(? as uuid))`,
        [[...runnableStates], releaseId ?? null, releaseId ?? null] as never,
      );
      return rows.map(({ id }: { id: string }) => id);
    },
  };
}
