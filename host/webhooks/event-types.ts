import { type TObject, type TProperties, Type } from 'typebox';

/** Whose matter an event is: one of a type may reach either side, or both. */
export type EventSide = 'publisher' | 'operator';

export interface EventTypeSpec {
  /** Raised when a member goes or changes its meaning; members that come raise nothing. */
  version: number;
  sides: readonly EventSide[];
  what: string;
  payload: TObject;
}

const Id = Type.String({ format: 'uuid' });
const Timestamp = Type.String({ format: 'date-time' });
const Text = Type.Union([Type.String(), Type.Null()]);
const Count = Type.Integer({ minimum: 0 });

const release = {
  releaseId: Id,
  plugin: Type.String({ description: '`<publisher>/<name>`.' }),
  release: Type.String({ description: 'Its version.' }),
  digest: Type.String({ pattern: '^[0-9a-f]{64}$' }),
};
/** Operators are told which of theirs are concerned. */
const concerned = {
  installations: Type.Optional(
    Type.Array(Type.Object({ id: Id, slug: Type.String() }), {
      description: 'Operators only: your installations that run it, at most 100.',
    }),
  ),
};
const elsewhere = {
  plugin: release.plugin,
  release: Type.String({ description: 'The version that is installed.' }),
  fromRelease: Type.Optional(Type.String({ description: 'The version before.' })),
  operator: Type.String({
    pattern: '^op_[0-9a-f]{20}$',
    description: 'A pseudonym, the same for you each time, and another for every other publisher.',
  }),
  installations: { ...Count, description: "Of the plugin, everybody's, by now." },
};
const installation = {
  installationId: Id,
  slug: Type.String(),
  plugin: release.plugin,
  release: Type.String({ description: 'The version that is installed.' }),
  fromRelease: Type.Optional(Type.String()),
  toRelease: Type.Optional(Type.String()),
};
const rollout = {
  plugin: release.plugin,
  release: release.release,
  percent: { ...Count, description: 'Of those who follow by themselves.' },
  reason: Type.String(),
};
const key = { keyId: Type.String({ pattern: '^[0-9a-f]{64}$' }) };

const spec = (
  sides: EventSide | readonly EventSide[],
  what: string,
  payload: TProperties,
  version = 1,
): EventTypeSpec => ({
  version,
  sides: typeof sides === 'string' ? [sides] : sides,
  what,
  payload: Type.Object(payload),
});
const both = ['publisher', 'operator'] as const;

