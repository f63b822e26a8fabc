import { spawn } from 'node:child_process';
import { chmodSync, cpSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { expect } from 'chai';
import { DEFAULT_LIMITS } from '../plugins-sdk/contract/index.ts';
import { lookAt } from './confinement/look-at.ts';
import { confinementOf } from './launch-cordon.ts';
import { hasOwnAccounts, UNPRIVILEGED_ID } from './privileges.ts';
import { answerOf, jobIn, openTestSandbox, until } from './test-sandbox.ts';

const ROOT = resolve(import.meta.dirname, '..');
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

/** Starts test-parent.ts below `root`; resolves with its first line. */
async function startParent(root: string) {
  const child = spawn(process.execPath, [join(root, 'sandbox/test-parent.ts'), JSON.stringify(DEFAULT_LIMITS)], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
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

describe('a cordon', () => {
  it('has no environment, no privileges and its own view of the machine in the eyes of the kernel', async () => {
    const rig = await openTestSandbox({ cordons: 2, lanesPerCordon: 2 });
    const { layers } = await confinementOf('auto');
    try {
      const [first, second] = rig.sandbox.status().cordons.map(({ pid }) => pid) as [number, number];
      expect(lookAt(first).layers).to.include.members([...layers]);
      expect(readFileSync(`/proc/${first}/environ`, 'utf8')).to.equal('');
      expect(readFileSync(`/proc/${first}/cmdline`, 'utf8')).to.include('cordon.ts');
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

/** The code that a cordon needs, and no more. */
function copyCode(root: string): void {
  const require = createRequire(import.meta.url);
  const engine = dirname(realpathSync(require.resolve('isolated-vm/package.json')));
  const compiler = createRequire(join(engine, 'package.json')).resolve('node-gyp-build/package.json');
  const packages = {
    'isolated-vm': engine,
    'node-gyp-build': dirname(realpathSync(compiler)),
    piscina: dirname(dirname(realpathSync(require.resolve('piscina')))),
  };
  for (const [name, folder] of Object.entries(packages)) {
    cpSync(folder, join(root, 'node_modules', name), { recursive: true, filter: (path) => !path.includes('/vendor') });
  }
  mkdirSync(join(root, 'plugins-sdk'));
  for (const path of ['package.json', 'sandbox', 'plugins-sdk/package.json', 'plugins-sdk/contract']) {
    cpSync(join(ROOT, path), join(root, path), { recursive: true });
  }
}
