import { fork } from 'node:child_process';
import { once } from 'node:events';
import { startHost } from '../compose.ts';
import { readConfig } from '../config.ts';
import { createLog } from '../log.ts';

/** A host in a process of its own, over the database of another one. */
export interface HostProcess {
  url: string;
  pid: number;
  close(): Promise<void>;
}

/** Settings by name of the environment variable; `appUrl` is the database's address. */
export async function startHostProcess(appUrl: string, settings: Record<string, string>): Promise<HostProcess> {
  const child = fork(import.meta.filename, [JSON.stringify({ appUrl, settings })], {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  const exited = once(child, 'exit');
  const [url] = (await Promise.race([
    once(child, 'message'),
    exited.then(([code]) => {
      throw new Error(`The host ended with ${code} before it was ready.`);
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
  const { appUrl, settings } = JSON.parse(process.argv[2]!);
  const config = readConfig({ flags: settings }, {});
  const host = await startHost({
    config,
    appUrl,
    log: createLog(config.logLevel),
    people: { bcryptCost: 4 },
    scan: false,
  });
  process.once('disconnect', () => void host.close().finally(() => process.exit(0)));
  process.send(host.url);
}
