import { parentPort, workerData } from 'node:worker_threads';
import type { ScannedRelease } from './rules/scan-report.ts';
import { bounded } from './rules/verdict.ts';
import { scanCode } from './scan-code.ts';

/** The thread of one static scan: it gets a release, tells how far it is, and ends with the findings: no more of them than a report holds. */
const { release, otherPlugins } = workerData as { release: ScannedRelease; otherPlugins: string[] };
const findings = await scanCode(release, {
  otherPlugins,
  nowMs: () => performance.now(),
  onProgress: (percent) => parentPort!.postMessage({ percent }),
});
parentPort!.postMessage({ found: bounded(findings) });
