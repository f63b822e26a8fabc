import { expect } from 'chai';
import type { Limits } from '../../plugins-sdk/contract/index.ts';
import { type CordonDeath, SandboxRefusal, type SandboxRefusalCode } from '../index.ts';
import type { Attack, Ends, Step } from './attack.ts';
import type { NamedAttack } from './corpus.ts';
import { ATTACK_LIMITS, answerOf, codeOf, DEADLINE_SLACK_MS, endsWell, leaksIn, type Ran, type Rig } from './rig.ts';

/** Whom an attack runs as; each has installations of its own, so that blame can be told apart. */
export const attackerOf = ({ name }: NamedAttack): string => `attacker:${name}`;
const installationOf = (attack: NamedAttack, by: Step['by']): string =>
  by === 'attacker' ? attackerOf(attack) : `bystander:${attack.name}`;

/** Whether anything of an attack may cost a cordon its life; what answers never may. */
export const mayKill = (attack: Attack): boolean =>
  [attack.ends, ...(attack.later ?? []).map(({ ends }) => ends)].some((ends) => !endsWell(ends));

/** Runs an attack and what follows it; throws where any of it ends otherwise than it must. */
export async function runAttack(rig: Rig, attack: NamedAttack): Promise<void> {
  for (const step of [firstOf(attack), ...(attack.later ?? [])]) await runStep(rig, attack, step, {});
}

/**
 * The same where so many run at once that each must wait for its turn, and where cordons die: what the attacker's isolate
 * should remember may be gone with it, so only the attack itself and what bystanders see of it is checked.
 */
export async function runAttackInStorm(rig: Rig, attack: NamedAttack, wallMs: number): Promise<void> {
  const steps = [firstOf(attack), ...(attack.later ?? []).filter(({ by }) => by === 'bystander')];
  for (const step of steps) {
    await untilTaken(() => runStep(rig, attack, step, { wallMs }), ['sandbox-saturated', 'sandbox-interrupted']);
  }
}

const firstOf = ({ asks, ends }: Attack): Step => ({ by: 'attacker', ends, ...(asks ? { asks } : {}) });

async function runStep(rig: Rig, attack: NamedAttack, step: Step, usual: Partial<Limits>): Promise<void> {
  const isAboutCpu = !endsWell(step.ends) && step.ends.includes('cpu-limit');
  const limits = { ...ATTACK_LIMITS, ...(isAboutCpu ? {} : { cpuMs: AMPLE_CPU_MS }), ...usual, ...attack.limits };
  const ran = await rig.run({
    code: attack.code,
    installation: installationOf(attack, step.by),
    limits,
    ungranted: attack.ungranted === true,
    ...(step.asks ? { asks: step.asks } : {}),
  });
  expectEnds(ran, step.ends);
  expect(ran.outcome.usage.wallMs, 'milliseconds').to.be.at.most(limits.wallMs + DEADLINE_SLACK_MS);
  expect(leaksIn(ran), 'what it learned of the host').to.deep.equal([]);
  for (const { json } of ran.logs)
    expect(nestingOf(JSON.parse(json)), 'levels of a log record').to.be.at.most(LOG_LEVELS_MAX);
  if (step.by === 'attacker' && step.ends === attack.ends) expectSays(ran, attack);
}

/** For what does not end by its CPU budget: a machine that does too much at once may count as CPU time that it stood still. */
const AMPLE_CPU_MS = 1_000;

/** Whoever has a deadline of half a second may find no room before it; then it is refused, and may come again. */
export async function untilTaken<Result>(run: () => Promise<Result>, refusals: SandboxRefusalCode[]): Promise<Result> {
  for (;;) {
    try {
      return await run();
    } catch (error) {
      if (!(error instanceof SandboxRefusal && refusals.includes(error.code))) throw error;
    }
  }
}

function expectEnds(ran: Ran, ends: Ends): void {
  if (!endsWell(ends)) {
    expect(codeOf(ran), answerText(ran)).to.be.oneOf(ends);
    return;
  }
  expect(answerOf(ran.outcome)).to.deep.equal(ends.answers);
}

const answerText = ({ outcome }: Ran): string => (outcome.status === 'completed' ? outcome.output.slice(0, 200) : '');

function expectSays({ outcome, logs }: Ran, { says, logs: expected }: Attack): void {
  if (says) expect(outcome.status === 'faulted' && outcome.fault.message).to.match(says);
  if (!expected) return;
  const messages = logs.map(({ json }) => (JSON.parse(json) as { message: string }).message);
  expect(messages).to.have.length(expected.length);
  for (const [at, message] of messages.entries()) {
    const wanted = expected[at]!;
    if (typeof wanted === 'string') expect(message).to.equal(wanted);
    else expect(message).to.match(wanted);
  }
}

/** What a database takes without complaint, by a wide margin. */
const LOG_LEVELS_MAX = 64;

/** Levels of a value, counted only as far as it matters. */
const nestingOf = (value: unknown, levels = 0): number =>
  typeof value === 'object' && value !== null && levels <= LOG_LEVELS_MAX
    ? Math.max(levels, ...Object.values(value).map((one) => nestingOf(one, levels + 1)))
    : levels;

/** Everybody who was blamed for the deaths, and is none of `culprits`. */
export const blamedWrongly = (deaths: readonly CordonDeath[], culprits: ReadonlySet<string>): string[] =>
  deaths
    .flatMap((death) => death.culprits.map(({ installationId }) => installationId))
    .filter((id) => !culprits.has(id));
