import type { WireResponse } from '../../plugins-sdk/contract/index.ts';
import type { InstallationFacts } from '../installations/contract.ts';
import { PluginFaultError } from '../invocations/contract.ts';
import type { PluginAnswer, PluginRunner } from '../invocations/run-plugin.ts';
import { isInCanary } from './rules/assign-release.ts';
import type { SampleMeter } from './sample-meter.ts';

export interface AssignPorts {
  runPlugin: PluginRunner;
  samples: Pick<SampleMeter, 'add'>;
  /** Counts a call for the staging of its plugin, where one is watched; only arithmetic. */
  countStaged(installation: InstallationFacts, durationMs: number | null): void;
  /** Whether a staging of the plugin is watched. */
  isStaged(plugin: string): boolean;
  newId(): string;
  newSeed(): string;
  monotonicMs(): number;
}

/** Which release answers a call, and a runner that counts how. `key` says whose call it is; null: nobody's in particular. */
export type AssignCall = (
  stable: InstallationFacts,
  key: string | null,
) => { installation: InstallationFacts; run: PluginRunner };

/**
 * While a canary runs: the same caller (or event) gets the same release on every host, a call of nobody in particular goes by
 * the id of its invocation. Counted are answers and faults of the plugin; what the host refuses says nothing about a release.
 */
export const createAssignCall = (ports: AssignPorts): AssignCall => {
  const { runPlugin, samples, newId, newSeed } = ports;
  return (stable, key) => {
    const { rollout } = stable;
    if (rollout?.arm !== 'stable') {
      if (!ports.isStaged(stable.plugin)) return { installation: stable, run: runPlugin };
      return { installation: stable, run: counted(ports, ports.countStaged) };
    }
    const attempt = { invocationId: newId(), seed: newSeed() };
    const canary = isInCanary(rollout.id, key ?? attempt.invocationId, rollout.percent);
    const arm = canary ? 'canary' : 'stable';
    const run = counted(ports, (installation, durationMs) => {
      samples.add(rollout.id, arm, durationMs);
      ports.countStaged(installation, durationMs);
    });
    return {
      installation: canary ? rollout.canary : stable,
      run: (installation, job, options) => run(installation, job, { attempt, ...options }),
    };
  };
};

/** `count` gets null for a call that failed. */
const counted =
  (
    { runPlugin, monotonicMs }: Pick<AssignPorts, 'runPlugin' | 'monotonicMs'>,
    count: (installation: InstallationFacts, durationMs: number | null) => void,
  ): PluginRunner =>
  async (installation, job, options) => {
    const startedAtMs = monotonicMs();
    try {
      const answer = await runPlugin(installation, job, options);
      count(installation, isError(answer) ? null : monotonicMs() - startedAtMs);
      return answer;
    } catch (error) {
      if (error instanceof PluginFaultError) count(installation, null);
      throw error;
    }
  };

/** What the plugin itself calls an error of its own. */
const isError = ({ output }: PluginAnswer): boolean =>
  output.kind === 'http' && (output as { response: WireResponse }).response.status >= 500;
