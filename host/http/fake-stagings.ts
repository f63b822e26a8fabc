import type { Staging, Stagings } from '../rollouts/stagings/contract.ts';

type FakePort = <Args extends unknown[], Value>(name: string, value: Value) => (...args: Args) => Promise<Value>;

/** Answers for the routes of stagings. */
export function fakeStagings(port: FakePort): { stagings: Stagings } {
  const staging: Staging = {
    plugin: 'acme/hello',
    version: '1.1.0',
    state: 'rolling',
    percents: [5, 100],
    everySeconds: 3_600,
    percent: 5,
    stage: 0,
    reason: '',
    beganAt: '2030-01-01T00:00:00.000Z',
    stageAt: '2030-01-01T00:00:00.000Z',
    endedAt: null,
    installations: { following: 40, taken: 2, operators: 2 },
    staged: { calls: 100, errors: 0, p95Ms: 12 },
    earlier: { calls: 4_000, errors: 3, p95Ms: null },
  };
  return {
    stagings: {
      plan: port('stagings.plan', staging),
      list: port('stagings.list', { items: [staging], nextCursor: null }),
      decide: port('stagings.decide', staging),
    },
  };
}
