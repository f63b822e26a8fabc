import type { PluginFault } from '../contract/index.ts';
import { mapFrames } from '../map-frames.ts';

/** A plugin did wrong under test. Its message shows code, limit and the frames in the author's own files. */
export class HarnessFault extends Error {
  override name = 'HarnessFault';
  readonly fault: PluginFault;
  readonly invocationId: string;
  /** Source-mapped frames, innermost first. */
  readonly frames: string[];

  constructor(what: string, fault: PluginFault, invocationId: string, sourceMap: string) {
    const frames = mapFrames(fault, sourceMap);
    super(describeFault(what, fault, frames));
    this.fault = fault;
    this.invocationId = invocationId;
    this.frames = frames;
  }
}

/** `POST /orders failed with plugin-threw: TypeError: ...` and, each on its line, the frames and the last host call. */
export function describeFault(what: string, fault: PluginFault, frames: string[]): string {
  const { code, name, message, lastHostCall } = fault;
  const thrown = name === undefined || name === 'Error' ? message : `${name}: ${message}`;
  return [
    `${what} failed with ${code}: ${thrown}`,
    ...frames.map((frame) => `    at ${frame}`),
    ...(lastHostCall === undefined ? [] : [`    after the capability call ${lastHostCall}`]),
  ].join('\n');
}
