import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { confinementOf, createSandbox, type Sandbox, type SandboxPorts } from '../sandbox/index.ts';
import type { Config } from './config.ts';
import type { Log } from './http/log.ts';
import type { RememberedRegistry } from './remembered-registry.ts';

const QUEUE_PER_LANE = 1_024;
/** More than there is memory for with the defaults: what ends is memory, not the count. */
const ISOLATES_PER_LANE = 1_000;

type SandboxEvents = Pick<SandboxPorts, 'onCordonDeath' | 'onExtraCpu' | 'onAlarm'>;

/** Says which layers of confinement are lacking: a host must not seem safer than it is. */
export async function reportConfinement({ confinement }: Config, log: Log): Promise<void> {
  const { findings } = await confinementOf(confinement);
  const lacking = findings.filter(({ state }) => state !== 'active').map(({ layer }) => layer);
  if (lacking.length > 0)
    log.warn({ confinement, lacking }, 'sandbox processes lack layers; gatehouse doctor says why');
}

/** Starts the sandbox as configured; `events` tell what goes on in it. */
export const startSandbox = (
  config: Config,
  { loadCode }: Pick<RememberedRegistry, 'loadCode'>,
  guest: string,
  events: SandboxEvents,
): Promise<Sandbox> => {
  const { profileCordons } = config;
  return createSandbox(
    {
      cordons: config.cordons,
      lanesPerCordon: config.lanesPerCordon,
      queuePerLane: QUEUE_PER_LANE,
      isolatesPerLane: ISOLATES_PER_LANE,
      residentMiBMax: config.cordonRssMiB,
      cordonAgeMsMax: config.cordonAgeMs,
      busyPollUs: config.busyPollUs,
      confinement: config.confinement,
    },
    {
      loadBundle: async (digest) => loadCode(digest),
      guest,
      ...events,
      ...(profileCordons === null ? {} : { onProfile: keepProfiles(profileCordons) }),
    },
  );
};

/** For one who measures: a file for each lane that got busy. */
function keepProfiles(folder: string): (json: string) => void {
  mkdirSync(folder, { recursive: true });
  let kept = 0;
  return (json) => writeFileSync(path.join(folder, `cordon-${process.pid}-${++kept}.cpuprofile`), json);
}
