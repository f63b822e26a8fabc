import { join } from 'node:path';
import { expect } from 'chai';
import { type HostCallRequest, SandboxRefusal } from '../index.ts';
import { confinementOf, cordonLauncher, ENGINE_ARGUMENTS, type LaunchCordon, startCordon } from '../launch-cordon.ts';
import { answerOf, codeOf, entry, jobIn, openTestSandbox, type TestSandbox, until } from '../test-sandbox.ts';

const LIAR = join(import.meta.dirname, 'liar-cordon.ts');
const HONEST = jobIn('return (await ctx.kv.get("a")).value;');
const HOST_CALLS_MAX = 20;
const LOG_BYTES_MAX = 4_096;
/** An isolate on the liar's lane, one elsewhere, and what the first execution cost. */
const BILLS_MAX = 4;
const INSTALLATIONS = Array.from({ length: 12 }, (_, at) => `installation-${at}`);

/** The first cordon was taken over before anything ran in it; all others are honest. */
const withLiar = async (lie: string, seed = 1): Promise<LaunchCordon> => {
  const honest = await cordonLauncher(await confinementOf('auto'));
  let started = 0;
  return (size) =>
    started++ === 0
      ? startCordon([process.execPath, ...ENGINE_ARGUMENTS, LIAR, lie, String(seed)], size.lanes)
      : honest(size);
};

/** What a cordon can say that makes the host kill it, and what the host calls it. */
const CAUGHT: Record<string, RegExp> = {
  'bytes that are no frame': /head of 4294967295 bytes/,
  'a head without end': /head of \d+ bytes is over/,
  'a head that is no JSON': /not JSON/,
  'a head that is null': /what no lane says/,
  'a head that is a list of anything': /what no lane says/,
  'a message that there is not': /what no lane says/,
  'numbers that are none': /what no lane says/,
  'the code of a stranger': /code of a stranger/,
  'that it needs its code again and again': /code more often/,
  'the bill of a stranger': /bills a stranger/,
  'small bills without end': /start-ups that were none/,
  'that it loses what it is given': /for no reason/,
  'more calls than it may make': /more host calls/,
  'larger calls than it may make': /more host calls/,
  'more log than it may write': /logs more/,
  'an answer that is too large': /larger than it may be/,
  'an answer that is larger than it says': /larger than it may be, or than it says/,
  'a fault without end': /fault is larger/,
  'more CPU time than has passed': /more CPU time than has passed/,
  'what concerns nobody': /concerns nobody/,
  'a flood on the control channel': /floods the control channel/,
  'nonsense on the control channel': /head of 4294967295 bytes/,
  'a flood of errors': /floods its standard error/,
};

