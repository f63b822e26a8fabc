import cluster, { type Worker } from 'node:cluster';
import type { Log } from '../http/log.ts';
import { endWhatIsNotTaken } from './hand-over.ts';
import type { Order, Report } from './messages.ts';
import type { HostProcess, Served } from './supervise.ts';

/** A host that does not serve after this time never will. */
const START_DEADLINE_MS = 120_000;
const EXPOSE_DEADLINE_MS = 3_000;

export interface LaunchSettings {
  appUrl: string;
  port: number;
  adminPort: number | null;
  /** After being asked to end, a host that lives longer is killed. */
  drainMsMax: number;
  exposeAll(): Promise<string>;
  log: Log;
}

/**
 * Starts this program once more, with its arguments and flags, as one of several hosts. Connections come by node:cluster: this
 * process accepts and hands each to the next host in turn, so a port is never closed while one of them lives.
 */
export function hostLauncher(settings: LaunchSettings): (number: number) => HostProcess {
  cluster.schedulingPolicy = cluster.SCHED_RR;
  return (number) => startProcess(number, settings);
}

function startProcess(number: number, { exposeAll, log, drainMsMax, ...begin }: LaunchSettings): HostProcess {
  const worker = cluster.fork();
  endWhatIsNotTaken(worker.process);
  const { pid } = worker.process;
  // Whoever is gone cannot be told anything; its end is told by `exit`.
  const say = (order: Order) => void worker.send(order, undefined, () => {});
  const kill = () => void worker.process.kill('SIGKILL');
  const answers = new Map<number, (text: string | null) => void>();
  const served = Promise.withResolvers<Served | null>();
  let isServing = false;
  let asked = 0;
  const slow = setTimeout(() => {
    log.error({ number, pid, afterMs: START_DEADLINE_MS }, 'a host does not get ready and is killed');
    kill();
  }, START_DEADLINE_MS);

  worker.on('message', (report: Report) => {
    if (report.op === 'hello') say({ op: 'begin', number, ...begin });
    else if (report.op === 'ready') {
      isServing = true;
      clearTimeout(slow);
      served.resolve({ url: report.url, adminUrl: report.adminUrl });
    } else if (report.op === 'exposed') answers.get(report.ask)?.(report.text);
    else void exposeAll().then((text) => say({ op: 'merged', ask: report.ask, text }));
  });
  const ended = endOf(worker).then((how) => {
    clearTimeout(slow);
    served.resolve(null);
    for (const answer of answers.values()) answer(null);
    return how;
  });

  const expose = () =>
    new Promise<string | null>((resolve) => {
      asked += 1;
      const ask = asked;
      const answer = (text: string | null) => {
        clearTimeout(late);
        answers.delete(ask);
        resolve(text);
      };
      const late = setTimeout(() => answer(null), EXPOSE_DEADLINE_MS);
      answers.set(ask, answer);
      say({ op: 'expose', ask });
    });
  const drain = () => {
    // It has nothing to finish before it serves.
    if (!isServing) return kill();
    say({ op: 'drain' });
    const late = setTimeout(kill, drainMsMax);
    void ended.then(() => clearTimeout(late));
  };
  return { pid, served: served.promise, ended, allReady: () => say({ op: 'all-ready' }), drain, kill, expose };
}

const endOf = (worker: Worker): Promise<string> =>
  new Promise((resolve) => {
    worker.on('exit', (code, signal) => resolve(signal ?? `exit code ${code}`));
    // Where there was no process to start there is no exit either; later faults are those of sending.
    worker.on('error', (error) => worker.process.pid === undefined && resolve(error.message));
  });
