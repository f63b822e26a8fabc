import { createHash } from 'node:crypto';
import { ACCESS, type Access, type Manifest, routeKey } from '../../../plugins-sdk/contract/index.ts';

/** One thing in which a release differs from the one before. */
export interface ReleaseChange {
  /** The field of the manifest, such as `routes`. */
  part: string;
  /** `widened`: what was there before reaches further now. */
  change: 'added' | 'removed' | 'widened' | 'changed';
  /** What it is called, such as `kv` or `GET /orders/:id`; the name of the part where it has no members. */
  name: string;
  /** As the older release has it, in words; null where it has none. */
  from: string | null;
  to: string | null;
  /** The operator has to agree before the release may run. */
  needsConsent: boolean;
}

export interface ReleaseDiff {
  fromVersion: string;
  toVersion: string;
  changes: ReleaseChange[];
  needsConsent: boolean;
  /** SHA-256 of all this, lower-case hex: who consents says to what. */
  digest: string;
}

/** Of no consequence for what a plugin may do: these may change as they like. */
const HARMLESS = new Set([
  '$schema',
  'name',
  'version',
  'publisher',
  'title',
  'description',
  'category',
  'entry',
  'engine',
  'listing',
]);
/** These have rules of their own below. */
const RULED = new Set([
  'capabilities',
  'routes',
  'hooks',
  'schedule',
  'queues',
  'personal',
  'limits',
  'config',
  'pricing',
]);

/**
 * What a release changes for the operator, who has granted `grants`. More capabilities than were granted, routes that let in
 * whom they kept out, another price, and anything new in a part of the manifest that has no rule here need consent.
 */
export function compareReleases(from: Manifest, to: Manifest, grants: readonly string[]): ReleaseDiff {
  const changes = [
    ...capabilityChanges(from, to, grants),
    ...routeChanges(from, to),
    ...memberChanges('hooks', from.hooks, to.hooks, false),
    ...memberChanges('schedule', from.schedule?.map(jobText), to.schedule?.map(jobText), false),
    ...memberChanges('queues', from.queues?.map(text), to.queues?.map(text), false),
    ...personalChanges(from, to),
    ...wholeChange('limits', from.limits, to.limits, false),
    ...wholeChange('config', from.config, to.config, false),
    ...wholeChange('pricing', from.pricing, to.pricing, priceText(from) !== priceText(to)),
    ...otherChanges(from, to),
  ];
  const compared = { fromVersion: from.version, toVersion: to.version, changes };
  return {
    ...compared,
    needsConsent: changes.some(({ needsConsent }) => needsConsent),
    digest: createHash('sha256').update(JSON.stringify(compared)).digest('hex'),
  };
}

function capabilityChanges(from: Manifest, to: Manifest, grants: readonly string[]): ReleaseChange[] {
  const text = (capability: { optional?: boolean }) => (capability.optional ? 'optional' : 'required');
  const before = new Map((from.capabilities ?? []).map((each) => [each.name as string, each]));
  const after = new Map((to.capabilities ?? []).map((each) => [each.name as string, each]));
  const entries = [...after].map(([name, capability]): ReleaseChange => {
    const known = before.get(name);
    return {
      part: 'capabilities',
      change: known === undefined ? 'added' : 'changed',
      name,
      from: known === undefined ? null : text(known),
      to: known === undefined ? `${text(capability)}: ${capability.reason}` : text(capability),
      // Optional ones run without a grant, and nobody has granted them.
      needsConsent: !capability.optional && !grants.includes(name),
    };
  });
  const removed = [...before].filter(([name]) => !after.has(name));
  return [
    ...entries.filter(({ from, to, needsConsent }) => needsConsent || from !== to),
    ...removed.map(([name, capability]) => gone('capabilities', name, text(capability))),
  ];
}

type Route = NonNullable<Manifest['routes']>[number];
/** Wider is larger. */
const openness = (access: Access): number => ACCESS.length - ACCESS.indexOf(access);
/** Routes are the same whatever their parameters are called. */
const placeOf = ({ method, path }: Route): string => `${method} ${path.replace(/:[A-Za-z0-9]+/g, ':')}`;

/** Whether some request fits both. HEAD is answered by GET. */
function overlap(a: Route, b: Route): boolean {
  const methods = (route: Route) => (route.method === 'GET' ? ['GET', 'HEAD'] : [route.method as string]);
  const [left, right] = [a.path.split('/'), b.path.split('/')];
  return (
    methods(a).some((method) => methods(b).includes(method)) &&
    left.length === right.length &&
    left.every((part, at) => part === right[at] || part.startsWith(':') || right[at]!.startsWith(':'))
  );
}

