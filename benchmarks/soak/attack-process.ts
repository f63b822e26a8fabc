import { setTimeout as pause } from 'node:timers/promises';
import { call, openConnections } from './call.ts';
import { serveOrders } from './program.ts';
import { seeded } from './seeded.ts';

/** The attack: a fixed number of attackers that call hostile plugins without a break. */
export type AttackOrder =
  | { op: 'start'; targets: Target[]; attackers: number; timeoutMs: number; seed: number }
  /** A hostile plugin has got a new address. */
  | { op: 'move'; name: string; url: string }
  | { op: 'pause' }
  | { op: 'stop' };

export interface Target {
  name: string;
  url: string;
  token: string;
  /** fault codes that it may end with; empty where it must get its answer through. */
  ends: readonly string[];
  /** Uses a lot of something, so it is called more often. */
  heavy: boolean;
}

export interface HostileRow {
  name: string;
  sentAtMs: number;
  tookMs: number;
  /** Code of the problem; `answers` for a 2xx. */
  code: string;
  expected: boolean;
}

/** The platform does not run this installation any more; it needs a successor for the attack to go on. */
export interface AttackEvent {
  event: 'barred';
  name: string;
  url: string;
}

/** Half of the calls go to those that hurt. */
const HEAVY_SHARE = 0.5;
/** Whoever is refused at the door comes back a little later: this is an attack on the sandbox and not a flood of HTTP. */
const REFUSED_PAUSE_MS = 20;
const BARRED = /suspended|disabled|installation-unknown/;
const REFUSED = /saturated|exhausted|rate-limited|overloaded|shed/;
const nowMs = () => Number(process.hrtime.bigint()) / 1e6;

const rows: HostileRow[] = [];
let targets: Target[] = [];
let running: Promise<void>[] = [];
let attacking = false;

const tell = serveOrders<AttackOrder>(async (order) => {
  switch (order.op) {
    case 'start':
      start(order);
      return null;
    case 'move':
      targets = targets.map((target) => (target.name === order.name ? { ...target, url: order.url } : target));
      return null;
    case 'pause':
      await halt();
      return null;
    case 'stop':
      await halt();
      return rows;
  }
}) as (event: AttackEvent) => void;
process.once('disconnect', () => process.exit());

async function halt(): Promise<void> {
  attacking = false;
  await Promise.all(running);
}

function start({ attackers, timeoutMs, seed, ...order }: Extract<AttackOrder, { op: 'start' }>): void {
  const agent = openConnections();
  targets = order.targets;
  attacking = true;
  running = Array.from({ length: attackers }, async (_, attacker) => {
    const random = seeded(seed + attacker);
    while (attacking) {
      const heavy = random.next() < HEAVY_SHARE ? targets.filter((target) => target.heavy) : [];
      const choice = heavy.length > 0 ? heavy : targets;
      const { name, url, token, ends } = choice[random.below(choice.length)]!;
      const sentAtMs = nowMs();
      const answer = await call(agent, { url: `${url}/attack`, token, timeoutMs, method: 'POST', body: null });
      const code = answer.code || 'answers';
      const expected = ends.length === 0 ? code === 'answers' : ends.includes(code);
      rows.push({ name, sentAtMs, tookMs: nowMs() - sentAtMs, code, expected });
      if (BARRED.test(code)) tell({ event: 'barred', name, url });
      if (BARRED.test(code) || REFUSED.test(code)) await pause(REFUSED_PAUSE_MS);
    }
  });
}
