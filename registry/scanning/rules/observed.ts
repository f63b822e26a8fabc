import { FAMILIES } from './families.ts';
import type { DynamicReport, Finding } from './scan-report.ts';
import { shownText } from './shown-text.ts';

/** What a run showed that the manifest does not say. */
export function observedFindings(dynamic: DynamicReport | null): Finding[] {
  const finding = (severity: Finding['severity'], explanation: string, evidence = ''): Finding => ({
    family: evidence === '' ? 'incomplete' : 'undeclared',
    severity,
    place: null,
    explanation,
    fix: FAMILIES[evidence === '' ? 'incomplete' : 'undeclared'].fix,
    evidence,
  });
  if (dynamic === null)
    return [finding('medium', 'It could not be run in the sandbox, so only its code was looked at.')];
  if (!dynamic.started)
    return [finding('high', 'Its code does not start in the sandbox, so only its code was looked at.')];
  const { entries, skipped = 0 } = dynamic;
  const left = `Only ${entries} of its ${entries + skipped} handlers were run: the others are too many, or those before them too slow.`;
  return [
    ...(skipped > 0 ? [finding('medium', left)] : []),
    ...dynamic.undeclaredHosts.map((host) =>
      finding(
        'high',
        `When it ran, it wanted to reach ${shownText(host)}, which the manifest does not declare.`,
        shownText(host),
      ),
    ),
    ...dynamic.undeclaredCapabilities.map((name) =>
      finding('medium', `When it ran, it called the capability "${name}", which the manifest does not declare.`, name),
    ),
  ];
}
