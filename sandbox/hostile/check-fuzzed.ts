import { PLUGIN_FAULTS } from '../../plugins-sdk/contract/errors.ts';
import { blamedWrongly, untilTaken } from './check-ends.ts';
import type { FuzzedPlugin } from './grammar.ts';
import { expectUnharmed, openNeighbour } from './neighbour.ts';
import { codeOf, DEADLINE_SLACK_MS, leaksIn, type Rig } from './rig.ts';

const CODES = new Set<string>(['completed', ...Object.keys(PLUGIN_FAULTS)]);

/** Runs fuzzed plugins one after another beside a neighbour. */
export function createFuzzer(rig: Rig) {
  const neighbour = openNeighbour(rig, 'neighbour');
  const ended = new Map<string, number>();
  let plugins = 0;

  /** Returns what is wrong; empty where the plugin ended as plugins may and nobody else noticed. */
  const check = async ({ code, limits }: FuzzedPlugin): Promise<string> => {
    const installation = `fuzzed-${++plugins}`;
    const deathsBefore = rig.deaths.length;
    try {
      // Nobody else breaks cordons here: what is interrupted again and again comes to no end, and that is noticed.
      const running = untilTaken(
        () => rig.run({ code, installation, limits }),
        ['sandbox-saturated', 'sandbox-interrupted'],
      );
      const [ran] = await Promise.all([running, neighbour.ask()]);
      const end = codeOf(ran);
      ended.set(end, (ended.get(end) ?? 0) + 1);
      if (!CODES.has(end)) return `an unknown end: ${end}`;
      const leaks = leaksIn(ran);
      if (leaks.length > 0) return `shows ${leaks.join(', ')}`;
      if (ran.outcome.usage.wallMs > limits.wallMs! + DEADLINE_SLACK_MS) return `took ${ran.outcome.usage.wallMs} ms`;
      const culprits = new Set(end === 'completed' ? [] : [installation]);
      const innocent = blamedWrongly(rig.deaths.slice(deathsBefore), culprits);
      if (innocent.length > 0) return `${innocent.join(', ')} blamed`;
      expectUnharmed(neighbour);
      return '';
    } catch (error) {
      return String(error);
    }
  };
  return { check, ended, neighbour };
}
