import { Worker } from 'node:worker_threads';
import { WORKER_ENVIRONMENT } from '../worker-environment.ts';
import { FAMILIES } from './rules/families.ts';
import type { ScannedRelease } from './rules/scan-report.ts';
import type { BoundedFindings } from './rules/verdict.ts';

export interface StaticScanOptions {
  /** Names of the plugins of other publishers, `<publisher>/<name>`. */
  otherPlugins: readonly string[];
  /** 0 to 100. */
  onProgress?(percent: number): void;
  timeMsMax?: number;
  heapMiBMax?: number;
}

const TIME_MS_MAX = 60_000;
const HEAP_MIB_MAX = 512;
const STACK_MIB = 16;

/**
 * The static scan in a thread of its own, with bounds on time and memory, for a bundle may be made to use up both. Where it
 * reaches one, that is its finding, and asks for a second look.
 */
export function scanInWorker(release: ScannedRelease, options: StaticScanOptions): Promise<BoundedFindings> {
  const { otherPlugins, onProgress = () => {}, timeMsMax = TIME_MS_MAX, heapMiBMax = HEAP_MIB_MAX } = options;
  return new Promise((resolve) => {
    const worker = new Worker(new URL('./scan-worker.ts', import.meta.url), {
      workerData: { release, otherPlugins },
      resourceLimits: { maxOldGenerationSizeMb: heapMiBMax, maxYoungGenerationSizeMb: 64, stackSizeMb: STACK_MIB },
      env: WORKER_ENVIRONMENT,
      stdout: true,
      stderr: true,
    });
    const end = (found: BoundedFindings) => {
      clearTimeout(timer);
      worker.terminate().then(() => resolve(found));
    };
    const timer = setTimeout(() => end(stopped(`The scan took more than ${timeMsMax} ms.`)), timeMsMax);
    worker.on('message', (message: { percent: number } | { found: BoundedFindings }) => {
      if ('found' in message) end(message.found);
      else onProgress(message.percent);
    });
    worker.on('error', (error: NodeJS.ErrnoException) => {
      const memory = error.code === 'ERR_WORKER_OUT_OF_MEMORY';
      end(
        stopped(
          memory ? `The scan needed more than ${heapMiBMax} MiB.` : `The scan failed: ${error.message.slice(0, 200)}`,
        ),
      );
    });
  });
}

const stopped = (explanation: string): BoundedFindings => ({
  findings: [
    {
      family: 'incomplete',
      severity: 'high',
      place: null,
      explanation,
      fix: FAMILIES.incomplete.fix,
      evidence: '',
    },
  ],
  omitted: 0,
});
