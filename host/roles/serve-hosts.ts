import { once } from 'node:events';
import { createServer } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { startHost } from '../compose.ts';
import type { Config } from '../config.ts';
import type { Log } from '../http/log.ts';
import { refuseAddress } from '../listen-address.ts';
import { createLog } from '../log.ts';
import { hostLauncher } from '../supervisor/launch-host.ts';
import { followSupervisor } from '../supervisor/siblings.ts';
import { createSupervisor, type Supervisor } from '../supervisor/supervise.ts';
import { leaveStartBehind } from './leave-start-behind.ts';
import { RoleRefused } from './role.ts';
import { stayUp } from './stay-up.ts';

/** What a host does after its requests have had their time: logs, usage, its database. */
const CLOSE_MS = 30_000;

interface Supervised {
  config: Config;
  /** Address of the application role. */
  appUrl: string;
  log: Log;
  /** Resolves with a sentence when what all hosts stand on is gone. */
  died: Promise<string>;
}

/** Several hosts on one port, kept up until this process is asked to end. Refuses with: AddressUnavailable, RoleRefused. */
export async function superviseHosts({ config, appUrl, log, died }: Supervised): Promise<number> {
  const { hosts, hostName, admin } = config;
  const supervisor: Supervisor = createSupervisor({
    hosts,
    launch: hostLauncher({
      appUrl,
      port: await certainPort(hostName, config.port),
      adminPort: admin && (await certainPort(admin.hostName, admin.port)),
      drainMsMax: config.drainMs * 2 + CLOSE_MS,
      exposeAll: () => supervisor.exposeAll(),
      log,
    }),
    log,
    nowMs: () => performance.now(),
    pause: (ms, signal) => pause(ms, undefined, { signal }).catch(() => {}),
  });
  const served = await supervisor.start();
  if (served === null) throw new RoleRefused(`A host of ${hosts} did not start; it has said why.`);
  log.info({ ...served, hosts }, 'ready');
  // To one who sits at a terminal it says that the terminal is gone.
  if (!process.stdin.isTTY) process.on('SIGHUP', () => void supervisor.replaceAll());
  return stayUp(supervisor.close, died);
}

/** All hosts must ask for the same port, today and when they are started again: a free one is chosen once. */
async function certainPort(hostName: string, port: number): Promise<number> {
  if (port !== 0) return port;
  const server = createServer().listen({ port, host: hostName });
  await once(server, 'listening').catch((error) => refuseAddress(error, { hostName, port }));
  const { port: free } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return free;
}

/** One of the hosts that `superviseHosts` has started, until that wants it to end. */
export async function serveSupervised(config: Config): Promise<number> {
  const supervision = followSupervisor();
  // Terminals send it to every process of theirs; who is to be replaced is said by the supervisor.
  process.on('SIGHUP', () => {});
  try {
    const { number, appUrl, port, adminPort } = await supervision.begin;
    const admin = config.admin && { ...config.admin, port: adminPort! };
    const host = await startHost({
      config: { ...config, port, admin },
      appUrl,
      log: createLog(config.logLevel, { host: number }),
      siblings: supervision.siblings,
    });
    await leaveStartBehind();
    supervision.ready(host);
    return await stayUp(host.close, new Promise(() => {}), supervision.drained);
  } finally {
    supervision.leave();
  }
}