function routeChanges(from: Manifest, to: Manifest): ReleaseChange[] {
  const before = from.routes ?? [];
  const after = to.routes ?? [];
  const find = (routes: Route[], wanted: Route) => routes.find((route) => placeOf(route) === placeOf(wanted));
  /** Requests that only a narrower route answered may reach this one now. */
  const takesOver = (route: Route) =>
    before.find((old) => {
      if (openness(old.access) >= openness(route.access) || !overlap(old, route)) return false;
      const both = find(before, route);
      const still = find(after, old);
      const asBefore = both !== undefined && openness(both.access) >= openness(route.access);
      return !(asBefore && still !== undefined && openness(still.access) <= openness(old.access));
    });
  const entries = after.flatMap((route): ReleaseChange[] => {
    const known = find(before, route);
    const narrower = takesOver(route);
    const entry = { part: 'routes', name: routeKey(route), to: route.access };
    if (narrower)
      return [{ ...entry, change: 'widened', from: `${routeKey(narrower)} ${narrower.access}`, needsConsent: true }];
    if (known === undefined)
      return [{ ...entry, change: 'added', from: null, needsConsent: route.access === 'public' }];
    return known.access === route.access
      ? []
      : [{ ...entry, change: 'changed', from: known.access, needsConsent: false }];
  });
  const removed = before.filter((route) => find(after, route) === undefined);
  return [...entries, ...removed.map((route) => gone('routes', routeKey(route), route.access))];
}

/** What is no longer personal is recorded as it is. */
const personalChanges = (from: Manifest, to: Manifest): ReleaseChange[] =>
  memberChanges('personal', from.personal, to.personal, false).map((change) => ({
    ...change,
    needsConsent: change.change === 'removed',
  }));

const jobText = ({ name, cron }: { name: string; cron: string }): string => `${name} (${cron})`;
const priceText = ({ pricing }: Manifest): string => canonical(pricing ?? { model: 'free' });

/** New parts of the manifest are compared here without a rule of their own: what is added to one needs consent. */
function otherChanges(from: Manifest, to: Manifest): ReleaseChange[] {
  const ruled = (name: string) => HARMLESS.has(name) || RULED.has(name);
  const names = [...new Set([...Object.keys(from), ...Object.keys(to)])].sort();
  return names
    .filter((name) => !ruled(name))
    .flatMap((name) => partChanges(name, (from as Members)[name], (to as Members)[name]));
}

type Members = Record<string, unknown>;

function partChanges(part: string, from: unknown, to: unknown): ReleaseChange[] {
  if (isListOrAbsent(from) && isListOrAbsent(to)) return listChanges(part, from, to);
  if (!isRecordOrAbsent(from) || !isRecordOrAbsent(to)) return wholeChange(part, from, to, to !== undefined);
  const names = [...new Set([...Object.keys(from ?? {}), ...Object.keys(to ?? {})])].sort();
  return names.flatMap((name) => partChanges(`${part}.${name}`, from?.[name], to?.[name]));
}

/** Members that are records go by their name, so that a change of one shows as that. */
function listChanges(part: string, from: unknown[] = [], to: unknown[] = []): ReleaseChange[] {
  const nameOf = (member: unknown) => {
    const { name, topic, plugin } = (member ?? {}) as Members;
    return [name, topic, plugin].find((each) => typeof each === 'string') as string | undefined;
  };
  return memberChanges(part, from.map(text), to.map(text), true).map((change) => {
    const member = (change.change === 'added' ? to : from).find((each) => text(each) === change.name);
    return { ...change, name: nameOf(member) ?? change.name };
  });
}

const isRecordOrAbsent = (value: unknown): value is Members | undefined =>
  value === undefined || (typeof value === 'object' && value !== null && !Array.isArray(value));
const isListOrAbsent = (value: unknown): value is unknown[] | undefined => value === undefined || Array.isArray(value);
const text = (value: unknown): string => (typeof value === 'string' ? value : canonical(value));
const gone = (part: string, name: string, from: string): ReleaseChange => ({
  part,
  change: 'removed',
  name,
  from,
  to: null,
  needsConsent: false,
});

function memberChanges(
  part: string,
  from: readonly string[] = [],
  to: readonly string[] = [],
  needsConsent: boolean,
): ReleaseChange[] {
  const added = to.filter((name) => !from.includes(name));
  const removed = from.filter((name) => !to.includes(name));
  return [
    ...added.map((name): ReleaseChange => ({ part, change: 'added', name, from: null, to: name, needsConsent })),
    ...removed.map((name) => gone(part, name, name)),
  ];
}

function wholeChange(part: string, from: unknown, to: unknown, needsConsent: boolean): ReleaseChange[] {
  const [before, after] = [from, to].map((value) => (value === undefined ? null : canonical(value)));
  if (before === after) return [];
  const change = before === null ? 'added' : after === null ? 'removed' : 'changed';
  return [{ part, change, name: part, from: before!, to: after!, needsConsent }];
}

/** JSON whose members are in order: manifests are stored by a database that orders them as it likes. */
function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const members = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${members.map(([name, member]) => `${JSON.stringify(name)}:${canonical(member)}`).join(',')}}`;
}