describe('the host of a cordon that was taken over', () => {
  let rig: TestSandbox;
  afterEach(() => rig.close());

  /** Honest invocations of many installations, some of which come to the liar's lane: what they answered, or were refused with. */
  const runAll = () =>
    Promise.all(
      INSTALLATIONS.map(async (installation) => {
        const hostCall = async (call: HostCallRequest) => entry(call);
        const outcome = rig.run(HONEST, { installation, id: `of-${installation}`, limits: LIMITS, hostCall });
        return outcome.then(answerOf).catch((error) => (error instanceof SandboxRefusal ? error.code : `${error}`));
      }),
    );
  const LIMITS = { hostCalls: HOST_CALLS_MAX, timers: 1, pieces: 0, logBytes: LOG_BYTES_MAX, wallMs: 60_000 };

  for (const [lie, why] of Object.entries(CAUGHT)) {
    it(`does not believe ${lie}, and answers everybody rightly elsewhere`, async () => {
      rig = await openTestSandbox({ cordons: 2 }, await withLiar(lie));
      const answers = await runAll();
      const wrong = answers.filter((answer) => answer !== 1);
      // Calls in its name have had effects, so an invocation that makes others cannot take over from there.
      expect(
        wrong.filter((answer) => answer !== 'sandbox-interrupted' || !lie.endsWith('calls than it may make')),
      ).to.deep.equal([]);
      expect(wrong.length).to.be.lessThan(2);
      expect(rig.deaths.map(({ reason, culprits }) => ({ reason, culprits }))).to.deep.equal([
        { reason: 'distrusted', culprits: [] },
      ]);
      expect(rig.deaths[0]!.why).to.match(why);
      expect(new Set(rig.loads).size).to.equal(1);
      expect(rig.loads.length).to.be.at.most(2 * INSTALLATIONS.length);
      expect(rig.extras.filter(({ installationId }) => installationId === 'stranger')).to.deep.equal([]);
      for (const installation of INSTALLATIONS) {
        expect(rig.extras.filter((extra) => extra.installationId === installation).length).to.be.at.most(BILLS_MAX);
        const calls = rig.calls.filter(({ installationId }) => installationId === installation);
        expect(calls.length).to.be.lessThan(HOST_CALLS_MAX + 2);
      }
      const logged = rig.logs.reduce((units, { json }) => units + json.length, 0);
      expect(logged).to.be.lessThan(LOG_BYTES_MAX * 4 * INSTALLATIONS.length);
    });
  }

  it('lets it answer for the invocations that it was given, and for no other', async () => {
    rig = await openTestSandbox({ cordons: 2 }, await withLiar('answers for everybody'));
    const answers = await runAll();
    const forged = INSTALLATIONS.filter((_, at) => answers[at] === 'forged');
    const called = new Set(rig.calls.map(({ installationId }) => installationId));
    // Whoever was on the honest cordon has made its host call, and got its own answer.
    expect(forged).to.deep.equal(INSTALLATIONS.filter((installation) => !called.has(installation)));
    expect(forged.length).to.be.within(1, INSTALLATIONS.length - 1);
    for (const answer of answers) expect(answer).to.be.oneOf([1, 'forged']);
  });

  it('does not let it become another process for the host once it is ready', async () => {
    rig = await openTestSandbox({ cordons: 2 }, await withLiar('another number of its process'));
    const before = rig.sandbox.status().cordons.map(({ pid }) => pid);
    const answers = await runAll();
    expect(answers).to.include('forged');
    expect(rig.sandbox.status().cordons.map(({ pid }) => pid)).to.deep.equal(before);
    expect(before).to.not.include(1);
  });

  it('replaces it where a lane hears nothing, though the process says that it lives', async () => {
    rig = await openTestSandbox({ cordons: 2 }, await withLiar('nothing but that it lives'));
    const ends = await Promise.all(
      INSTALLATIONS.map((installation) =>
        rig
          .run(HONEST, { installation, limits: { ...LIMITS, wallMs: 3_000 }, hostCall: async (call) => entry(call) })
          .then(codeOf, ({ code }: SandboxRefusal) => code),
      ),
    );
    // Not begun, as far as the host can know.
    expect(new Set(ends)).to.deep.equal(new Set(['completed', 'sandbox-saturated']));
    await until(() => rig.deaths.length > 0);
    expect(rig.deaths.map(({ reason, culprits }) => ({ reason, culprits }))).to.deep.equal([
      { reason: 'overdue', culprits: [] },
    ]);
    expect(new Set(await runAll())).to.deep.equal(new Set([1]));
  });

  it('blames nobody whom the cordon was never given', async () => {
    rig = await openTestSandbox({ cordons: 2 }, await withLiar('blame for a stranger'));
    const answers = await runAll();
    expect(answers).to.deep.equal(INSTALLATIONS.map(() => 1));
    expect(rig.deaths.map(({ reason, culprits }) => ({ reason, culprits }))).to.deep.equal([
      { reason: 'aborted', culprits: [] },
    ]);
  });

  for (const seed of [1, 2, 3, 4]) {
    it(`survives whatever mutations of frames it sends (seed ${seed})`, async () => {
      rig = await openTestSandbox({ cordons: 2 }, await withLiar('mutations of frames', seed));
      await runAll();
      expect(rig.deaths.some(({ reason }) => reason === 'distrusted')).to.equal(true);
      expect(rig.deaths.flatMap(({ culprits }) => culprits)).to.deep.equal([]);
      expect(new Set(rig.loads).size).to.equal(1);
      // The host is as able as before.
      expect(answerOf(await rig.run(HONEST, { installation: 'afterwards' }))).to.equal(1);
    });
  }
});
