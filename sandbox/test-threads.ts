import { readdirSync, readFileSync } from 'node:fs';

/** The kernel counts in these; a tick is 10 ms on every Linux that runs Node.js. */
const TICK_MS = 10;

/** What the kernel says of every thread of a process: whether it runs or would like to, and the CPU time that it has used. */
const threadsOf = (pid: number): { runs: boolean; cpuMs: number }[] =>
  readdirSync(`/proc/${pid}/task`).map((thread) => {
    const fields = readFileSync(`/proc/${pid}/task/${thread}/stat`, 'latin1').split(') ')[1]!.split(' ');
    return { runs: fields[0] === 'R', cpuMs: (Number(fields[11]) + Number(fields[12])) * TICK_MS };
  });

/** Resolves when one thread has computed for so long that it is no more beginning: it is inside the turn that it was given. */
export async function untilSpinning(pid: number): Promise<void> {
  const busiest = () => Math.max(...threadsOf(pid).map(({ cpuMs }) => cpuMs));
  const from = busiest();
  while (busiest() < from + 300) await rest();
}

/** Resolves when no thread has had anything to do for a while, however slow the machine is. */
export async function untilIdle(pid: number): Promise<void> {
  for (let idle = 0; idle < 20; idle += 1) {
    if (threadsOf(pid).some(({ runs }) => runs)) idle = 0;
    await rest();
  }
}

const rest = () => new Promise((resolve) => setTimeout(resolve, 5));
