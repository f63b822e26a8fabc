import { v7 as uuidv7 } from 'uuid';
import type { ExtraCpu } from '../../sandbox/index.ts';
import type { Log } from '../http/log.ts';
import type { RunnerPorts } from '../invocations/run-plugin.ts';
import type { Metrics } from '../metrics.ts';
import type { ShownSecrets } from '../secrets/shown-secrets.ts';
import { releaseMeter } from '../statistics/release-meter.ts';
import { batchWriter } from './batch-writer.ts';
import type { InstallationLogEntry } from './contract.ts';
import type { ReleasedCode, ShowFrames } from './fault-frames.ts';
import type { InstallationLogStore, LogLine } from './installation-log-store.ts';
import { refusalLog, type Whose } from './refusal-log.ts';
import { usageMeter } from './usage-meter.ts';
import type { UsageStore } from './usage-store.ts';

const LOG_DELAY_MS = 100;
const LOG_LINES_MAX = 10_000;
const METER_INTERVAL_MS = 1_000;
/** Nobody pays by these, and they are told of whole days; a row for each installation takes longer to write than its usage. */
const RELEASES_INTERVAL_MS = 5_000;
const REFUSALS_INTERVAL_MS = 10_000;

/** What the host itself asks of a plugin: no use that a publisher is told of. */
const HOST_JOBS = new Set(['health', 'configure', 'describe']);

/** Where the log lines and the usage of plugins go. */
export interface Recorder extends Pick<RunnerPorts, 'record' | 'meter' | 'refused'> {
  /** Meters CPU time that is part of no outcome; only arithmetic. */
  extraCpu(extra: ExtraCpu): void;
  /** Resolves when the log lines so far can be read. */
  flushLogs(): Promise<void>;
  /** Writes what is still in memory. */
  close(): Promise<void>;
}

/** Collects in memory and writes in batches: an invocation never waits for its log or its meter. */
export function createRecorder(ports: {
  logs: InstallationLogStore;
  usage: UsageStore;
  metrics: Metrics;
  showFrames: ShowFrames;
  shownSecrets: Pick<ShownSecrets, 'hide'>;
  log: Log;
  nowMs(): number;
}): Recorder {
  const { logs, usage, metrics, showFrames, shownSecrets, log, nowMs } = ports;
  const lines = batchWriter<{ line: LogLine; release: ReleasedCode }>({
    write: async (batch) => {
      const shown: LogLine[] = [];
      // One after another: one map of a stranger is enough to have in memory.
      for (const { line, release } of batch) shown.push(await showFrames(line, release));
      await logs.append(shown);
    },
    onLost: (count, error) => log.error({ count, err: error }, 'log lines lost'),
    delayMs: LOG_DELAY_MS,
    itemsMax: LOG_LINES_MAX,
  });
  const meter = usageMeter(usage, nowMs);
  const releases = releaseMeter({ add: usage.addReleases }, nowMs);
  const unwritten = (error: unknown) => log.error({ err: error }, 'usage not written yet');
  const flushMeter = () => meter.flush().catch(unwritten);
  const flushReleases = () => releases.flush().catch(unwritten);
  const refusals = refusalLog(nowMs);
  const record = (installation: Whose, entry: Omit<InstallationLogEntry, 'id'>) =>
    lines.add({
      line: { id: uuidv7(), installationId: installation.id, ...shownSecrets.hide(installation.id, entry) },
      release: installation,
    });
  const flushLogs = () => {
    refusals.drain(record);
    return lines.flush();
  };
  const timers = [
    setInterval(flushMeter, METER_INTERVAL_MS),
    setInterval(flushReleases, RELEASES_INTERVAL_MS),
    setInterval(() => refusals.drain(record), REFUSALS_INTERVAL_MS),
  ];
  return {
    record,
    meter: (installation, kind, outcome, logBytes) => {
      metrics.invocation(kind, outcome);
      meter.add(installation.id, outcome, logBytes);
      if (!HOST_JOBS.has(kind)) releases.add(installation, outcome);
    },
    extraCpu: (extra) => {
      metrics.extraCpu(extra);
      meter.addExtra(extra);
    },
    refused: (installation, code) => {
      metrics.invocationRefused(code);
      meter.refuse(installation.id, code);
      refusals.add(installation, code);
    },
    flushLogs,
    close: async () => {
      for (const timer of timers) clearInterval(timer);
      await Promise.all([flushLogs(), flushMeter(), flushReleases()]);
    },
  };
}
