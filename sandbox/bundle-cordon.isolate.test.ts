import { readdirSync, readFileSync, statSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { bundleCordon } from './bundle-cordon.ts';

/** What a start reads and compiles; a package that slips in shows here. */
const KIB_MAX = { 'cordon.js': 96, 'lane.js': 64, 'worker.js': 32 };

describe('bundleCordon', () => {
  it('makes three small files, once, into which nobody else can look', async () => {
    const code = await bundleCordon();
    expect(await bundleCordon()).to.equal(code);
    expect(readdirSync(code.folder)).to.deep.equal(Object.keys(KIB_MAX));
    expect(statSync(code.folder).mode & 0o077).to.equal(0);
    for (const [name, kibMax] of Object.entries(KIB_MAX)) {
      expect(statSync(join(code.folder, name)).size / 1024, name).to.be.within(1, kibMax);
    }
  });

  it('leaves the engine, and nothing else, to be found elsewhere', async () => {
    const { folder, readable } = await bundleCordon();
    const loads = readdirSync(folder).flatMap((name) =>
      [...readFileSync(join(folder, name), 'utf8').matchAll(/\brequire\("([^"]+)"\)/g)].map(([, from]) => from!),
    );
    const foreign = new Set(loads.filter((from) => !/^(node:)?[a-z_/]+$|^node:v8$/.test(from)));
    expect([...foreign].toSorted()).to.deep.equal(['@napi-rs/nice', readable[0]].toSorted());
  });

  it('has no profiler in it, but for whoever measures', async () => {
    const laneOf = async (profileMs?: number) => {
      const { folder } = await bundleCordon(profileMs);
      return readFileSync(join(folder, 'lane.js'), 'utf8');
    };
    expect(await laneOf()).to.not.match(/inspector.*Session|Profiler\./);
    expect(await laneOf(1)).to.match(/Profiler\.start/);
  });

  it('keeps its files from looking forgotten', async () => {
    const { folder, main, keep } = await bundleCordon();
    for (const path of [folder, main]) utimesSync(path, 0, 0);
    keep();
    for (const path of [folder, main]) expect(statSync(path).mtimeMs).to.be.greaterThan(1);
  });
});
