/** What can become of a release: one table. The database holds the same, see migrations/0023-create-reviews.ts. */

export const RELEASE_STATES = [
  'draft',
  'scanning',
  'in-review',
  'approved',
  'published',
  'rejected',
  'suspended',
  'deprecated',
  'yanked',
] as const;
export type ReleaseState = (typeof RELEASE_STATES)[number];

/** Who moves a release: its publisher, a moderator, an admin, or the registry by a rule of its own. */
export type Mover = 'publisher' | 'moderator' | 'admin' | 'registry';

export interface Transition {
  event: ReleaseEvent;
  from: ReleaseState;
  to: ReleaseState;
  by: readonly Mover[];
}

export const RELEASE_EVENTS = [
  'submit',
  'scan',
  'approve',
  'publish',
  'request-changes',
  'reject',
  'appeal',
  'deprecate',
  'undeprecate',
  'yank',
  'take-down',
  'restore',
] as const;
export type ReleaseEvent = (typeof RELEASE_EVENTS)[number];

const OWNER: readonly Mover[] = ['publisher', 'moderator'];
const SAFETY: readonly Mover[] = ['moderator', 'admin'];

export const TRANSITIONS: readonly Transition[] = [
  { event: 'submit', from: 'draft', to: 'scanning', by: ['publisher'] },
  { event: 'submit', from: 'draft', to: 'in-review', by: ['publisher'] },
  { event: 'scan', from: 'scanning', to: 'in-review', by: ['registry'] },
  { event: 'approve', from: 'in-review', to: 'approved', by: ['moderator', 'registry'] },
  // Approved and published in one step, where nobody wished to wait.
  { event: 'approve', from: 'in-review', to: 'published', by: ['moderator', 'registry'] },
  { event: 'publish', from: 'approved', to: 'published', by: ['publisher'] },
  { event: 'request-changes', from: 'in-review', to: 'draft', by: ['moderator'] },
  { event: 'reject', from: 'in-review', to: 'rejected', by: ['moderator'] },
  // Found out before its publisher let it out.
  { event: 'reject', from: 'approved', to: 'rejected', by: ['moderator'] },
  { event: 'appeal', from: 'rejected', to: 'in-review', by: ['publisher'] },
  { event: 'deprecate', from: 'published', to: 'deprecated', by: OWNER },
  { event: 'undeprecate', from: 'deprecated', to: 'published', by: OWNER },
  { event: 'yank', from: 'published', to: 'yanked', by: OWNER },
  { event: 'yank', from: 'deprecated', to: 'yanked', by: OWNER },
  { event: 'take-down', from: 'published', to: 'suspended', by: SAFETY },
  { event: 'take-down', from: 'deprecated', to: 'suspended', by: SAFETY },
  { event: 'take-down', from: 'yanked', to: 'suspended', by: SAFETY },
  // It becomes again what it was.
  { event: 'restore', from: 'suspended', to: 'published', by: SAFETY },
  { event: 'restore', from: 'suspended', to: 'deprecated', by: SAFETY },
  { event: 'restore', from: 'suspended', to: 'yanked', by: SAFETY },
];

/** Where this event may lead; empty where it may not happen. Where there are several, whoever moves it chooses. */
export const nextStates = (from: ReleaseState, event: ReleaseEvent, by: Mover): ReleaseState[] =>
  TRANSITIONS.filter((each) => each.from === from && each.event === event && each.by.includes(by)).map(({ to }) => to);

export const mayBecome = (from: ReleaseState, event: ReleaseEvent, by: Mover, to: ReleaseState): boolean =>
  nextStates(from, event, by).includes(to);
