/** What a moderator looks at, in the order of looking. */
export const CHECKLIST_ITEMS = {
  listing: 'Title, description and category say what the plugin does.',
  capabilities: 'Every capability is needed for that, and its reason says for what.',
  hosts: 'Every host that it may reach belongs to that.',
  code: 'The code can be read, and does what the listing says and nothing else.',
  changes: 'What changed since the release before is what its version says.',
  scan: 'Every finding of the scan is explained.',
  'personal-data': 'Personal data is taken only where it is needed, and goes nowhere unsaid.',
  licence: 'Its licence and those of its packages allow this.',
} as const;

export type ChecklistItem = keyof typeof CHECKLIST_ITEMS;
export const ITEMS = Object.keys(CHECKLIST_ITEMS) as ChecklistItem[];
export const VERDICTS = ['fine', 'fault', 'not-applicable'] as const;

export interface Check {
  verdict: (typeof VERDICTS)[number];
  note: string | null;
}
export type Checklist = Partial<Record<ChecklistItem, Check>>;
export type CheckWish = Partial<Record<ChecklistItem, { verdict: Check['verdict']; note?: string }>>;

/** What keeps a release from being approved: faults, and where somebody began the list, what is left of it. */
export const openItems = (checklist: Checklist): ChecklistItem[] =>
  Object.keys(checklist).length === 0 ? [] : ITEMS.filter((item) => (checklist[item]?.verdict ?? 'fault') === 'fault');
