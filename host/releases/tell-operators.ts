import { createHash } from 'node:crypto';
import { v7 as uuidv7 } from 'uuid';
import type { Release } from '../../registry/index.ts';
import type { NotificationKind } from '../notifications/contract.ts';
import type { NotificationStore } from '../notifications/notification-store.ts';
import type { ReachStore } from './reach-store.ts';

export interface TellPorts {
  store: Pick<ReachStore, 'running'>;
  notifications: Pick<NotificationStore, 'add'>;
}

export interface StopNotice {
  kind: NotificationKind;
  subject: string;
  body: string;
}

export const yankNotice = ({ plugin, version, yanked }: Release): StopNotice => {
  const advice = yanked?.replacement ? ` Take ${yanked.replacement} instead.` : '';
  return {
    kind: 'release-yanked',
    subject: `${plugin}@${version} was yanked`,
    body: `${yanked?.reason ?? ''} It goes on where it runs, and is not installed anew.${advice}`,
  };
};

export const takedownNotice = ({ plugin, version, blocked }: Release): StopNotice => ({
  kind: 'release-suspended',
  subject: `${plugin}@${version} was taken down`,
  body: `${blocked?.reason ?? ''}\nIt runs nowhere any more until a moderator restores it.`,
});

/**
 * One notification for each operator that runs a release by now, with its installations; once for the same time, however often it is
 * called.
 */
export async function tellOperators(
  { store, notifications }: TellPorts,
  { id, plugin, version, state, yanked }: Release,
  { at, ...notice }: StopNotice & { at: string },
): Promise<void> {
  const running = await store.running(id);
  const facts = { releaseId: id, plugin, version, state, replacement: yanked?.replacement ?? null };
  await notifications.add(
    [...Map.groupBy(running, ({ operatorId }) => operatorId)].map(([organisationId, all]) => ({
      ...notice,
      id: noticeId(id, organisationId, at),
      organisationId,
      at,
      facts: { ...facts, installations: all.map(({ slug }) => slug) },
    })),
  );
}

/** UUIDv7 of the time; the same for the same release and operator. */
function noticeId(releaseId: string, operatorId: string, at: string): string {
  const random = createHash('sha256').update(`${releaseId} ${operatorId}`).digest();
  return uuidv7({ msecs: Date.parse(at), random });
}
