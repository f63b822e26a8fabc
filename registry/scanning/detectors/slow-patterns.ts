import type { AnyNode } from 'acorn';
// Its other door starts a Java or native process where it finds one.
import recheck from 'recheck/lib/browser.js';
import type { Detector } from './detector.ts';

const PATTERN_MS_MAX = 700;
const ALL_MS_MAX = 8_000;
const PATTERNS_MAX = 400;
const PATTERN_CHARS_MAX = 1_000;

/** Regular expressions of the code. `nowMs` measures what the search for slow texts has taken. */
export const slowPatterns =
  (nowMs: () => number): Detector =>
  ({ code, report }) => {
    const seen = new Set<string>();
    let spentMs = 0;
    const check = (source: string, flags: string, at: number) => {
      const key = `${source}/${flags}`;
      // Only what repeats can be slow.
      if (seen.has(key) || !/[*+{]/.test(source)) return undefined;
      seen.add(key);
      if (source.length > PATTERN_CHARS_MAX || seen.size > PATTERNS_MAX || spentMs > ALL_MS_MAX) {
        return report({
          family: 'incomplete',
          severity: 'medium',
          at,
          explanation: 'This regular expression is too long, or one of too many, to be searched for slow texts.',
        });
      }
      const beganMs = nowMs();
      const found = recheck.checkSync(source, flags.replace(/[dv]/g, ''), {
        timeout: PATTERN_MS_MAX,
        attackTimeout: null,
        checker: 'automaton',
      });
      spentMs += nowMs() - beganMs;
      if (found.status !== 'vulnerable') return undefined;
      const { type, summary } = found.complexity;
      const exponential = type === 'exponential';
      report({
        family: 'slow-pattern',
        severity: exponential ? 'high' : 'low',
        at,
        explanation: `Some texts make this regular expression take ${exponential ? 'exponential' : summary} time.`,
      });
    };
    return (node) => {
      if (node.type === 'Literal' && node.regex) return check(node.regex.pattern, node.regex.flags, node.start);
      const made =
        (node.type === 'NewExpression' || node.type === 'CallExpression') &&
        code.globalOf(node.callee as AnyNode) === 'RegExp';
      if (!made) return;
      const source = code.constantOf(node.arguments[0] as AnyNode | undefined);
      const flags = code.constantOf(node.arguments[1] as AnyNode | undefined) ?? '';
      if (typeof source === 'string') check(source, String(flags), node.start);
    };
  };
