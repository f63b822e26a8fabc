import type { Attention } from './attention.ts';
import type { CordonEnd } from './blame.ts';
import type { Cordon, LaneLink } from './cordon-link.ts';
import type { CordonHooks } from './cordon-pool.ts';
import { LaneBorder } from './lane-border.ts';
import { LaneLine } from './lane-line.ts';
import { createLanePace } from './lane-pace.ts';
import { NumberTable } from './number-table.ts';
import type { Run } from './run.ts';
import { TurnCosts } from './turn-costs.ts';

/** A cordon without a process: the test says when it is ready and when it dies. */
export interface FakeCordon {
  cordon: Cordon;
  /** How much of the machine it gets now. */
  attention(): Attention;
  pid: number;
  becomeReady(): void;
  die(stderr?: string): void;
  /** As if so many invocations ran on its first lane. */
  occupy(count: number): void;
}

export function fakeFleet(nowMs: () => number) {
  const started: FakeCordon[] = [];
  const fleet = {
    started,
    /** Set: no process can be started, for this reason. */
    failing: null as string | null,
    launch(lanes: number, hooks: CordonHooks, attention: Attention): Cordon {
      if (fleet.failing) throw new Error(fleet.failing);
      const made = fakeCordon(started.length + 1, lanes, hooks, nowMs);
      started.push(made);
      made.cordon.attend(attention);
      return made.cordon;
    },
    /** Those that have not ended. */
    alive: () => started.filter(({ cordon }) => cordon.state !== 'dying'),
    readyAll() {
      for (const { cordon, becomeReady } of started) if (cordon.state === 'starting') becomeReady();
    },
  };
  return fleet;
}

function fakeCordon(pid: number, lanes: number, hooks: CordonHooks, nowMs: () => number): FakeCordon {
  let ended = false;
  const end = (stderr: string, signal: string) => {
    if (ended) return;
    ended = true;
    fake.state = 'dying';
    const facts: CordonEnd = {
      code: null,
      signal,
      heartStopped: false,
      overgrown: false,
      reading: { mark: null, openTurns: [] },
      stderr,
      endedAtMs: nowMs(),
    };
    hooks.onEnd(cordon, facts);
  };
  const fake = {
    pid,
    state: 'starting' as Cordon['state'],
    asked: false,
    readyAtMs: 0,
    used: false,
    draining: false,
    residentMiB: 0,
    startedAtMs: nowMs(),
    attention: 'full' as Attention,
    openTurns: () => [],
    attend(attention: Attention) {
      fake.attention = attention;
    },
    get wasReady() {
      return fake.readyAtMs > 0;
    },
    async shutDown() {
      fake.asked = true;
      end('', 'SIGKILL');
    },
    lanes: [] as LaneLink[],
  };
  const cordon = fake as unknown as Cordon;
  const laneOf = (lane: number) => ({
    cordon,
    lane,
    runs: new NumberTable<Run>(),
    leaving: new Map(),
    waiting: 0,
    isolates: 0,
    silentLooks: null,
    pace: createLanePace(),
    border: new LaneBorder(),
    line: new LaneLine({ costs: new TurnCosts(nowMs, () => {}), nowMs, send: () => {} }),
    send: () => {},
  });
  fake.lanes = Array.from({ length: lanes }, (_, lane) => laneOf(lane));
  return {
    cordon,
    pid,
    attention: () => fake.attention,
    becomeReady() {
      fake.state = 'ready';
      fake.readyAtMs = Math.max(1, nowMs());
      hooks.onReady(cordon);
    },
    die: (stderr = '') => end(stderr, 'SIGKILL'),
    occupy(count) {
      const runs = new NumberTable<Run>();
      for (let ticket = 1; ticket <= count; ticket++) runs.set(ticket, {} as Run);
      fake.lanes[0]!.runs = runs;
    },
  };
}
