import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { originalPositionFor, TraceMap } from '@jridgewell/trace-mapping';
import { expect } from 'chai';
import { type BundleRefused, bundlePlugin } from './bundle-plugin.ts';
import { httpInput, startGuest } from './guest/guest-in-context.ts';

const manifest = { entry: 'src/index.ts' };
const INDEX = `
import { definePlugin } from '@gatehouse/plugin-sdk';
import { words } from './words.ts';
import mixed from 'mixed';
export default definePlugin({ routes: { 'GET /': () => ({ words, mixed: mixed.twice(2) }) } });
`;

describe('bundlePlugin', () => {
  const folders: string[] = [];
  after(() => Promise.all(folders.map((folder) => rm(folder, { recursive: true }))));

  /** A plugin below `at` in a fresh folder; `files` are relative to the plugin. */
  async function pluginIn(at: string, files: Record<string, string>): Promise<string> {
    const root = await mkdtemp(join(tmpdir(), 'bundle-'));
    folders.push(root);
    for (const [name, text] of Object.entries(files)) {
      const path = join(root, at, name);
      await mkdir(dirname(path), { recursive: true });
      await writeFile(path, text);
    }
    return join(root, at);
  }
  const mixed = (up: string) => ({
    [`${up}node_modules/mixed/package.json`]: '{"name":"mixed","main":"index.js"}',
    [`${up}node_modules/mixed/index.js`]: 'exports.twice = (n) => n * 2;',
  });
  const faultsOf = async (work: Promise<unknown>) =>
    work.then(
      () => [],
      (error: BundleRefused) => error.faults,
    );

  it('makes a script that defines the plugin in the guest', async () => {
    const folder = await pluginIn('.', {
      'src/index.ts': INDEX,
      'src/words.ts': `export const words = 'é';`,
      ...mixed(''),
    });
    const { code, warnings } = await bundlePlugin({ folder, manifest });
    const { run } = await startGuest(code);
    expect(run(httpInput()).output).to.have.nested.property('response.body', '{"words":"é","mixed":4}');
    expect(warnings).to.deep.equal([]);
  });

  it('gives the same bytes in every folder, wherever dependencies and other configurations lie', async () => {
    const files = { 'src/index.ts': INDEX, 'src/words.ts': `export class words { n = 1 }` };
    const near = await pluginIn('.', { ...files, ...mixed('') });
    const far = await pluginIn('a/b/c', {
      ...files,
      ...mixed('../../'),
      '../tsconfig.json': '{"compilerOptions":{"useDefineForClassFields":false,"target":"es5"}}',
    });
    const [one, two] = await Promise.all([near, far].map((folder) => bundlePlugin({ folder, manifest })));
    expect(two).to.deep.equal(one);
    for (const folder of [near, far, tmpdir(), process.cwd()]) expect(JSON.stringify(one)).to.not.contain(folder);
    expect(one!.code).to.not.contain('../');
  });

  it('maps what it makes back to the sources', async () => {
    const folder = await pluginIn('.', {
      'src/index.ts': `const one: number = 1;\n\nexport default { at() { throw one; } };\n`,
    });
    const { code, sourceMap } = await bundlePlugin({ folder, manifest });
    const lines = code.split('\n');
    const row = lines.findIndex((line) => line.includes('throw'));
    const place = originalPositionFor(new TraceMap(sourceMap), { line: row + 1, column: lines[row]!.indexOf('throw') });
    expect(place).to.deep.include({ source: 'src/index.ts', line: 3, column: 24 });
  });

  for (const name of ['node:fs', 'fs/promises', 'child_process']) {
    it(`refuses ${name} and says who imports it`, async () => {
      const folder = await pluginIn('.', {
        'src/index.ts': `import './deep.ts'`,
        'src/deep.ts': `import '${name}'; export {}`,
      });
      const [fault] = await faultsOf(bundlePlugin({ folder, manifest }));
      expect(fault).to.include({ file: 'src/deep.ts', line: 1 });
      expect(fault!.text).to.contain(`"${name}" belongs to Node.js`).and.contain('src/deep.ts');
    });
  }

  it('takes a package that only has the name of a built-in', async () => {
    const folder = await pluginIn('.', {
      'src/index.ts': `import { kind } from 'events'; export default { kind };`,
      'node_modules/events/package.json': '{"name":"events","type":"module","main":"index.js"}',
      'node_modules/events/index.js': `export const kind = 'a package';`,
    });
    expect((await bundlePlugin({ folder, manifest })).code).to.contain('a package');
  });

  it('reports every fault of the sources with its place', async () => {
    const folder = await pluginIn('.', { 'src/index.ts': `import './gone.ts';\nimport 'nowhere';\nexport default 1;` });
    const faults = await faultsOf(bundlePlugin({ folder, manifest }));
    expect(faults.map(({ file, line }) => `${file}:${line}`)).to.deep.equal(['src/index.ts:1', 'src/index.ts:2']);
  });

  it('refuses a missing entry and a bundle that is too large, and names its largest part', async () => {
    expect(await faultsOf(bundlePlugin({ folder: await pluginIn('.', { x: '' }), manifest }))).to.have.length(1);
    const folder = await pluginIn('.', {
      'src/index.ts': `import { big } from './big.ts'; export default { big };`,
      'src/big.ts': `export const big = '${'x'.repeat(1024 * 1024)}';`,
    });
    const [fault] = await faultsOf(bundlePlugin({ folder, manifest }));
    expect(fault!.text).to.match(/at most 1048576 are allowed.*src\/big\.ts/);
  });
});
