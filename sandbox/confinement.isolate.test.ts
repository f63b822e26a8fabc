import { spawn } from 'node:child_process';
import { chmodSync, cpSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import { expect } from 'chai';
import { DEFAULT_LIMITS } from '../plugins-sdk/contract/index.ts';
import { closeBlackBox } from './black-box.ts';
import { launchCordon, NETWORK_DENYING_NODE_MAJOR } from './launch-cordon.ts';
import { UNPRIVILEGED_ID } from './privileges.ts';
import { openTestSandbox, until } from './test-sandbox.ts';

const ROOT = resolve(import.meta.dirname, '..');
const isRoot = process.getuid?.() === 0;
const DENIED = 'ERR_ACCESS_DENIED';

/** Runs and zombies apart: a process that has ended counts as gone although nobody has waited for it. */
const isAlive = (pid: number): boolean => {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
};

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
  it('can read its own code and nothing else, reaches nobody, starts nothing, knows nothing and is nobody', async () => {
    const server = createServer((socket) => socket.destroy()).listen(0, '127.0.0.1');
    await until(() => server.listening);
    const { port } = server.address() as AddressInfo;
    // Its arguments are those of a cordon: one lane, and where another has the number of isolates the port to try.
    const cordon = launchCordon(1, port, 'test-confinement-probe.ts');
    const report = await text(cordon.stderr);
    for (const stream of [cordon.control, ...cordon.lanes]) stream.destroy();
    closeBlackBox(cordon.blackBoxFd);
    server.close();
    const { main, thread } = JSON.parse(report) as Record<'main' | 'thread', Record<string, unknown>>;
    const network = Number.parseInt(process.versions.node, 10) >= NETWORK_DENYING_NODE_MAJOR ? DENIED : 'allowed';
    for (const seen of [main, thread]) {
      const { readFile, readFolder, readOwnMemoryMap, writeFile, writeOwnCode, startProcess } = seen;
      expect([readFile, readFolder, readOwnMemoryMap, writeFile, writeOwnCode, startProcess]).to.deep.equal(
        Array(6).fill(DENIED),
      );
      expect([seen.connect, seen.listen]).to.deep.equal([network, network]);
      expect(seen.environment).to.deep.equal([]);
      if (!isRoot) continue;
      expect([...new Set(seen.ids as number[])]).to.deep.equal([UNPRIVILEGED_ID]);
      expect(seen.becomeRoot).to.not.equal('allowed');
    }
    expect(main!.ownCode).to.equal('allowed');
  });

  it('has no environment and no privileges in the eyes of the kernel, in any of its threads', async () => {
    const rig = await openTestSandbox({ lanesPerCordon: 2 });
    try {
      const { pid } = rig.sandbox.status().cordons[0]!;
      expect(readFileSync(`/proc/${pid}/environ`, 'utf8')).to.equal('');
      const status = readFileSync(`/proc/${pid}/status`, 'utf8');
      if (!isRoot) return;
      expect(/^Uid:\s+(.*)$/m.exec(status)?.[1]?.split('\t')).to.deep.equal(Array(4).fill(String(UNPRIVILEGED_ID)));
      expect(/^Gid:\s+(.*)$/m.exec(status)?.[1]?.split('\t')).to.deep.equal(Array(4).fill(String(UNPRIVILEGED_ID)));
      expect(/^Groups:[ \t]*(.*)$/m.exec(status)?.[1]?.trim()).to.equal('');
      expect(/^CapEff:\s+(.*)$/m.exec(status)?.[1]).to.match(/^0+$/);
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
