import type { Json } from '../../plugins-sdk/contract/index.ts';
import type { InstallationLogEntry } from '../installations/contract.ts';
import type { NotificationKind } from '../notifications/contract.ts';
import type { Strike } from './contract.ts';
import type { ConductRules, Standing, Verdict } from './rules/standing.ts';

/** What conduct is told about in words: the same in the log, in notifications, in the API. Nothing of it is by the plugin. */

export interface Place {
  installationId: string;
  operator: { id: string; slug: string };
  publisher: { id: string; slug: string };
  /** Of the installation. */
  slug: string;
  plugin: string;
  version: string;
}

export type Line = Pick<InstallationLogEntry, 'level' | 'message' | 'facts' | 'invocationId'>;

export interface Message {
  kind: NotificationKind;
  subject: string;
  body: string;
  facts: Json;
}

const DEATHS: Record<string, string> = {
  overdue: 'could not be interrupted, so its sandbox process was killed',
  aborted: 'crashed its sandbox process',
  overgrown: 'took more memory than a sandbox process may have, so that was killed',
};

/** `cpu-limit (cpuMs: 50 allowed, 312 used)`; empty where the invocation had ended before its cordon did. */
function faultText({ fault }: Strike): string {
  if (fault === undefined) return '';
  const { code, limit, allowed, used } = fault;
  return limit === undefined ? code : `${code} (${limit}: ${allowed} allowed, ${Math.round(used ?? 0)} used)`;
}

const deathText = (strike: Strike): string => {
  const fault = faultText(strike);
  const death = DEATHS[strike.death] ?? 'ended its sandbox process';
  return fault === '' ? `It ${death}.` : `It ${death}: ${fault}.`;
};

const times = (count: number) => (count === 1 ? '1 time' : `${count} times`);
const rounded = (score: number) => Math.round(score * 1_000) / 1_000;

/** Why an installation is where its strikes have led it. */
export const reasonOf = (strike: Strike, { strikes, score }: Standing): string =>
  `Its invocations have broken their sandbox process ${times(strikes)} (score ${rounded(score)}). The last one, ` +
  `${strike.invocationId}: ${deathText(strike)}`;

/** The lines of one strike: what happened, and what it led to. */
export function strikeLines(strike: Strike, standing: Standing, verdict: Verdict): Line[] {
  const { invocationId, death, exit, fault, digest } = strike;
  const { strikes } = standing;
  const score = rounded(standing.score);
  const broken = fault && { code: fault.code, limit: fault.limit, allowed: fault.allowed, used: fault.used };
  const facts = {
    event: 'strike',
    strikes,
    score,
    death,
    exit,
    ...(broken && { fault: broken }),
    bundleDigest: digest,
  };
  const line = (message: string, event: string): Line => ({
    invocationId,
    level: 'error',
    message,
    facts: { event, strikes, score },
  });
  const struck: Line = {
    invocationId,
    level: 'warn',
    message: `Strike ${strikes}: the invocation's turn ended its sandbox process. ${deathText(strike)}`,
    facts: facts as unknown as Json,
  };
  if (verdict === 'solitary') return [struck, line('From now on the installation runs alone.', 'solitary')];
  if (verdict === 'suspended') {
    return [struck, line('The installation is suspended; its operator can resume it: gate resume.', 'suspended')];
  }
  return [struck];
}

export const leftLine: Line = {
  invocationId: '',
  level: 'info',
  message: 'The installation shares a sandbox process again: its strikes have been forgotten.',
  facts: { event: 'solitary-left' },
};

export const resumedLine: Line = {
  invocationId: '',
  level: 'warn',
  message: 'The operator has resumed the installation. It runs alone for a while.',
  facts: { event: 'resumed' },
};

const hoursText = (ms: number): string => {
  const minutes = Math.max(1, Math.round(ms / 60_000));
  return minutes % 60 === 0 ? `${minutes / 60} h` : `${minutes} min`;
};

function message(place: Place, kind: NotificationKind, state: string, body: string[], more: object = {}): Message {
  const { installationId, operator, slug, plugin, version } = place;
  return {
    kind,
    subject: `${plugin}@${version} at ${operator.slug}/${slug} ${state}`,
    body: body.join('\n'),
    facts: { installationId, operator: operator.slug, slug, plugin, version, ...more },
  };
}

const ADVICE = [
  'Publisher: the log of the installation names the invocations, their limits and frames; split long built-in operations',
  '(huge sorts, fills, big integers) into steps, and publish a release that does.',
].join(' ');

/** Null where a strike leads to nothing that somebody must know at once. */
export function verdictMessage(
  place: Place,
  reason: string,
  verdict: Verdict,
  { halfLifeMs }: ConductRules,
): Message | null {
  const log = `Log: gate logs ${place.installationId}`;
  if (verdict === 'solitary') {
    return message(
      place,
      'installation-solitary',
      'runs alone',
      [
        reason,
        'It now has a sandbox process of its own, where it harms nobody else; its callers see no more than a slower start.',
        `A strike counts half after ${hoursText(halfLifeMs)}; when enough of them are forgotten it shares a process again.`,
        ADVICE,
        log,
      ],
      { reason },
    );
  }
  if (verdict !== 'suspended') return null;
  return message(
    place,
    'installation-suspended',
    'is suspended',
    [
      reason,
      'It is not run any more: calls, events and schedules are refused with installation-suspended. What it stored is kept.',
      `The operator ${place.operator.slug} can resume it: gate resume ${place.slug}, or POST ` +
        `/v1/installations/${place.installationId}/resume. Updating it to a corrected version first is possible.`,
      ADVICE,
      log,
    ],
    { reason },
  );
}

export const resumedMessage = (place: Place, { halfLifeMs }: ConductRules): Message =>
  message(place, 'installation-resumed', 'runs again', [
    `Its operator has resumed it. Its score starts from zero, and it runs alone for at least ${hoursText(halfLifeMs)}.`,
  ]);
