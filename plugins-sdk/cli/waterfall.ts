import type { TracedCall, Waterfall } from '../../host/invocations/call-trace.ts';
import { bytesText, oneLine, type Paint } from './terminal.ts';

const BAR_UNITS = 40;
const NAME_UNITS_MAX = 24;

/**
 * Host calls as lines with a bar each, `wallMs` wide:
 * `kv.get    +1.2 ms   0.8 ms     32 B  ok       |  ==          |`
 */
export function waterfallLines(paint: Paint, { calls, omitted }: Waterfall, wallMs: number): string[] {
  if (calls.length === 0) return [paint('dim', 'no capability call')];
  const endMs = Math.max(wallMs, ...calls.map(({ startMs, ms }) => startMs + (ms ?? 0)), 0.001);
  const names = calls.map(({ name }) => oneLine(name).slice(0, NAME_UNITS_MAX));
  const width = Math.max(...names.map((name) => name.length));
  const lines = calls.map((call, index) => {
    const { startMs, ms, bytes } = call;
    const took = ms === null ? 'open' : `${ms.toFixed(1)} ms`;
    const facts = `+${startMs.toFixed(1)} ms`.padStart(11) + took.padStart(11) + bytesText(bytes).padStart(11);
    return `${names[index]!.padEnd(width)}${facts}  ${state(paint, call)} |${bar(call, endMs)}|`;
  });
  return omitted === 0 ? lines : [...lines, paint('dim', `and ${omitted} more calls`)];
}

function state(paint: Paint, { ok }: TracedCall): string {
  if (ok === null) return paint('yellow', 'waited ');
  return ok ? paint('green', 'ok     ') : paint('red', 'refused');
}

/** Every call has at least one mark; one without a result lasts to the end. */
function bar({ startMs, ms }: TracedCall, endMs: number): string {
  const at = (momentMs: number) => Math.min(BAR_UNITS, Math.round((momentMs / endMs) * BAR_UNITS));
  const from = Math.min(BAR_UNITS - 1, at(startMs));
  const to = Math.max(from + 1, ms === null ? BAR_UNITS : at(startMs + ms));
  return `${' '.repeat(from)}${(ms === null ? '.' : '=').repeat(to - from)}${' '.repeat(BAR_UNITS - to)}`;
}

/** The host calls that a line of the host carries in its facts; null where it carries none, or something else. */
export function waterfallOf(facts: unknown): { waterfall: Waterfall; wallMs: number } | null {
  const { trace, usage } = (facts ?? {}) as { trace?: Partial<Waterfall>; usage?: { wallMs?: unknown } };
  if (!Array.isArray(trace?.calls) || !trace.calls.every(isCall)) return null;
  const wallMs = typeof usage?.wallMs === 'number' ? usage.wallMs : 0;
  return { waterfall: { calls: trace.calls, omitted: Number(trace.omitted) || 0 }, wallMs };
}

const isCall = (call: unknown): boolean => {
  const { name, startMs, ms, bytes } = (call ?? {}) as Record<string, unknown>;
  return (
    typeof name === 'string' &&
    typeof startMs === 'number' &&
    typeof bytes === 'number' &&
    (ms === null || typeof ms === 'number')
  );
};
