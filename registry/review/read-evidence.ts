import { RegistryRefusal } from '../errors.ts';
import { storedText } from '../rules/stored-text.ts';
import type { Evidence, ReasonWish, ReviewReason } from './contract.ts';

const TEXT_CHARS_MAX = 200;

/**
 * Reasons with what stands in the archive where they point, so that nobody has to take a moderator's word for it.
 * Refuses with: review-evidence-invalid (all that is wrong at once).
 */
export async function withEvidence(
  wishes: readonly ReasonWish[],
  filesOf: () => Promise<Map<string, Buffer>>,
): Promise<ReviewReason[]> {
  const asked = wishes.some(({ evidence = [] }) => evidence.length > 0);
  const files = asked ? await filesOf() : new Map<string, Buffer>();
  const faults: string[] = [];
  const read = ({ file, line }: { file: string; line?: number }): Evidence => {
    const bytes = files.get(file);
    if (bytes === undefined) faults.push(`The archive has no file ${JSON.stringify(file.slice(0, 120))}.`);
    if (bytes === undefined || line === undefined) return { file, line: null, text: null };
    const lines = bytes.toString('utf8').split('\n');
    const text = lines[line - 1];
    if (text === undefined) faults.push(`${file} has ${lines.length} lines, not ${line}.`);
    return { file, line, text: text === undefined ? null : storedText(text).slice(0, TEXT_CHARS_MAX).toWellFormed() };
  };
  const reasons = wishes.map(({ code, message, evidence = [] }) => ({
    code,
    message: storedText(message),
    evidence: evidence.map(read),
  }));
  if (faults.length > 0) throw new RegistryRefusal('review-evidence-invalid', faults.join(' '), { faults });
  return reasons;
}
