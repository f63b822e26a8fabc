import { availableParallelism } from 'node:os';
import { TURN_TEXT_BYTES_MAX } from './black-box.ts';
import { CONFINEMENT_MODES } from './confinement/detect-confinement.ts';
import type { Invocation, Sandbox, SandboxOptions, SandboxPorts } from './contract.ts';
import { confinementOf, cordonLauncher, type LaunchCordon, NETWORK_DENYING_NODE_MAJOR } from './launch-cordon.ts';
import { settleShape } from './settle-shape.ts';
import { Supervisor } from './supervisor.ts';

const DEFAULTS = {
  spare: true,
  residentMiBMax: 1_024,
  cordonAgeMsMax: 60 * 60_000,
  solitaryMax: 4,
  solitaryIdleMs: 30_000,
  busyPollUs: 500,
  confinement: 'auto',
} as const;

/** Longer, it is no answer to how long waking takes. */
const BUSY_POLL_US_MAX = 1_000;

/** Ids and digest share one slot of the black box. */
const ID_UNITS_MAX = Math.floor(TURN_TEXT_BYTES_MAX / 8);

/**
 * Starts `options.cordons` sandbox processes and resolves when all of them are ready.
 * Rejects with what a process said where it cannot start (wrong Node, vulnerable engine, unreadable code), or with the layers that
 * this machine does not grant where `options.confinement` requires them. `launch` is for cordons of another kind, in tests.
 */
export async function createSandbox(
  asked: SandboxOptions,
  ports: SandboxPorts,
  launch?: LaunchCordon,
): Promise<Sandbox> {
  const options = { ...DEFAULTS, probation: asked.spare ?? DEFAULTS.spare, ...asked };
  const { spare, probation, confinement, busyPollUs, ...sizes } = options;
  for (const [name, value] of Object.entries({ spare, probation })) {
    if (typeof value !== 'boolean') throw new TypeError(`${name} is true or false, not ${value}`);
  }
  if (!CONFINEMENT_MODES.includes(confinement)) {
    throw new TypeError(`confinement is ${CONFINEMENT_MODES.join(', ')}, not ${confinement}`);
  }
  for (const [name, value] of Object.entries(sizes)) {
    if (!Number.isInteger(value) || value < 1)
      throw new RangeError(`${name} is a whole number from 1 on, not ${value}`);
  }
  if (!Number.isInteger(busyPollUs) || busyPollUs < 0 || busyPollUs > BUSY_POLL_US_MAX) {
    throw new RangeError(`busyPollUs is a whole number from 0 to ${BUSY_POLL_US_MAX}, not ${busyPollUs}`);
  }
  if (Number.parseInt(process.versions.node, 10) < NETWORK_DENYING_NODE_MAJOR) {
    process.emitWarning(
      `Node ${process.versions.node} does not deny the network to sandbox processes; run on Node 26 to have that too.`,
      'GatehouseWarning',
    );
  }
  const isProfiled = ports.onProfile !== undefined;
  const launchCordon = launch ?? (await cordonLauncher(await confinementOf(confinement), isProfiled));
  settleShape();
  // Where there is one core, whoever looks keeps the other from saying something.
  const pollUs = availableParallelism() > 1 ? busyPollUs : 0;
  const supervisor = new Supervisor({ ...options, busyPollUs: pollUs }, ports, launchCordon);
  await supervisor.start();
  return {
    invoke(invocation, invocationPorts) {
      try {
        assertInvocation(invocation);
        return supervisor.invoke(invocation, invocationPorts);
      } catch (error) {
        return Promise.reject(error);
      }
    },
    evict: (installationId) => supervisor.evict(installationId),
    stop: (installationId) => supervisor.stop(installationId),
    status: () => supervisor.status(),
    close: (drainMs) => supervisor.close(drainMs),
  };
}

const isId = (text: string) => text.length > 0 && text.length <= ID_UNITS_MAX && !/\s/.test(text);

const isHex64 = (text: string) => text.length === 64 && !/[^0-9a-f]/.test(text);

function assertInvocation({ invocationId, installationId, digest, seed }: Invocation): void {
  if (!isId(invocationId)) throw new TypeError(`invocationId must have 1 to ${ID_UNITS_MAX} units, no white space`);
  if (!isId(installationId)) throw new TypeError(`installationId must have 1 to ${ID_UNITS_MAX} units, no white space`);
  if (!isHex64(digest)) throw new TypeError('digest must be 64 hex digits');
  if (!isHex64(seed)) throw new TypeError('seed must be 64 hex digits');
}
