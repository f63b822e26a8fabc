import type { Json } from '../../plugins-sdk/contract/index.ts';
import type { EventType } from './event-types.ts';

/** What of an entry of the audit trail becomes events. */
export interface ToldEntry {
  id: string;
  at: string;
  action: string;
  outcome: string;
  organisationId: string | null;
  subject: { kind: string; id: string };
  after?: unknown;
}

export interface ReleaseFacts {
  publisherId: string;
  plugin: string;
  version: string;
  digest: string;
  /** Of every operator, also those that are disabled. */
  installations: { id: string; slug: string; operatorId: string }[];
}

export interface InstallationFacts {
  operatorId: string;
  /** Of the operator, for the publisher. */
  pseudonym: string;
  publisherId: string;
  slug: string;
  plugin: string;
  version: string;
  /** Of the plugin, everybody's. */
  installations: number;
}

export interface RatingFacts {
  publisherId: string;
  organisationId: string;
  plugin: string;
  stars: number;
}

/** What an entry says only by its ids. Null where it is not there any more. */
export interface EntryFacts {
  release(id: string): Promise<ReleaseFacts | null>;
  installation(id: string): Promise<InstallationFacts | null>;
  rating(id: string): Promise<RatingFacts | null>;
}

export interface NewFeedEvent {
  organisationId: string;
  type: EventType;
  payload: Json;
}

type After = Readonly<Record<string, unknown>>;

const RELEASE_EVENTS: Readonly<Record<string, EventType>> = {
  'release.publish': 'release.submitted',
  'scan.finish': 'release.scanned',
  'release.publish-approved': 'release.published',
  'release.request-changes': 'release.changes-requested',
  'release.reject': 'release.rejected',
  'release.deprecate': 'release.deprecated',
  'release.undeprecate': 'release.undeprecated',
  'release.yank': 'release.yanked',
  'release.takedown': 'release.taken-down',
  'release.restore': 'release.restored',
};
/** Of which operators hear whose installations run it. */
const CONCERNING_OPERATORS: ReadonlySet<EventType> = new Set<EventType>([
  'release.deprecated',
  'release.undeprecated',
  'release.yanked',
  'release.taken-down',
  'release.restored',
]);
/** By action: what the operator hears, and what the publisher hears of it without who it was. */
const INSTALLATION_EVENTS: Readonly<Record<string, readonly [EventType, EventType | null]>> = {
  'installation.installed': ['installation.installed', 'plugin.installed'],
  'installation.updated': ['installation.updated', 'plugin.updated'],
  'installation.rolled-back': ['installation.rolled-back', 'plugin.rolled-back'],
  'installation.uninstalled': ['installation.uninstalled', 'plugin.uninstalled'],
  'installation.restored': ['installation.restored', 'plugin.installed'],
  'installation.enabled': ['installation.enabled', null],
  'installation.disabled': ['installation.disabled', null],
  'installation.update-waiting': ['installation.update-waiting', null],
  'installation.update-failed': ['installation.update-failed', null],
  'installation.canary-started': ['installation.canary-started', null],
  'installation.canary-promoted': ['installation.canary-promoted', 'plugin.updated'],
  'installation.canary-rolled-back': ['installation.canary-halted', 'plugin.rollout-halted'],
  'installation.solitary': ['installation.isolated', null],
  'installation.suspended': ['installation.suspended', 'plugin.suspended'],
  'installation.resume': ['installation.resumed', null],
};
const STAGING_EVENTS: Readonly<Record<string, EventType>> = {
  'staging.begin': 'rollout.advanced',
  'staging.advance': 'rollout.advanced',
  'staging.halt': 'rollout.halted',
  'staging.resume': 'rollout.resumed',
  'staging.finish': 'rollout.finished',
  'staging.roll-back': 'rollout.rolled-back',
};
const KEY_EVENTS: Readonly<Record<string, EventType>> = {
  'key.register': 'key.registered',
  'key.rotate': 'key.rotated',
  'key.revoke': 'key.revoked',
};
/** After these it runs what the entry says, whatever it runs by the time that this is read. */
const MOVES = new Set<EventType>([
  'installation.installed',
  'installation.updated',
  'installation.rolled-back',
  'installation.canary-promoted',
]);
const SHOWN_MAX = 100;

/** Actions that become events: nothing else of the trail is looked at. */
export const TOLD_ACTIONS: readonly string[] = [
  ...Object.keys(RELEASE_EVENTS),
  'release.approve',
  'release.import',
  ...Object.keys(INSTALLATION_EVENTS),
  ...Object.keys(STAGING_EVENTS),
  ...Object.keys(KEY_EVENTS),
  'rating.write',
  'rating.reply',
  'webhook.pause',
];

