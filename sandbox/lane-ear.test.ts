import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, fstatSync, readdirSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { createLaneEar } from './lane-ear.ts';
import { type LanePipe, openLanePipes } from './lane-pipes.ts';

const POLL_US = 500;
const CHUNK = Buffer.alloc(64 * 1024);

describe('the ear of a lane', () => {
  let pipe: LanePipe;
  let open: number[];
  beforeEach(() => {
    [pipe] = openLanePipes(1) as [LanePipe];
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
    const { hear, looks } = earWith(0, () => {});
    const speaker = spawn('sh', ['-c', 'sleep 0.3; printf late >&3'], {
      stdio: ['ignore', 'ignore', 'ignore', pipe.writeFd],
    });
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
    hear(POLL_US);
    expect(Error.stackTraceLimit).to.equal(stackTraceLimit);
  });

  it('does not take another error for silence', () => {
    const hear = createLaneEar({ hearFd: pipe.hearFd, pollFd: 1_000_000 }, () => 0);
    expect(() => hear(CHUNK, POLL_US)).to.throw('EBADF');
  });
});

describe('openLanePipes', () => {
  const folders = () => readdirSync(tmpdir()).filter((name) => name.startsWith('gatehouse-pipes-'));
  const close = (pipes: LanePipe[]) => {
    for (const { writeFd, hearFd, pollFd } of pipes) for (const fd of [writeFd, hearFd, pollFd]) closeSync(fd);
  };

  it('opens pipes that are ways of their own and have no name any more', () => {
    const before = folders();
    const pipes = openLanePipes(40);
    try {
      expect(new Set(pipes.map(({ hearFd }) => fstatSync(hearFd).ino)).size).to.equal(40);
      for (const { writeFd, hearFd, pollFd } of pipes) {
        expect(new Set([writeFd, hearFd, pollFd].map((fd) => fstatSync(fd).ino)).size).to.equal(1);
        expect(fstatSync(hearFd)).to.include({ nlink: 0 });
        expect(fstatSync(hearFd).isFIFO()).to.equal(true);
        expect(fstatSync(hearFd).mode & 0o777).to.equal(0o600);
        expect(() => writeSync(hearFd, 'x')).to.throw('EBADF');
        expect(() => writeSync(pollFd, 'x')).to.throw('EBADF');
      }
    } finally {
      close(pipes);
    }
    expect(folders().length).to.be.at.most(before.length + 1);
  });

  it('makes new ones where the machine has thrown away those that it kept ready', () => {
    close(openLanePipes(1));
    for (const name of folders()) rmSync(join(tmpdir(), name), { recursive: true });
    close(openLanePipes(1));
  });

  it('says what is lacking where there is no mkfifo, and works once there is', () => {
    for (const name of folders()) rmSync(join(tmpdir(), name), { recursive: true });
    const { PATH } = process.env;
    process.env.PATH = '/nowhere';
    try {
      expect(() => openLanePipes(1)).to.throw(/mkfifo.*coreutils/);
    } finally {
      process.env.PATH = PATH;
    }
    close(openLanePipes(1));
  });
});
