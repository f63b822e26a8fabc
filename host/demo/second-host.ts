import { fork } from 'node:child_process';
import { once } from 'node:events';
import { startHost } from '../compose.ts';
import { type Config, readConfig } from '../config.ts';
import { createLog } from '../log.ts';

/** A host in a process of its own, over the database of another one. */
export interface SecondHost {
  url: string;
  pid: number;
  close(): Promise<void>;
}

interface Order {
  appUrl: string;
  flags: Record<string, string>;
}

/** Takes a free port, and everything else from the environment as the first one does. `appUrl` is the database's address. */
export async function startSecondHost(
  appUrl: string,
  { dataFolder, logLevel }: Pick<Config, 'dataFolder' | 'logLevel'>,
): Promise<SecondHost> {
  const child = fork(import.meta.filename, [], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
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

// Started by the function above, and ended by whoever started it, also by its death.
if (process.send && process.argv[1] === import.meta.filename) {
  const [{ appUrl, flags }] = (await once(process, 'message')) as [Order];
  // As in the role: the mail of this one, too, goes into its own box and nowhere else.
  const config = readConfig({ flags, defaults: { GATEHOUSE_DEV_MAILBOX: 'true' } });
  const host = await startHost({ config, appUrl, log: createLog(config.logLevel) });
  process.once('disconnect', () => void host.close().finally(() => process.exit(0)));
  process.send(host.url);
}
