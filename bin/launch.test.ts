import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { expect } from 'chai';

// The launcher is plain JavaScript for old runtimes and has no types.
const load = (name: string) => import(new URL(`./launch/${name}.mjs`, import.meta.url).href);

describe('isRuntimeSupported', () => {
  for (const [version, supported] of [
    ['v26.0.0', true],
    ['26.10.0', true],
    ['v24.15.0', true],
    ['v24.14.9', false],
    ['v25.9.0', false],
    ['v20.20.2', false],
    ['v18.0.0', false],
  ] as const) {
    it(`${supported ? 'accepts' : 'refuses'} Node.js ${version}`, async () => {
      const { isRuntimeSupported } = await load('runtime');
      expect(isRuntimeSupported(version)).to.equal(supported);
    });
  }
});

describe('findRuntime', () => {
  let root: string;
  const binary = () => path.join(root, `.runtime/node_modules/node-${process.platform}-${process.arch}/bin/node`);
  const install = (script: string) => {
    fs.mkdirSync(path.dirname(binary()), { recursive: true });
    fs.writeFileSync(binary(), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  };

  beforeEach(() => {
    root = fs.mkdtempSync(path.join(os.tmpdir(), 'runtime-'));
    fs.writeFileSync(path.join(root, '.node-version'), '26.10.0\n');
  });
  afterEach(() => fs.rmSync(root, { recursive: true }));

  it('takes the running Node.js when it is good enough and nothing is installed', async () => {
    const { findRuntime } = await load('runtime');
    expect(findRuntime(root)).to.equal(process.execPath);
  });

  it('prefers the pinned one in .runtime, and asks it for its version only once', async () => {
    const { findRuntime } = await load('runtime');
    install(`echo asked >> ${root}/asked; echo v26.10.0`);
    expect(findRuntime(root)).to.equal(binary());
    expect(findRuntime(root)).to.equal(binary());
    expect(fs.readFileSync(path.join(root, 'asked'), 'utf8')).to.equal('asked\n');
  });

  it('does not take one that an interrupted install has left broken', async () => {
    const { findRuntime } = await load('runtime');
    install('exit 1');
    expect(findRuntime(root)).to.equal(process.execPath);
  });

  it('does not take one of another version than .node-version says', async () => {
    const { findRuntime } = await load('runtime');
    install('echo v26.9.0');
    expect(findRuntime(root)).to.equal(process.execPath);
  });
});

describe('areDependenciesCurrent', () => {
  const lockfile = (packages: object) => JSON.stringify({ packages });
  const koa = { version: '3.3.0', integrity: 'sha512-x' };

  async function check(wanted: object, installed: object): Promise<boolean> {
    const { areDependenciesCurrent } = await load('dependencies');
    const root = fs.mkdtempSync(path.join(os.tmpdir(), 'dependencies-'));
    try {
      fs.mkdirSync(path.join(root, 'node_modules'));
      fs.writeFileSync(path.join(root, 'package-lock.json'), lockfile(wanted));
      fs.writeFileSync(path.join(root, 'node_modules/.package-lock.json'), lockfile(installed));
      return areDependenciesCurrent(root);
    } finally {
      fs.rmSync(root, { recursive: true });
    }
  }

  it('holds when every package is there in its version', async () => {
    expect(await check({ '': {}, 'node_modules/koa': koa }, { 'node_modules/koa': koa })).to.equal(true);
  });

  it('does not hold when a package is missing', async () => {
    expect(await check({ 'node_modules/koa': koa }, {})).to.equal(false);
  });

  it('does not hold when a package has other contents', async () => {
    const other = { ...koa, integrity: 'sha512-y' };
    expect(await check({ 'node_modules/koa': koa }, { 'node_modules/koa': other })).to.equal(false);
  });

  it('misses optional packages of this platform only', async () => {
    const here = { version: '1.0.0', optional: true, os: [process.platform], cpu: [process.arch] };
    expect(await check({ 'node_modules/here': here }, {})).to.equal(false);
    expect(await check({ 'node_modules/there': { ...here, os: ['aix'] } }, {})).to.equal(true);
  });

  it('does not miss the link of a workspace whose folder is not there', async () => {
    const link = { resolved: 'examples/gone', link: true };
    expect(await check({ 'node_modules/@examples/gone': link }, {})).to.equal(true);
  });
});
