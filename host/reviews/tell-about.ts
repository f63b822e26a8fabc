import type { Release, Reviews } from '../../registry/index.ts';
import type { Log } from '../http/log.ts';
import type { NotificationStore } from '../notifications/notification-store.ts';
import type { ReachStore } from '../releases/reach-store.ts';
import { type StopNotice, takedownNotice } from '../releases/tell-operators.ts';

export interface TellPorts {
  reviews: Reviews;
  notifications: Pick<NotificationStore, 'add'>;
  reach: Pick<ReachStore, 'running' | 'publisherOf'>;
  log: Pick<Log, 'error'>;
  /** UUIDv7, in order. */
  newId(): string;
  nowMs(): number;
}

/** Publishers hear of every decision, operators of what stops on their side. That somebody cannot be told undoes no decision. */
export function tellAbout(ports: TellPorts): Reviews {
  const { reviews, notifications, reach, log, newId, nowMs } = ports;
  const tell = async (
    { id, plugin, version, state }: Release,
    said: StopNotice,
    operatorsToo: boolean,
  ): Promise<void> => {
    const running = operatorsToo ? await reach.running(id) : [];
    const publisher = await reach.publisherOf(id);
    const whom = new Map([...Map.groupBy(running, ({ operatorId }) => operatorId)]);
    const facts = { releaseId: id, plugin, version, state };
    const entry = { at: new Date(nowMs()).toISOString(), ...said };
    await notifications.add([
      ...(publisher === null ? [] : [{ ...entry, id: newId(), organisationId: publisher, facts }]),
      ...[...whom].map(([organisationId, all]) => ({
        ...entry,
        id: newId(),
        organisationId,
        facts: { ...facts, installations: all.map(({ slug }) => slug) },
      })),
    ]);
  };
  const told = async (release: Release, said: StopNotice, operatorsToo = false): Promise<Release> => {
    await tell(release, said, operatorsToo).catch((error) => log.error({ err: error }, 'nobody was told of a review'));
    return release;
  };
  const nameOf = ({ plugin, version }: Release) => `${plugin}@${version}`;
  return {
    ...reviews,
    decide: async (actor, releaseId, wish) => {
      const release = await reviews.decide(actor, releaseId, wish);
      const done = { approve: 'approved', 'request-changes': 'sent back for changes', reject: 'rejected' }[
        wish.decision
      ];
      return told(release, {
        kind: 'release-reviewed',
        subject: `${nameOf(release)} was ${done}`,
        body: [
          ...wish.reasons.map(({ code, message }) => `${code}: ${message}`),
          ...(release.state === 'approved' ? ['It is held: `gate review publish` publishes it.'] : []),
          `It is ${release.state}; \`gate review show\` has the whole review.`,
        ].join('\n'),
      });
    },
    takeDown: async (actor, releaseId, reason) => {
      const sinceMs = nowMs();
      const release = await reviews.takeDown(actor, releaseId, reason);
      // It was down before.
      if (Date.parse(release.blocked?.at ?? '') < sinceMs) return release;
      return told(release, takedownNotice(release), true);
    },
    restore: async (actor, releaseId, reason) => {
      const release = await reviews.restore(actor, releaseId, reason);
      return told(release, { kind: 'release-restored', subject: `${nameOf(release)} runs again`, body: reason }, true);
    },
  };
}
