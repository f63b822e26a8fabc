import {
  type DynamicReport,
  FAMILY_FINDINGS_MAX,
  FINDINGS_MAX,
  type Finding,
  type ScanReport,
  SEVERITIES,
  type Verdict,
} from './scan-report.ts';

const rank = ({ severity }: Finding): number => SEVERITIES.indexOf(severity);

/** One finding never decides about a release; it decides whether people may overlook it. */
export function verdictOf(findings: readonly Finding[]): Verdict {
  const worst = findings.reduce((most, finding) => Math.max(most, rank(finding)), -1);
  if (worst >= SEVERITIES.indexOf('high')) return 'second-look';
  return worst >= SEVERITIES.indexOf('low') ? 'notes' : 'clean';
}

export type BoundedFindings = Pick<ScanReport, 'findings' | 'omitted'>;

/**
 * The worst first, otherwise in their order; each family has its bound, so that none drowns the others. `omitted` is how many were left out
 * before.
 */
export function bounded(findings: readonly Finding[], omitted = 0): BoundedFindings {
  const count = new Map<string, number>();
  const sorted = [...findings].sort((one, other) => rank(other) - rank(one));
  const kept = sorted.filter(({ family }) => {
    const before = count.get(family) ?? 0;
    count.set(family, before + 1);
    return before < FAMILY_FINDINGS_MAX;
  });
  const shown = kept.slice(0, FINDINGS_MAX);
  return { findings: shown, omitted: omitted + findings.length - shown.length };
}

/** Of what the code and the run showed. */
export function reportOf(
  { findings, omitted }: BoundedFindings,
  observed: readonly Finding[],
  dynamic: DynamicReport | null,
): ScanReport {
  const all = [...findings, ...observed];
  return { verdict: verdictOf(all), ...bounded(all, omitted), dynamic };
}
