import { stripVTControlCharacters, styleText } from 'node:util';
import Table from 'cli-table3';
import type { DocumentFault } from '../contract/index.ts';

/** Where results (`out`) and everything else (`err`) go. */
export interface Streams {
  out: NodeJS.WriteStream;
  err: NodeJS.WriteStream;
  in: NodeJS.ReadStream;
}

type Style = Parameters<typeof styleText>[0];

/** Colours only where the stream is a terminal and NO_COLOR does not forbid it; `styleText` knows the rules. */
export type Paint = (style: Style, text: string) => string;

export const painter =
  (stream: NodeJS.WriteStream): Paint =>
  (style, text) =>
    styleText(style, text, { stream, validateStream: true });

/** Text from elsewhere as one harmless line: no control characters that could move the cursor or forge lines. */
export const oneLine = (text: string): string =>
  stripVTControlCharacters(text)
    .replace(/[\r\n\t]+/g, ' ')
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is removed
    .replace(/[\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g, '');

/**
 * JSON that may be shown on a terminal: what moves a cursor or reverses the direction of text is written as an escape, which is the same
 * to whoever parses it.
 */
export const jsonText = (value: unknown, indent?: number): string =>
  (JSON.stringify(value, null, indent) ?? 'null').replace(
    /[\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );

/** Columns without borders, headed in dim letters. */
export function columns(paint: Paint, heads: string[], rows: string[][]): string {
  const none = Object.fromEntries(
    [
      ...['top', 'top-mid', 'top-left', 'top-right', 'bottom', 'bottom-mid', 'bottom-left', 'bottom-right'],
      ...['left', 'left-mid', 'mid', 'mid-mid', 'right', 'right-mid'],
    ].map((name) => [name, '']),
  );
  const table = new Table({
    head: heads.map((head) => paint('dim', head)),
    chars: { ...none, middle: '  ' },
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 0 },
  });
  table.push(...rows.map((row) => row.map(oneLine)));
  return table
    .toString()
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n');
}

/** `name  value` lines with the values in one column. */
export function fields(paint: Paint, entries: [name: string, value: string][]): string {
  const width = Math.max(...entries.map(([name]) => name.length));
  return entries.map(([name, value]) => `${paint('dim', name.padEnd(width))}  ${oneLine(value)}`).join('\n');
}

export const faultLines = (paint: Paint, faults: DocumentFault[]): string[] =>
  faults.map(({ pointer, message }) => `  ${paint('yellow', oneLine(pointer || '(document)'))}: ${oneLine(message)}`);

export const bytesText = (bytes: number): string =>
  bytes < 1_024
    ? `${bytes} B`
    : bytes < 1_048_576
      ? `${(bytes / 1_024).toFixed(1)} KiB`
      : `${(bytes / 1_048_576).toFixed(1)} MiB`;
