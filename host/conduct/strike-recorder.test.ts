import { expect } from 'chai';
import type { CordonDeath, Culprit } from '../../sandbox/index.ts';
import type { Strike } from './contract.ts';
import type { Verdict } from './rules/standing.ts';
import { createStrikeRecorder } from './strike-recorder.ts';

const culprit = (id: string): Culprit => ({ invocationId: id, installationId: `of-${id}`, digest: 'd' });
const death = (...culprits: Culprit[]): CordonDeath => ({
  pid: 1,
  atMs: 7,
  reason: 'overdue',
  exit: 'SIGKILL',
  culprits,
});

const rig = (write: (strike: Strike, attempt: number) => Verdict | null = () => 'counted') => {
  const attempts: string[] = [];
  const lines: string[] = [];
  let counted = 0;
  let wake = () => {};
  const note = (_facts: object, message: string) => void lines.push(message);
  const recorder = createStrikeRecorder({
    store: {
      strike: async (strike) => {
        attempts.push(strike.invocationId);
        wake();
        await null;
        return write(strike, attempts.length);
      },
    },
    onStrike: () => {
      counted += 1;
    },
    log: { debug: note, info: note, warn: note, error: note },
    retryMs: 1,
  });
  const attempted = async (count: number) => {
    while (attempts.length < count) {
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
  };
  return { recorder, attempts, lines, attempted, counted: () => counted };
};

const outage = () => {
  throw Object.assign(new Error('down'), { code: 'ECONNREFUSED' });
};

describe('createStrikeRecorder', () => {
  it('strikes every culprit of a death with what is known about it, and nobody where there is none', async () => {
    const strikes: Strike[] = [];
    const { recorder, counted } = rig((strike) => {
      strikes.push(strike);
      return 'counted';
    });
    recorder.onCordonDeath(death());
    recorder.onCordonDeath(death(culprit('a'), culprit('b')));
    await recorder.close();
    expect(strikes).to.deep.equal([
      { invocationId: 'a', installationId: 'of-a', digest: 'd', atMs: 7, death: 'overdue', exit: 'SIGKILL' },
      { invocationId: 'b', installationId: 'of-b', digest: 'd', atMs: 7, death: 'overdue', exit: 'SIGKILL' },
    ]);
    expect(counted()).to.equal(2);
  });

  it('tries again, in order, until the database is back', async () => {
    const { recorder, attempts, attempted, counted } = rig((_strike, attempt) => (attempt < 4 ? outage() : 'counted'));
    recorder.onCordonDeath(death(culprit('a')));
    await attempted(2);
    recorder.onCordonDeath(death(culprit('b')));
    await attempted(5);
    await recorder.close();
    expect(attempts).to.deep.equal(['a', 'a', 'a', 'a', 'b']);
    expect(counted()).to.equal(2);
  });

  it('passes over what the database refuses, and does not count it', async () => {
    const { recorder, attempts, counted, lines } = rig(({ invocationId }) => {
      if (invocationId === 'odd') throw Object.assign(new Error('no uuid'), { code: '22P02' });
      return invocationId === 'gone' ? null : 'counted';
    });
    recorder.onCordonDeath(death(culprit('odd'), culprit('gone'), culprit('a')));
    await recorder.close();
    expect(attempts).to.deep.equal(['odd', 'gone', 'a']);
    expect(counted()).to.equal(1);
    expect(lines).to.deep.equal(['strike not written', 'strike without an installation', 'installation struck']);
  });

  it('takes strikes that come after all earlier ones were written', async () => {
    const { recorder, attempts, attempted } = rig();
    for (const [at, id] of ['a', 'b', 'c'].entries()) {
      recorder.onCordonDeath(death(culprit(id)));
      await attempted(at + 1);
      await new Promise(setImmediate);
    }
    await recorder.close();
    expect(attempts).to.deep.equal(['a', 'b', 'c']);
  });

  it('does not wait for a database that is down when it is closed', async () => {
    const { recorder, attempted } = rig(outage);
    recorder.onCordonDeath(death(culprit('a'), culprit('b')));
    await attempted(1);
    await recorder.close();
  });
});
