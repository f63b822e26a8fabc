import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, writeSync } from 'node:fs';
import { expect } from 'chai';
import { createLaneEar } from './lane-ear.ts';
import { type LanePipe, takeLanePipes } from './lane-pipes.ts';

const POLL_US = 500;
const CHUNK = Buffer.alloc(64 * 1024);

describe('the ear of a lane', () => {
  let pipe: LanePipe;
  let open: number[];
  beforeEach(() => {
    [pipe] = takeLanePipes(1) as [LanePipe];
    open = [pipe.writeFd, pipe.hearFd, pipe.pollFd];
  });
  afterEach(() => {
    for (const fd of open) closeSync(fd);
  });
  const hangUp = () => {
    open = [pipe.hearFd, pipe.pollFd];
    closeSync(pipe.writeFd);
  };

  /** An ear whose clock goes on by 10 us with each look, and what is done when the clock is read for the `times`th time. */
  const earWith = (times: number, act: () => void) => {
    let looks = 0;
    const hear = createLaneEar(pipe, () => {
      if (++looks === times) act();
      return looks / 100;
    });
    return { hear: (pollUs: number) => CHUNK.toString('latin1', 0, hear(CHUNK, pollUs)), looks: () => looks };
  };
  const say = (words: string) => () => void writeSync(pipe.writeFd, words);

  it('hears at once what has been said, without a look at the clock where it is not to poll', () => {
    const { hear, looks } = earWith(0, () => {});
    say('one')();
    expect(hear(0)).to.equal('one');
    expect(looks()).to.equal(0);
    say('two')();
    expect(hear(POLL_US)).to.equal('two');
  });

  it('hears what is said while it polls, and stops', () => {
    const { hear, looks } = earWith(20, say('now'));
    expect(hear(POLL_US)).to.equal('now');
    expect(looks()).to.equal(20);
  });

  it('sleeps after as long as it may poll, and is woken by what comes then', async () => {
    const [cue] = takeLanePipes(1) as [LanePipe];
    open.push(cue.writeFd, cue.hearFd, cue.pollFd);
    const speaker = spawn('sh', ['-c', 'read cue <&4; printf late >&3'], {
      stdio: ['ignore', 'ignore', 'ignore', pipe.writeFd, cue.hearFd],
    });
    const { hear, looks } = earWith(51, () => void writeSync(cue.writeFd, 'now\n'));
    expect(hear(POLL_US)).to.equal('late');
    expect(looks()).to.be.within(51, 52);
    await once(speaker, 'exit');
  });

  it('hears that nobody speaks any more, polling or not', () => {
    const { hear } = earWith(3, hangUp);
    expect(hear(POLL_US)).to.equal('');
    expect(hear(0)).to.equal('');
  });

  it('leaves stacks to the errors of others', () => {
    const { hear } = earWith(3, say('x'));
    const { stackTraceLimit } = Error;
    Error.stackTraceLimit = 7;
    try {
      hear(POLL_US);
      expect(Error.stackTraceLimit).to.equal(7);
    } finally {
      Error.stackTraceLimit = stackTraceLimit;
    }
  });

  it('does not take another error for silence', () => {
    const hear = createLaneEar({ hearFd: pipe.hearFd, pollFd: 1_000_000 }, () => 0);
    expect(() => hear(CHUNK, POLL_US)).to.throw('EBADF');
  });
});
