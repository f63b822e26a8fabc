import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'chai';

/** Stands in for npm, so that failures and interruptions can be had at will; `.ci/run` launches with the real one. */
const FAKE_NPM = `#!/usr/bin/env node
import fs from 'node:fs';
fs.appendFileSync('npm.log', process.argv.slice(2).join(' ') + '\\n');
const mood = fs.existsSync('npm.mood') ? fs.readFileSync('npm.mood', 'utf8') : 'well';
if (mood.startsWith('npm error')) { console.error(mood); process.exit(1); }
const finish = () => {
  fs.mkdirSync('node_modules', { recursive: true });
  const lockfile = fs.readFileSync('package-lock.json', 'utf8');
  fs.writeFileSync('node_modules/.package-lock.json', mood === 'other' ? '{"packages":{}}' : lockfile);
};
if (mood === 'stuck') { fs.mkdirSync('node_modules'); fs.writeFileSync('node_modules/torn', ''); setInterval(() => {}, 1000); }
else if (mood === 'held') {
  const look = setInterval(() => {
    if (!fs.existsSync('npm.go')) return;
    clearInterval(look);
    finish();
  }, 20);
} else finish();
`;

const GATE = `
process.stdout.write(JSON.stringify(process.argv.slice(2)) + '\\n');
const [verb, value] = process.argv.slice(2);
if (verb === 'exit') process.exit(Number(value));
if (verb === 'die') process.kill(process.pid, value);
if (verb === 'wait') {
  const seen: string[] = [];
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      console.log('seen ' + signal);
      if (seen.push(signal) === (signal === 'SIGHUP' ? 2 : 1)) setTimeout(() => { console.log('signals ' + seen.join(',')); process.exit(7); }, 700);
    });
  }
  console.log('waiting');
  setInterval(() => {}, 1000);
}
`;

const LOCKFILE = {
  lockfileVersion: 3,
  packages: { '': {}, 'node_modules/koa': { version: '3.3.0', integrity: 'sha512-x' } },
};

