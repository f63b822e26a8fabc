import { fork } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import type { Config } from '../config.ts';

const PROGRAM = path.join(import.meta.dirname, 'second-host-process.ts');

/** A host in a process of its own, over the database of another one. */
export interface SecondHost {
  url: string;
  pid: number;
  close(): Promise<void>;
}

/** What its process is told. */
export interface Order {
  appUrl: string;
  flags: Record<string, string>;
}

/** Takes a free port, and everything else from the environment as the first one does. `appUrl` is the database's address. */
export async function startSecondHost(
  appUrl: string,
  { dataFolder, logLevel }: Pick<Config, 'dataFolder' | 'logLevel'>,
): Promise<SecondHost> {
  const child = fork(PROGRAM, [], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
  const exited = once(child, 'exit');
  const flags = { GATEHOUSE_PORT: '0', GATEHOUSE_DATA: dataFolder, GATEHOUSE_LOG_LEVEL: logLevel };
  // Not on its command line, which others on this machine may read.
  child.send({ appUrl, flags } satisfies Order);
  const [url] = (await Promise.race([
    once(child, 'message'),
    exited.then(([code]) => {
      throw new Error(`The second host ended with ${code} before it was ready.`);
    }),
  ])) as [string];
  return {
    url,
    pid: child.pid!,
    close: async () => {
      child.disconnect();
      await exited;
    },
  };
}
