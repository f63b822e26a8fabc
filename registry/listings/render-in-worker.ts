import { Worker } from 'node:worker_threads';
import { WORKER_ENVIRONMENT } from '../worker-environment.ts';
import { plainHtml } from './plain-html.ts';
// Its libraries belong to the worker alone: a host does not hold them.
import type { ImageAddresses } from './render-markdown.ts';

const TIME_MS_MAX = 5_000;
const HEAP_MIB_MAX = 128;
const HTML_CHARS_MAX = 1024 * 1024;

export interface RenderBounds {
  timeMsMax?: number;
  heapMiBMax?: number;
  htmlCharsMax?: number;
}

/**
 * Renders texts in a thread of its own, with bounds on time and memory. What reaches one, or grows too large, is shown as it was
 * written; null stays null. Never fails.
 */
export async function renderInWorker(
  texts: (string | null)[],
  images: ImageAddresses,
  { timeMsMax = TIME_MS_MAX, heapMiBMax = HEAP_MIB_MAX, htmlCharsMax = HTML_CHARS_MAX }: RenderBounds = {},
): Promise<(string | null)[]> {
  if (texts.every((text) => text === null)) return texts;
  const rendered = await new Promise<(string | null)[] | null>((resolve) => {
    const worker = new Worker(new URL('./render-worker.ts', import.meta.url), {
      workerData: { texts, images },
      resourceLimits: { maxOldGenerationSizeMb: heapMiBMax, maxYoungGenerationSizeMb: 32, stackSizeMb: 4 },
      env: WORKER_ENVIRONMENT,
      stdout: true,
      stderr: true,
    });
    let ended = false;
    const end = (result: (string | null)[] | null) => {
      if (ended) return;
      ended = true;
      clearTimeout(timer);
      worker.terminate().then(() => resolve(result));
    };
    const timer = setTimeout(() => end(null), timeMsMax);
    worker.on('message', end);
    worker.on('error', () => end(null));
    worker.on('exit', () => end(null));
  });
  return texts.map((text, at) => {
    const html = rendered?.[at] ?? null;
    if (text === null) return null;
    return html === null || html.length > htmlCharsMax ? plainHtml(text) : html;
  });
}
