import { compareVersions } from '../../rules/version.ts';
import type { ReleaseComparison, ScanFinding } from './compare-with-previous.ts';

export interface AutomaticCase {
  /** Whether an admin trusts its publisher with patches. */
  trusted: boolean;
  /** Of the round: what was rejected or sent back is for people. */
  round: number;
  version: string;
  comparison: ReleaseComparison;
  /** Of this release; null: not scanned. */
  findings: readonly ScanFinding[] | null;
}

/** Parts of a manifest that a patch may change; whatever else there is or will be is for people. */
const FREE_PARTS = ['$schema', 'entry'];
/** Said in words of their own. */
const NAMED_PARTS = ['capabilities', 'fetchHosts', 'secrets', 'routes', 'hooks'];

/** Harmless however many there are. */
const QUIET_SEVERITIES = ['info', 'note'];

/** Why a release is for people to judge, each as a sentence; empty: it may be approved by this rule alone. */
export function againstAutomatic({ trusted, round, version, comparison, findings }: AutomaticCase): string[] {
  const { previousVersion, manifest, capabilities, hosts, secrets, routes, hooks } = comparison;
  const named = [capabilities, hosts, secrets, routes, hooks].some((names) => names.added.length > 0);
  const changed = manifest.filter((part) => !FREE_PARTS.includes(part) && !(named && NAMED_PARTS.includes(part)));
  const added = (what: string, names: string[]) =>
    names.length === 0 ? [] : [`It has new ${what}: ${names.join(', ')}.`];
  const loud = findings?.filter(({ severity }) => !QUIET_SEVERITIES.includes(severity)) ?? [];
  return [
    ...(trusted ? [] : ['Its publisher is not trusted with patches.']),
    ...(round === 1 ? [] : ['It has been before the moderators already.']),
    ...(previousVersion === null
      ? ['No release of the plugin was published before.']
      : isPatchOf(previousVersion, version)
        ? []
        : [`${version} is no patch of ${previousVersion}.`]),
    ...(previousVersion === null || changed.length === 0 ? [] : [`Its manifest changes ${changed.join(', ')}.`]),
    ...added('capabilities', capabilities.added),
    ...added('hosts', hosts.added),
    ...added('secrets', secrets.added),
    ...added('routes', routes.added),
    ...added('hooks', hooks.added),
    ...(findings === null ? ['It has not been scanned.'] : []),
    ...(loud.length === 0 ? [] : [`The scan found ${[...new Set(loud.map(({ id }) => id))].join(', ')}.`]),
  ];
}

/** 1.2.4 is one of 1.2.3; neither is a pre-release. */
export function isPatchOf(before: string, after: string): boolean {
  if (before.includes('-') || after.includes('-')) return false;
  const line = (version: string) => version.split('.').slice(0, 2).join('.');
  return line(before) === line(after) && compareVersions(after, before) > 0;
}
