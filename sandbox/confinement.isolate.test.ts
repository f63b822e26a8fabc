import { execFile, spawn } from 'node:child_process';
import { chmodSync, cpSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { DEFAULT_LIMITS } from '../plugins-sdk/contract/index.ts';
import type { LayerFinding } from './confinement/layers.ts';
import { lookAt } from './confinement/look-at.ts';
import { confinedCordon, confinementOf } from './launch-cordon.ts';
import { hasOwnAccounts, UNPRIVILEGED_ID } from './privileges.ts';
import { answerOf, jobIn, openTestSandbox, until } from './test-sandbox.ts';

const HERE = import.meta.dirname;
const ROOT = resolve(HERE, '..');
const isRoot = process.getuid?.() === 0;

/** Runs and zombies apart: a process that has ended counts as gone although nobody has waited for it. */
const isAlive = (pid: number): boolean => {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
};

/** The processes between a cordon and this one. */
function ancestorsOf(pid: number): number[] {
  const parent = Number(/^PPid:\s+(\d+)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);
  return parent === process.pid ? [] : [parent, ...ancestorsOf(parent)];
}

/** Root without what namespaces take, as most containers have it. */
const IN_CONTAINER = ['setpriv', '--bounding-set=-sys_admin', '--inh-caps=-all'];

/** What a program prints that is given as text. */
async function printed(code: string, before: string[] = []): Promise<string> {
  const [program, ...args] = [...before, process.execPath, '--input-type=module', '--eval', code];
  const { stdout } = await promisify(execFile)(program!, args, { cwd: HERE });
  return stdout;
}

/** Starts test-parent.ts below `root`; resolves with its first line. */
async function startParent(root: string, before: string[] = []) {
  const parent = [process.execPath, join(root, 'sandbox/test-parent.ts'), JSON.stringify(DEFAULT_LIMITS)];
  const [program, ...args] = [...before, ...parent];
  const child = spawn(program!, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let [said, complained] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    said += chunk;
  });
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    complained += chunk;
  });
  await until(() => said.endsWith('\n') || child.exitCode !== null || child.signalCode !== null);
  if (!said.endsWith('\n')) throw new Error(complained);
  return { child, ...(JSON.parse(said) as { outcome: { output: string }; pids: number[] }) };
}

/** A host with a cordon that hears nothing; prints the pids of both its processes, as the host sees them. */
const DEAF_CORDON = `
  import { FrameReader } from './frames.ts';
  import { confineCommand } from './confinement/confine-command.ts';
  import { confinedCordon, confinementOf, startCordon } from './launch-cordon.ts';
  const confinement = await confinementOf('auto');
  const command = confineCommand(['/bin/sleep', '3600'], { ...confinedCordon(1), ...confinement });
  const { child, control } = startCordon(command, 1);
  const reader = new FrameReader(({ pid }) => console.log(JSON.stringify([child.pid, pid])));
  control.on('data', (chunk) => reader.push(chunk));`;

/** Forks within the limits of a cordon, but for the filter, and prints how far it came; all of it is killed then. */
const FORK_BOMB = `
  import { confineCommand } from './confinement/confine-command.ts';
  import { confinedCordon, confinementOf, startCordon } from './launch-cordon.ts';
  const { tools } = await confinementOf('auto');
  const becomeNobody = '($<, $>) = (65000, 65000) if !$<; ';
  const bomb = becomeNobody + 'for (1..10_000) { my $pid = fork; if (!defined $pid) { print STDERR "$_\\n"; sleep 60 } sleep 60 if !$pid }';
  const layers = new Set(['own-root', 'resource-limits']);
  const command = confineCommand([tools.perl, '-e', bomb], { ...confinedCordon(1), layers, tools });
  const { child, stderr, control, lanes } = startCordon(command, 1);
  stderr.once('data', (text) => {
    console.log(String(text).trim());
    child.kill('SIGKILL');
    for (const stream of [stderr, control, ...lanes.flatMap(({ toLane, fromLane }) => [toLane, fromLane])]) stream.destroy();
  });`;

