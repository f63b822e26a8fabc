import type { Divergence, RecordedLog, RecordedOutcome, ReplayedCall } from './compare-replay.ts';

const TEXT_UNITS_MAX = 200;
const CONTEXT_UNITS = 40;

const short = (text: string): string => (text.length > TEXT_UNITS_MAX ? `${text.slice(0, TEXT_UNITS_MAX)}…` : text);

const call = (made: ReplayedCall | null, otherwise: string): string =>
  made === null ? otherwise : short(`${made.name} ${made.args}`);

const log = (line: RecordedLog | null): string =>
  line === null ? '(nothing)' : short(`${line.source} ${line.level} ${line.json}`);

/** `plugin-threw: TypeError: x is undefined`, or `answered` with the bytes. */
export function outcomeText(outcome: RecordedOutcome): string {
  if (outcome.status === 'completed') return `answered (${Buffer.byteLength(outcome.output)} bytes)`;
  const { code, name, message } = outcome.fault;
  return short(`${code}: ${name === undefined || name === 'Error' ? '' : `${name}: `}${message}`);
}

/** A divergence as a headline and two lines: what was recorded, and what happened now. */
export function describeDivergence(divergence: Divergence): { headline: string; recorded: string; now: string } {
  switch (divergence.kind) {
    case 'call':
      return {
        headline: `goes another way at call ${divergence.seq}`,
        recorded: call(divergence.expected, '(no more calls)'),
        now: call(divergence.got, '(it answered)'),
      };
    case 'output': {
      const { at, expected, got } = divergence;
      const around = (text: string) =>
        `${at > CONTEXT_UNITS ? '…' : ''}${text.slice(Math.max(0, at - CONTEXT_UNITS), at + CONTEXT_UNITS)}${at + CONTEXT_UNITS < text.length ? '…' : ''}`;
      return {
        headline: `answers differently from character ${at + 1} on`,
        recorded: around(expected),
        now: around(got),
      };
    }
    case 'outcome':
      return {
        headline: 'ends differently',
        recorded: outcomeText(divergence.expected),
        now: outcomeText(divergence.got),
      };
    case 'log':
      return {
        headline: `writes another log at line ${divergence.index + 1}`,
        recorded: log(divergence.expected),
        now: log(divergence.got),
      };
  }
}
