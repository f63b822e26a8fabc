import { execFileSync } from 'node:child_process';
import { fstatSync, mkdtempSync, openSync, readdirSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { closeAll, type LanePipe, PIPE_BYTES, takeLanePipes } from './lane-pipes.ts';

const fdsOf = ({ writeFd, hearFd, pollFd }: LanePipe) => [writeFd, hearFd, pollFd];
/** More than are ever made at a time, so that some are made now. */
const MANY = 40;

describe('takeLanePipes', () => {
  const { TMPDIR } = process.env;
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'pipes-test-'));
    process.env.TMPDIR = folder;
  });
  afterEach(() => {
    if (TMPDIR === undefined) delete process.env.TMPDIR;
    else process.env.TMPDIR = TMPDIR;
    rmSync(folder, { recursive: true });
  });

  it('gives pipes that are ways of their own, one way only, and leaves no name behind', () => {
    const pipes = takeLanePipes(MANY);
    try {
      expect(new Set(pipes.map(({ hearFd }) => fstatSync(hearFd).ino)).size).to.equal(MANY);
      for (const pipe of pipes) {
        expect(new Set(fdsOf(pipe).map((fd) => fstatSync(fd).ino)).size).to.equal(1);
        expect(fstatSync(pipe.hearFd).isFIFO()).to.equal(true);
        for (const fd of [pipe.hearFd, pipe.pollFd]) expect(() => writeSync(fd, 'x')).to.throw('EBADF');
      }
      expect(readdirSync(folder)).to.deep.equal([]);
    } finally {
      closeAll(pipes.flatMap(fdsOf));
    }
  });

  it('gives pipes that hold many frames with long bodies', function () {
    if (process.platform !== 'linux') this.skip();
    const [pipe] = takeLanePipes(1) as [LanePipe];
    try {
      let bytes = 0;
      const fill = () => {
        for (const page = Buffer.alloc(4_096); ; ) bytes += writeSync(pipe.writeFd, page);
      };
      expect(fill).to.throw('EAGAIN');
      expect(bytes).to.equal(PIPE_BYTES);
    } finally {
      closeAll(fdsOf(pipe));
    }
  });

  it('gives pipes that nobody but root can open again by their descriptors', function () {
    if (process.platform !== 'linux') this.skip();
    const [pipe] = takeLanePipes(1) as [LanePipe];
    try {
      expect(fstatSync(pipe.hearFd).mode & 0o777).to.equal(0);
      const paths = fdsOf(pipe).map((fd) => `/proc/${process.pid}/fd/${fd}`);
      if (process.getuid?.() !== 0) for (const path of paths) expect(() => openSync(path, 'r+')).to.throw('EACCES');
    } finally {
      closeAll(fdsOf(pipe));
    }
  });

  it('says what is lacking where there is no mkfifo, keeps nothing open, and works once there is', function () {
    if (process.platform !== 'linux') this.skip();
    const open = () => readdirSync('/proc/self/fd').length;
    const { PATH } = process.env;
    const before = open();
    process.env.PATH = '/nowhere';
    try {
      expect(() => takeLanePipes(MANY)).to.throw(/mkfifo.*coreutils/);
    } finally {
      process.env.PATH = PATH;
    }
    expect(open()).to.equal(before);
    expect(readdirSync(folder)).to.deep.equal([]);
    closeAll(takeLanePipes(1).flatMap(fdsOf));
  });

  it('closes what it has opened where descriptors run out', function () {
    if (process.platform !== 'linux') this.skip();
    const script = `
      import { openSync, closeSync, readdirSync } from 'node:fs';
      import { closeAll, takeLanePipes } from ${JSON.stringify(join(import.meta.dirname, 'lane-pipes.ts'))};
      const open = () => readdirSync('/proc/self/fd').length;
      // Starting mkfifo needs some; the pipes need more.
      const taken = [];
      try { for (;;) taken.push(openSync('/dev/null', 'r')); } catch {}
      closeAll(taken.splice(-30));
      const before = open();
      let code = 'none';
      try { takeLanePipes(1); } catch (error) { code = error.code; }
      const after = open();
      closeAll(taken);
      closeAll(takeLanePipes(1).flatMap((pipe) => Object.values(pipe)));
      console.log(JSON.stringify({ code, leaked: after - before }));`;
    const command = 'ulimit -n 200 && exec "$0" --input-type=module-typescript -e "$1"';
    const said = execFileSync('bash', ['-c', command, process.execPath, script], { encoding: 'utf8' });
    expect(JSON.parse(said)).to.deep.equal({ code: 'EMFILE', leaked: 0 });
  });
});