describe('a cordon', () => {
  it('has no environment, no privileges and its own view of the machine in the eyes of the kernel', async () => {
    const rig = await openTestSandbox({ cordons: 2, lanesPerCordon: 2 });
    const { layers } = await confinementOf('auto');
    try {
      const [first, second] = rig.sandbox.status().cordons.map(({ pid }) => pid) as [number, number];
      expect(lookAt(first).layers).to.include.members([...layers]);
      expect(readFileSync(`/proc/${first}/environ`, 'utf8')).to.equal('');
      expect(readFileSync(`/proc/${first}/cmdline`, 'utf8')).to.include('cordon.js');
      if (!isRoot) return;
      const { accounts, groups, capabilities } = lookAt(first);
      expect(new Set(accounts).size).to.equal(1);
      expect(accounts[0]).to.be.greaterThan(UNPRIVILEGED_ID - 1);
      expect(groups).to.deep.equal([]);
      expect(capabilities).to.equal(0n);
      if (hasOwnAccounts()) expect(lookAt(second).accounts[0]).to.not.equal(accounts[0]);
    } finally {
      await rig.close();
    }
  });

  it('leaves nobody behind when it is killed: neither itself nor what waited for it', async () => {
    const rig = await openTestSandbox();
    const cordon = rig.sandbox.status().cordons[0]!.pid;
    const family = [cordon, ...ancestorsOf(cordon)];
    await rig.close();
    await until(() => !family.some(isAlive));
    expect(family.length).to.equal((await confinementOf('auto')).layers.has('own-root') ? 3 : 1);
  });

  it('says what happened to it although another process waits for it', async () => {
    const rig = await openTestSandbox();
    try {
      process.kill(rig.sandbox.status().cordons[0]!.pid, 'SIGKILL');
      await until(() => rig.deaths.length === 1);
      expect(rig.deaths[0]).to.include({ reason: 'killed', exit: 'SIGKILL' });
      expect(answerOf(await rig.run(jobIn('return 1;')))).to.equal(1);
    } finally {
      await rig.close();
    }
  });

  it('runs plugins the same without the layers of the kernel', async () => {
    const rig = await openTestSandbox({ confinement: 'off' });
    try {
      expect(answerOf(await rig.run(jobIn('return 1;')))).to.equal(1);
      expect(lookAt(rig.sandbox.status().cordons[0]!.pid).layers).to.deep.equal([]);
    } finally {
      await rig.close();
    }
  });

  it('ends with its host, also while a plugin spins and after kill -9', async () => {
    const { child, outcome, pids } = await startParent(ROOT);
    expect(outcome.output).to.equal('42');
    expect(pids.filter(isAlive)).to.have.length(2);
    child.kill('SIGKILL');
    await until(() => !pids.some(isAlive));
  });

  it('ends with its host although it does not listen any more', async function () {
    if (!(await confinementOf('auto')).layers.has('own-root')) this.skip();
    const host = spawn(process.execPath, ['--input-type=module', '--eval', DEAF_CORDON], {
      cwd: HERE,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let said = '';
    host.stdout.on('data', (chunk) => {
      said += chunk;
    });
    await until(() => said.endsWith('\n'));
    const family = JSON.parse(said) as number[];
    expect(family.map(isAlive)).to.deep.equal([true, true]);
    host.kill('SIGKILL');
    await until(() => !family.some(isAlive));
  });

  it('cannot fill the machine with processes', async function () {
    const { layers } = await confinementOf('auto');
    if (!layers.has('own-root') || !layers.has('resource-limits')) this.skip();
    const started = Number(await printed(FORK_BOMB));
    expect(started).to.be.within(10, confinedCordon(1).threadsMax);
  });

  it('gets what a container grants that allows no namespaces, and nobody believes that it is more', async function () {
    if (!isRoot) this.skip();
    const code = `
      import { confinementOf } from './launch-cordon.ts';
      const { findings } = await confinementOf('auto');
      const refusal = await confinementOf('required').catch(({ name, message }) => name + message);
      console.log(JSON.stringify({ findings, refusal }));`;
    const { findings, refusal } = JSON.parse(await printed(code, IN_CONTAINER)) as {
      findings: LayerFinding[];
      refusal: string;
    };
    const lacking = findings.filter(({ state }) => state !== 'active');
    const apart = lacking.filter(({ layer }) => layer === 'own-network' || layer === 'own-root');
    expect(apart).to.have.length(2);
    for (const { layer, why } of apart) {
      expect(why).to.match(/not permitted.*(CAP_SYS_ADMIN|own-network)/);
      expect(refusal).to.include('ConfinementMissing').and.to.include(layer);
    }
    const { child, outcome, pids } = await startParent(ROOT, IN_CONTAINER);
    expect(outcome.output).to.equal('42');
    const granted = findings.filter(({ state }) => state === 'active').map(({ layer }) => layer);
    expect(lookAt(pids[0]!).layers).to.deep.equal(granted);
    child.kill('SIGKILL');
    await until(() => !pids.some(isAlive));
  });

  it('works with its code in a folder that only root can enter', async function () {
    if (!isRoot) this.skip();
    const root = mkdtempSync(join(tmpdir(), 'gatehouse-closed-'));
    try {
      copyCode(root);
      chmodSync(root, 0o700);
      const { child, outcome, pids } = await startParent(root);
      expect(outcome.output).to.equal('42');
      child.kill('SIGKILL');
      await until(() => !pids.some(isAlive));
    } finally {
      rmSync(root, { recursive: true, force: true });
    }
  });
});

/** The code that a sandbox needs, and no more. */
function copyCode(root: string): void {
  const require = createRequire(import.meta.url);
  const engine = dirname(realpathSync(require.resolve('isolated-vm/package.json')));
  const compiler = createRequire(join(engine, 'package.json')).resolve('node-gyp-build/package.json');
  const bundler = dirname(realpathSync(require.resolve('esbuild/package.json')));
  const packages = {
    'isolated-vm': engine,
    'node-gyp-build': dirname(realpathSync(compiler)),
    piscina: dirname(dirname(realpathSync(require.resolve('piscina')))),
    esbuild: bundler,
    '@esbuild': join(dirname(bundler), '@esbuild'),
    typebox: join(dirname(bundler), 'typebox'),
  };
  for (const [name, folder] of Object.entries(packages)) {
    cpSync(folder, join(root, 'node_modules', name), { recursive: true, filter: (path) => !path.includes('/vendor') });
  }
  mkdirSync(join(root, 'plugins-sdk'));
  const parts = ['package.json', 'contract', 'kept-build.ts'].map((name) => join('plugins-sdk', name));
  for (const path of ['package.json', 'sandbox', ...parts]) {
    cpSync(join(ROOT, path), join(root, path), { recursive: true });
  }
}
