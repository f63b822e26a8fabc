import type { Installation } from '../../host/installations/contract.ts';
import type { ReleaseChange } from '../../host/rollouts/rules/compare-releases.ts';
import { periodText } from './read-period.ts';
import { oneLine, type Paint } from './terminal.ts';

/** Which release answers, and what is under way: `1.2.0 (follows ^1), canary 1.3.0 at 10 %`. */
export function releaseText({ version, updates: { follows, delaySeconds, canary, waiting } }: Installation): string {
  const after = delaySeconds > 0 ? ` after ${periodText(delaySeconds)}` : '';
  const parts = [`${version} (${follows === null ? 'pinned' : `follows ${follows}${after}`})`];
  if (canary) parts.push(`canary ${canary.version} at ${canary.percent} %`);
  if (waiting) parts.push(oneLine(`${waiting.version} waits: ${waiting.reason}`));
  return parts.join(', ');
}

/** A line for each change of a diff; what needs consent stands out. */
export function diffText(paint: Paint, changes: ReleaseChange[]): string {
  if (changes.length === 0) return 'Nothing changes in what it may do.';
  return changes
    .map(({ part, change, name, from, to, needsConsent }) => {
      const detail = change === 'added' ? to : change === 'removed' ? from : `${from} → ${to}`;
      const sign = change === 'added' ? '+' : change === 'removed' ? '-' : '~';
      const text = `${sign} ${part}: ${name}${detail === null || detail === name ? '' : ` (${detail})`}`;
      return needsConsent ? `${paint('yellow', oneLine(text))}  ${paint('bold', 'needs consent')}` : oneLine(text);
    })
    .join('\n');
}
