import {
  type ClaimedScan,
  type Finding,
  observedFindings,
  readArchive,
  reportOf,
  type ScanReport,
  type Scans,
  scanInWorker,
} from '../../registry/index.ts';
import type { Log } from '../http/log.ts';
import type { observeRelease } from './observe-release.ts';

const LEASE_MS = 120_000;
const ATTEMPTS_MAX = 3;
/** Of the bar, in percent: what reading takes, the static scan and the run. The last one is what it takes to write the report. */
const SHARES = { reading: 5, static: 55, running: 39 };

export interface ScannerPorts {
  scans: Pick<Scans, 'claim' | 'progress' | 'finish'>;
  /** Called when a release has been scanned, and is in review. */
  onScanned(releaseId: string): Promise<unknown>;
  observe: typeof observeRelease extends (release: infer Release, ports: never) => infer Result
    ? (release: Release, onProgress: (percent: number) => void) => Result
    : never;
  log: Log;
}

/** Looks through every release that waits, one after another, and returns how many; hosts that do so at once share them. */
export const scanReleases =
  ({ scans, onScanned, observe, log }: ScannerPorts) =>
  async (): Promise<number> => {
    for (let count = 0; ; count += 1) {
      const claimed = await scans.claim(LEASE_MS);
      if (claimed === null) return count;
      const { releaseId } = claimed;
      const report = claimed.report ?? (await look(claimed));
      const isFirst = await scans.finish(releaseId, report);
      // Another host came to its end before this one: whoever had to be told has been.
      if (!isFirst) continue;
      await onScanned(releaseId);
      log.info({ releaseId, verdict: report.verdict, findings: report.findings.length }, 'release scanned');
    }

    async function look(claimed: ClaimedScan): Promise<ScanReport> {
      // Three hosts, or one three times, have not come to its end: people have to look at this one.
      if (claimed.attempt > ATTEMPTS_MAX)
        return reportOf(NOTHING, [unfinished(`The scan was begun ${ATTEMPTS_MAX} times and never ended.`)], null);
      const { releaseId, otherPlugins, archive } = claimed;
      let told = Promise.resolve();
      // One after another: of two that are on their way at once, the older may be written last.
      const tell = (stage: 'reading' | 'static' | 'running', percent: number) => {
        told = told
          .then(() => scans.progress(releaseId, { stage, percent }, LEASE_MS))
          .catch((error) => log.error({ err: error }, 'progress of a scan not written'));
      };
      tell('reading', 1);
      const { manifest, code, sourceMap, bundleDigest } = await readArchive(archive);
      const done = { static: 0, running: 0 };
      const advance = (part: keyof typeof done, percent: number) => {
        done[part] = percent;
        const share = (each: keyof typeof done) => (done[each] * SHARES[each]) / 100;
        tell(done.static < 100 ? 'static' : 'running', SHARES.reading + Math.floor(share('static') + share('running')));
      };
      // Side by side: each of them is a thread or a process of its own, and the publisher waits for both.
      const [found, dynamic] = await Promise.all([
        scanInWorker(
          { manifest, code, sourceMap },
          { otherPlugins, onProgress: (percent) => advance('static', percent) },
        ).then((all) => {
          // One that was stopped has not come to its end.
          advance('static', 100);
          return all;
        }),
        observe({ manifest, code, digest: bundleDigest }, (percent) => advance('running', percent)).catch((error) => {
          log.error({ err: error, releaseId }, 'a release could not be run for its scan');
          return null;
        }),
      ]);
      return reportOf(found, observedFindings(dynamic), dynamic);
    }
  };

const NOTHING = { findings: [], omitted: 0 };

const unfinished = (explanation: string): Finding => ({
  family: 'incomplete',
  severity: 'high',
  place: null,
  explanation,
  fix: 'Ask for a person to look at it.',
  evidence: '',
});