describe('bin/launch.mjs', () => {
  let root: string;
  const launched: ChildProcess[] = [];

  beforeEach(() => {
    root = fs.mkdtempSync(path.join(os.tmpdir(), 'launch-'));
    fs.mkdirSync(path.join(root, 'bin'));
    fs.cpSync(path.join(import.meta.dirname, 'launch'), path.join(root, 'bin/launch'), { recursive: true });
    fs.copyFileSync(path.join(import.meta.dirname, 'launch.mjs'), path.join(root, 'bin/launch.mjs'));
    fs.writeFileSync(path.join(root, 'bin/gate.ts'), GATE);
    fs.writeFileSync(path.join(root, 'package.json'), '{"type":"module"}');
    fs.writeFileSync(path.join(root, 'package-lock.json'), JSON.stringify(LOCKFILE));
    fs.writeFileSync(path.join(root, '.node-version'), '26.10.0\n');
    fs.mkdirSync(path.join(root, 'path'));
    fs.writeFileSync(path.join(root, 'path/npm'), FAKE_NPM, { mode: 0o755 });
  });

  afterEach(async () => {
    for (const child of launched.splice(0)) if (child.exitCode === null) child.kill('SIGKILL');
    await fs.promises.rm(root, { recursive: true, force: true, maxRetries: 5 });
  });

  const write = (name: string, text: string) => {
    fs.mkdirSync(path.dirname(path.join(root, name)), { recursive: true });
    fs.writeFileSync(path.join(root, name), text);
  };
  const npmRuns = () => (exists('npm.log') ? read('npm.log').trim().split('\n').length : 0);
  const read = (name: string) => fs.readFileSync(path.join(root, name), 'utf8');
  const exists = (name: string) => fs.existsSync(path.join(root, name));

  async function until(holds: () => boolean): Promise<void> {
    for (let waits = 0; !holds(); waits += 1) {
      if (waits > 2_500) throw new Error('waited in vain');
      await sleep(20);
    }
  }

  const searchPath = () => [path.join(root, 'path'), path.dirname(process.execPath), '/usr/bin', '/bin'].join(':');

  function start(args: string[], PATH = searchPath()) {
    const child = spawn(process.execPath, [path.join(root, 'bin/launch.mjs'), ...args], {
      env: { PATH, HOME: root },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    launched.push(child);
    const seen = { child, stdout: '', stderr: '' };
    child.stdout.on('data', (chunk) => (seen.stdout += chunk));
    child.stderr.on('data', (chunk) => (seen.stderr += chunk));
    const ended = once(child, 'close').then(([code, signal]) => ({ ...seen, code, signal }));
    return { seen, child, ended };
  }

  it('installs the dependencies, then hands over the arguments and the exit code', async () => {
    const { code, stdout, stderr } = await start(['gate', 'exit', '3', '--flag=x y']).ended;
    expect(stdout).to.equal('["exit","3","--flag=x y"]\n');
    expect(stderr).to.match(/Installing dependencies.*\n.*Installed dependencies.* in [0-9.]+ s\n/);
    expect(code).to.equal(3);
    expect(read('npm.log')).to.include('install --ignore-scripts --no-save');
  });

  it('installs nothing the second time, and says nothing', async () => {
    await start(['gate']).ended;
    const { stderr, code } = await start(['gate']).ended;
    expect({ stderr, code, runs: npmRuns() }).to.deep.equal({ stderr: '', code: 0, runs: 1 });
  });

  it('installs again when package-lock.json has changed', async () => {
    await start(['gate']).ended;
    write('package-lock.json', JSON.stringify(LOCKFILE).replace('3.3.0', '3.3.1'));
    await start(['gate']).ended;
    expect(npmRuns()).to.equal(2);
  });

  it("accepts what a developer's own npm install has put in place", async () => {
    write('node_modules/.package-lock.json', JSON.stringify(LOCKFILE));
    await start(['gate']).ended;
    expect(npmRuns()).to.equal(0);
  });

  it('says so when npm installed something else than the lockfile names', async () => {
    write('npm.mood', 'other');
    const { code, stderr } = await start(['gate']).ended;
    expect(code).to.equal(1);
    expect(stderr).to.include('npm installed node_modules/koa otherwise than package-lock.json names it');
  });

  it('installs once when two launches run at the same time', async () => {
    write('npm.mood', 'held');
    const both = [start(['gate']), start(['gate'])];
    await until(() => both.some(({ seen }) => seen.stderr.includes('Another launch')));
    write('npm.go', '');
    const ends = await Promise.all(both.map(({ ended }) => ended));
    expect(ends.map(({ code }) => code)).to.deep.equal([0, 0]);
    expect(npmRuns()).to.equal(1);
  });

  it('breaks the lock of a launch that is dead', async () => {
    const dead = spawn(process.execPath, ['--version'], { stdio: 'ignore' });
    await once(dead, 'exit');
    write('.runtime/install.lock', JSON.stringify({ pid: dead.pid, host: os.hostname() }));
    expect((await start(['gate']).ended).code).to.equal(0);
    expect(exists('.runtime/install.lock')).to.equal(false);
  });

  it('stops npm on SIGTERM, ends by that signal, and starts the next install from nothing', async () => {
    write('npm.mood', 'stuck');
    const first = start(['gate']);
    await until(() => exists('node_modules/torn'));
    first.child.kill('SIGTERM');
    expect((await first.ended).signal).to.equal('SIGTERM');
    expect(exists('.runtime/install.lock')).to.equal(false);
    write('npm.mood', 'well');
    expect((await start(['gate']).ended).code).to.equal(0);
    expect(exists('node_modules/torn')).to.equal(false);
  });

  it('waits for the npm of a launch that was killed outright', async () => {
    write('npm.mood', 'held');
    const first = start(['gate']);
    await until(() => npmRuns() === 1);
    first.child.kill('SIGKILL');
    const second = start(['gate']);
    await until(() => second.seen.stderr.includes('Another launch'));
    write('npm.go', '');
    expect((await second.ended).code).to.equal(0);
  });

  for (const [reason, mood, sentence] of [
    [
      'no network',
      'npm error code ENOTFOUND\nnpm error network request failed',
      'npm cannot reach its registry (ENOTFOUND)',
    ],
    ['a full disk', 'npm error code ENOSPC\nnpm error nospc write', 'The disk is full'],
    ['a cache of somebody else', 'npm error code EACCES\nnpm error path /x', 'npm may not write'],
    ['anything else', 'npm error code EBROKEN\nnpm error it is broken', 'npm install failed (1): it is broken'],
  ] as const) {
    it(`explains ${reason} in one sentence and exits 1`, async () => {
      write('npm.mood', mood);
      const { code, stderr, stdout } = await start(['gate']).ended;
      const last = stderr.trim().split('\n').at(-1);
      expect(last).to.include(`gatehouse: ${sentence}`);
      expect(stderr).to.not.include('    at ');
      expect({ code, stdout }).to.deep.equal({ code: 1, stdout: '' });
    });
  }

  it('says so when npm is missing', async () => {
    fs.rmSync(path.join(root, 'path/npm'));
    const { code, stderr } = await start(['gate'], path.join(root, 'path')).ended;
    expect(code).to.equal(1);
    expect(stderr).to.include('npm was not found');
  });

  it('shows how it is used when the command is unknown', async () => {
    const { code, stderr } = await start(['nonsense']).ended;
    expect(code).to.equal(2);
    expect(stderr).to.match(/^Usage: .*demo\|test\|check/);
  });

  it('ends by the signal that ended the program', async () => {
    expect((await start(['gate', 'die', 'SIGKILL']).ended).signal).to.equal('SIGKILL');
  });

  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    it(`passes ${signal} on once where no terminal does, and returns the exit code`, async () => {
      const { seen, child, ended } = start(['gate', 'wait']);
      await until(() => seen.stdout.includes('waiting'));
      child.kill(signal);
      child.kill(signal);
      const { stdout, code } = await ended;
      expect(stdout).to.include(`signals ${signal}\n`);
      expect(code).to.equal(7);
    });
  }

  it('passes every SIGHUP on, for each asks for new hosts', async () => {
    const { seen, child, ended } = start(['gate', 'wait']);
    await until(() => seen.stdout.includes('waiting'));
    child.kill('SIGHUP');
    await until(() => seen.stdout.includes('seen SIGHUP'));
    child.kill('SIGHUP');
    expect((await ended).stdout).to.include('signals SIGHUP,SIGHUP\n');
  });

  it('lets Ctrl-C on a terminal reach the program exactly once', async function () {
    // The pseudo-terminal is util-linux's `script`, whose options differ elsewhere.
    if (process.platform !== 'linux') return this.skip();
    await start(['gate']).ended;
    const command = `exec ${process.execPath} ${path.join(root, 'bin/launch.mjs')} gate wait`;
    const child = spawn('script', ['-qec', command, '/dev/null'], { env: { PATH: searchPath(), HOME: root } });
    launched.push(child);
    let stdout = '';
    child.stdout.on('data', (chunk) => (stdout += chunk));
    await until(() => stdout.includes('waiting'));
    child.stdin.write('\x03');
    await once(child, 'close');
    expect(stdout).to.include('signals SIGINT\r\n');
    expect(child.exitCode).to.equal(7);
  });
});
