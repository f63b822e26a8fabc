import { decodedMappings, TraceMap, traceSegment } from '@jridgewell/trace-mapping';
import type { PluginFault } from './contract/index.ts';

/** Code at its limit, BUNDLE_BYTES_MAX, has a map of about 1.5 Mi characters, a third of them mappings. */
const MAP_UNITS_MAX = 2 * 1024 * 1024;
const MAPPINGS_UNITS_MAX = 1024 * 1024;
const SOURCES_MAX = 4_096;
const SOURCE_UNITS_MAX = 256;
/** The guest shows at most 30 frames of an error, and those of its causes. */
const LINES_MAX = 50;
const LINE_UNITS_MAX = 1_024;
const SHOWN_FRAMES_MAX = 5;
/** `at name (bundle.js:line:column)` or `at bundle.js:line:column`: so the sandbox names the code of every plugin. */
const FRAME = /^(\s*at (?:(.+) \()?)\S*bundle\.js:(\d+):(\d+)(\)?)$/;

/** A source map that was read; made by readSourceMap alone. */
export interface SourceMap {
  trace: TraceMap;
  /** By index; null where a name cannot be shown. */
  sources: (string | null)[];
  /** How many characters its mappings had. In memory it takes up to 50 bytes for each. */
  weight: number;
}

/**
 * Reads a source map (revision 3, without sections), which may come from a stranger: work and memory are bounded, at worst
 * some 100 ms and 50 MiB. Null where it is malformed or too large, for then there is nothing to show. Never throws.
 */
export function readSourceMap(json: string): SourceMap | null {
  if (json.length > MAP_UNITS_MAX) return null;
  try {
    const { sources, mappings } = JSON.parse(json) as { sources?: unknown; mappings?: unknown };
    if (!Array.isArray(sources) || sources.length > SOURCES_MAX) return null;
    if (typeof mappings !== 'string' || mappings.length > MAPPINGS_UNITS_MAX) return null;
    // Without its sources, because joining each to `sourceRoot` could make gigabytes of a small map.
    const trace = new TraceMap({ version: 3, sources: [], names: [], mappings });
    decodedMappings(trace);
    return { trace, sources: sources.map(shownSource), weight: mappings.length };
  } catch {
    return null;
  }
}

/** Control and invisible characters could feign other lines of a log. */
const shownSource = (source: unknown): string | null =>
  typeof source === 'string' && source !== '' && source.length <= SOURCE_UNITS_MAX && !/\p{C}/u.test(source)
    ? source
    : null;

/** The stack with the places of its first 50 lines in the author's own files; lines that the map does not know stay. */
export function mapStack(stack: string, map: SourceMap): string {
  return stack
    .split('\n')
    .map((line, index) => (index < LINES_MAX ? (mapLine(line, map)?.line ?? line) : line))
    .join('\n');
}

/** The frames of a fault in the author's own files, such as `pay (src/index.ts:12:5)`, innermost first, at most 5. */
export function mapFrames({ stack }: Pick<PluginFault, 'stack'>, sourceMap: string): string[] {
  const map = stack === undefined ? null : readSourceMap(sourceMap);
  if (stack === undefined || map === null) return [];
  const frames = stack.split('\n').flatMap((line) => mapLine(line, map)?.frame ?? []);
  return frames.slice(0, SHOWN_FRAMES_MAX);
}

/** A place of the bundle in the author's own files; lines and columns from 1. Null outside of them. */
export function placeIn(
  { trace, sources }: Pick<SourceMap, 'trace' | 'sources'>,
  line: number,
  column: number,
): { source: string; line: number; column: number } | null {
  // V8 counts lines and columns from 1, mappings from 0.
  const segment = traceSegment(trace, Math.max(0, line - 1), Math.max(0, column - 1));
  if (segment === null || segment.length === 1) return null;
  const source = sources[segment[1]] ?? null;
  return source === null ? null : { source, line: segment[2] + 1, column: segment[3] + 1 };
}

/** Null for lines that are no frames, and for frames outside the sources. */
function mapLine(line: string, { trace, sources }: SourceMap): { line: string; frame: string } | null {
  const [, start, name, row, column, end] = (line.length <= LINE_UNITS_MAX && FRAME.exec(line)) || [];
  if (row === undefined) return null;
  const found = placeIn({ trace, sources }, Number(row), Number(column));
  if (found === null) return null;
  const place = `${found.source}:${found.line}:${found.column}`;
  return { line: `${start}${place}${end}`, frame: name === undefined ? place : `${name} (${place})` };
}