/** What whom an entry concerns is told; mostly nothing. */
export async function eventsOfEntry(entry: ToldEntry, facts: EntryFacts): Promise<NewFeedEvent[]> {
  if (entry.outcome !== 'done') return [];
  const { organisationId, subject } = entry;
  const after = (entry.after ?? {}) as After;
  // An import says what it brought.
  const action = entry.action === 'release.import' ? textOf(after.event) : entry.action;
  const release = action === 'release.approve' ? approved(after) : RELEASE_EVENTS[action];
  if (release !== undefined) return releaseEvents(release, subject.id, after, await facts.release(subject.id));
  const installation = INSTALLATION_EVENTS[action];
  if (installation !== undefined) {
    return installationEvents(installation, subject.id, after, await facts.installation(subject.id));
  }
  if (action.startsWith('rating.')) return ratingEvents(action, subject.id, await facts.rating(subject.id));
  if (organisationId === null) return [];
  const rollout = STAGING_EVENTS[action];
  if (rollout !== undefined) {
    const { plugin, version, percent, reason } = after;
    const named = { plugin: textOf(plugin), release: textOf(version) };
    return [{ organisationId, type: rollout, payload: { ...named, percent: Number(percent), reason: textOf(reason) } }];
  }
  const key = KEY_EVENTS[action];
  if (key !== undefined) {
    const payload = { keyId: subject.id, ...(key === 'key.revoked' && revoked(after)) };
    return [{ organisationId, type: key, payload }];
  }
  if (action !== 'webhook.pause') return [];
  const payload = { endpointId: subject.id, failingSince: textOf(after.failingSince) };
  return [{ organisationId, type: 'webhook.paused', payload }];
}

const approved = ({ state }: After): EventType => (state === 'approved' ? 'release.approved' : 'release.published');

const revoked = ({ compromisedSince, blockedReleases }: After) => ({
  compromisedSince: typeof compromisedSince === 'string' ? compromisedSince : null,
  blockedReleases: Number(blockedReleases ?? 0),
});

const textOf = (value: unknown): string => (typeof value === 'string' ? value : '');

function releaseEvents(type: EventType, releaseId: string, after: After, facts: ReleaseFacts | null): NewFeedEvent[] {
  if (facts === null) return [];
  const { publisherId, plugin, version, digest, installations } = facts;
  const payload = { releaseId, plugin, release: version, digest, ...detailsOf(type, after) };
  const told: NewFeedEvent[] = [{ organisationId: publisherId, type, payload }];
  if (!CONCERNING_OPERATORS.has(type)) return told;
  for (const [operatorId, own] of Map.groupBy(installations, (each) => each.operatorId)) {
    const shown = own.slice(0, SHOWN_MAX).map(({ id, slug }) => ({ id, slug }));
    told.push({ organisationId: operatorId, type, payload: { ...payload, installations: shown } });
  }
  return told;
}

function detailsOf(type: EventType, after: After): { [name: string]: Json } {
  const { reason, replacement, reasons, verdict, findings } = after;
  switch (type) {
    case 'release.scanned':
      return { verdict: textOf(verdict), findings: Number(findings ?? 0) };
    case 'release.changes-requested':
    case 'release.rejected':
      // Reasons that were too long for the trail are in it as their digest; the review has them.
      return { reasons: Array.isArray(reasons) ? (reasons as Json[]) : [] };
    case 'release.deprecated':
    case 'release.yanked':
      return { reason: textOf(reason), replacement: typeof replacement === 'string' ? replacement : null };
    case 'release.taken-down':
      return { reason: textOf(reason) };
    default:
      return {};
  }
}

function installationEvents(
  [forOperator, forPublisher]: readonly [EventType, EventType | null],
  installationId: string,
  after: After,
  facts: InstallationFacts | null,
): NewFeedEvent[] {
  if (facts === null) return [];
  const { operatorId, pseudonym, publisherId, slug, plugin, version, installations } = facts;
  const versionOf = (name: string) => (typeof after[name] === 'string' ? (after[name] as string) : null);
  const [from, to] = [versionOf('fromVersion'), versionOf('toVersion')];
  const halted = forOperator === 'installation.canary-halted';
  // What was dropped is where the calls come from.
  const dropped = halted ? from : to;
  const moved = {
    ...(!halted && from !== null && { fromRelease: from }),
    ...(dropped !== null && { toRelease: dropped }),
  };
  const release = (MOVES.has(forOperator) ? to : null) ?? version;
  const own: NewFeedEvent = {
    organisationId: operatorId,
    type: forOperator,
    payload: {
      ...{ installationId, slug, plugin, release },
      ...moved,
      ...(halted && { by: textOf(after.by) }),
    },
  };
  if (forPublisher === null) return [own];
  const known = {
    ...{ plugin, release, operator: pseudonym, installations },
    ...(moved.fromRelease !== undefined && { fromRelease: moved.fromRelease }),
    ...(halted && dropped !== null && { toRelease: dropped }),
  };
  return [own, { organisationId: publisherId, type: forPublisher, payload: known }];
}

function ratingEvents(action: string, ratingId: string, facts: RatingFacts | null): NewFeedEvent[] {
  if (facts === null) return [];
  const { publisherId, organisationId, plugin, stars } = facts;
  return action === 'rating.write'
    ? [{ organisationId: publisherId, type: 'rating.written', payload: { ratingId, plugin, stars } }]
    : [{ organisationId, type: 'rating.replied', payload: { ratingId, plugin } }];
}