/** Every type there is. docs/events.md is made from this. */
export const EVENT_TYPES = {
  'release.submitted': spec('publisher', 'A release was published, and waits to be scanned or reviewed.', release),
  'release.scanned': spec('publisher', 'The scan of a release has ended; it is in review.', {
    ...release,
    verdict: Type.String(),
    findings: Count,
  }),
  'release.approved': spec('publisher', 'A release was approved and is held until you publish it.', release),
  'release.published': spec('publisher', 'A release can be installed by everybody.', release),
  'release.changes-requested': spec('publisher', 'A moderator asks for changes.', {
    ...release,
    reasons: Type.Array(Type.Object({ code: Type.String(), message: Type.String() })),
  }),
  'release.rejected': spec('publisher', 'A release was rejected.', {
    ...release,
    reasons: Type.Array(Type.Object({ code: Type.String(), message: Type.String() })),
  }),
  'release.deprecated': spec(both, 'A release should not be used any more.', {
    ...release,
    ...concerned,
    reason: Type.String(),
    replacement: Text,
  }),
  'release.undeprecated': spec(both, 'A release is not deprecated any more.', { ...release, ...concerned }),
  'release.yanked': spec(both, 'A release was taken back by its publisher: it is not installed anew.', {
    ...release,
    ...concerned,
    reason: Type.String(),
    replacement: Text,
  }),
  'release.taken-down': spec(both, 'A release was taken down: it runs nowhere any more.', {
    ...release,
    ...concerned,
    reason: Type.String(),
  }),
  'release.restored': spec(both, 'A release that was taken down runs again.', { ...release, ...concerned }),
  'rollout.advanced': spec('publisher', 'A release that comes in stages has begun, or reached the next one.', rollout),
  'rollout.halted': spec('publisher', 'A release comes to nobody else: it did worse, or you stopped it.', rollout),
  'rollout.resumed': spec('publisher', 'A release that was halted goes on.', rollout),
  'rollout.finished': spec('publisher', 'A release has come to all who follow.', rollout),
  'rollout.rolled-back': spec('publisher', 'A release is taken back from those who follow.', rollout),
  'plugin.installed': spec('publisher', 'An operator has installed a plugin of yours.', elsewhere),
  'plugin.uninstalled': spec('publisher', 'An operator has uninstalled a plugin of yours.', elsewhere),
  'plugin.updated': spec('publisher', 'An installation of a plugin of yours runs another release.', elsewhere),
  'plugin.rolled-back': spec('publisher', 'An operator went back to an earlier release.', elsewhere),
  'plugin.rollout-halted': spec('publisher', 'A canary was dropped: the release did worse than the one before.', {
    ...elsewhere,
    toRelease: Type.Optional(Type.String({ description: 'The version that was dropped.' })),
  }),
  'plugin.suspended': spec('publisher', 'An installation was suspended: it broke its sandbox too often.', elsewhere),
  'key.registered': spec('publisher', 'A signing key was registered.', key),
  'key.rotated': spec('publisher', 'A signing key is being replaced.', key),
  'key.revoked': spec('publisher', 'A signing key was revoked.', {
    ...key,
    compromisedSince: Text,
    blockedReleases: Count,
  }),
  'rating.written': spec('publisher', 'Somebody rated a plugin of yours, or changed their rating.', {
    ratingId: Id,
    plugin: release.plugin,
    stars: Type.Integer({ minimum: 1, maximum: 5 }),
  }),
  'rating.replied': spec('operator', 'The publisher has replied to your rating.', {
    ratingId: Id,
    plugin: release.plugin,
  }),
  'installation.installed': spec('operator', 'A plugin was installed.', installation),
  'installation.updated': spec('operator', 'An installation runs another release.', installation),
  'installation.rolled-back': spec('operator', 'An installation went back to an earlier release.', installation),
  'installation.uninstalled': spec('operator', 'An installation was removed.', installation),
  'installation.restored': spec('operator', 'An installation that was removed is there again.', installation),
  'installation.enabled': spec('operator', 'An installation was enabled.', installation),
  'installation.disabled': spec('operator', 'An installation was disabled.', installation),
  'installation.update-waiting': spec('operator', 'An update waits for your consent.', installation),
  'installation.update-failed': spec('operator', 'An update was not possible.', installation),
  'installation.canary-started': spec('operator', 'Another release answers a share of the calls.', installation),
  'installation.canary-promoted': spec('operator', 'The canary answers all calls.', installation),
  'installation.canary-halted': spec('operator', 'The canary was dropped.', {
    ...installation,
    by: Type.String({ description: '`judge`: by the host, because it did worse.' }),
  }),
  'installation.isolated': spec('operator', 'An installation runs alone: it broke its sandbox.', installation),
  'installation.suspended': spec('operator', 'An installation was suspended: it is not run any more.', installation),
  'installation.resumed': spec('operator', 'A suspended installation runs again.', installation),
  'webhook.paused': spec(both, 'An endpoint failed for days; nothing is sent to it until you enable it.', {
    endpointId: Id,
    failingSince: Timestamp,
  }),
} as const satisfies Record<string, EventTypeSpec>;

export type EventType = keyof typeof EVENT_TYPES;
export const EVENT_TYPE_NAMES = Object.keys(EVENT_TYPES) as EventType[];
