import { originalPositionFor, TraceMap } from '@jridgewell/trace-mapping';
import type { PluginFault } from '../contract/index.ts';

const FRAMES_MAX = 5;
/** `at name (bundle.js:line:column)` or `at bundle.js:line:column`: so the sandbox names the code of every plugin. */
const FRAME = /^\s*at (?:(.+) \()?\S*bundle\.js:(\d+):(\d+)\)?$/;

/** The frames of a fault in the author's own files, such as `pay (src/index.ts:12:5)`, innermost first, at most 5. */
export function mapFrames({ stack }: Pick<PluginFault, 'stack'>, sourceMap: string): string[] {
  if (stack === undefined) return [];
  const map = new TraceMap(sourceMap);
  return stack
    .split('\n')
    .flatMap((line) => {
      const [, name, row, column] = FRAME.exec(line) ?? [];
      if (row === undefined) return [];
      // V8 counts columns from 1, source maps from 0.
      const place = originalPositionFor(map, { line: Number(row), column: Math.max(0, Number(column) - 1) });
      if (place.source === null) return [];
      const at = `${place.source}:${place.line}:${place.column + 1}`;
      return [name === undefined ? at : `${name} (${at})`];
    })
    .slice(0, FRAMES_MAX);
}
