import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
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
    const [one, two] = await Promise.all(
      // The sizes of parts count the way up to them; the code does not have it.
      [near, far].map(async (folder) => ({ ...(await bundlePlugin({ folder, manifest })), parts: [] })),
    );
    expect(two).to.deep.equal(one);
    for (const folder of [near, far, tmpdir(), process.cwd()]) expect(JSON.stringify(one)).to.not.contain(folder);
    expect(one!.code).to.not.contain('../');
  });

  it('gives the same bytes of a folder and of a link to it', async () => {
    const folder = await pluginIn('.', {
      'src/index.ts': INDEX,
      'src/words.ts': `export const words = 1;`,
      ...mixed(''),
    });
    const link = join(await pluginIn('.', { here: '' }), 'link');
    await symlink(folder, link);
    expect(await bundlePlugin({ folder: link, manifest })).to.deep.equal(await bundlePlugin({ folder, manifest }));
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
        'src/index.ts': `import './deep.ts'; export default {}`,
        'src/deep.ts': `import * as own from '${name}'; console.log(own);`,
      });
      const [fault] = await faultsOf(bundlePlugin({ folder, manifest }));
      expect(fault).to.include({ file: 'src/deep.ts', line: 1 });
      expect(fault!.text).to.contain(`"${name}" belongs to Node.js`).and.contain('src/index.ts → src/deep.ts');
    });
  }

  it('names the way from the plugin to the package that wants a built-in', async () => {
    const folder = await pluginIn('.', {
      'src/index.ts': `import { a } from 'outer';\nexport default a;`,
      'node_modules/outer/package.json': '{"name":"outer","main":"index.js"}',
      'node_modules/outer/index.js': `exports.a = require('inner');`,
      'node_modules/inner/package.json': '{"name":"inner","main":"lib/index.js"}',
      'node_modules/inner/lib/index.js': `\nconst { Readable } = require('stream');\nmodule.exports = Readable;`,
    });
    const [fault, ...others] = await faultsOf(bundlePlugin({ folder, manifest }));
    expect(others).to.deep.equal([]);
    const chain = ['src/index.ts', 'node_modules/outer/index.js', 'node_modules/inner/lib/index.js'];
    expect(fault).to.deep.include({ file: 'node_modules/inner/lib/index.js', line: 2, chain });
    expect(fault!.text).to.contain(chain.join(' → ')).and.contain('ReadableStream');
  });

  it('lets a package want built-ins where nothing uses them, or where it can do without', async () => {
    const folder = await pluginIn('.', {
      'src/index.ts': `import { pure } from 'mixed'; export default { pure };`,
      'node_modules/mixed/package.json': '{"name":"mixed","module":"index.mjs","browser":{"crypto":false}}',
      'node_modules/mixed/index.mjs': `
        import fs from 'fs';
        import own from 'crypto';
        let util; try { util = require('node:util') } catch {}
        export const impure = () => fs.readFileSync('x');
        export const pure = () => [typeof util, typeof own];`,
    });
    const { code } = await bundlePlugin({ folder, manifest });
    expect(code).to.not.contain('readFileSync').and.not.contain('node:fs');
  });

  it('refuses native code, by file and by package', async () => {
    const folder = await pluginIn('.', {
      'src/index.ts': `import { a } from 'addon'; import b from './b.node'; export default { a, b };`,
      'src/b.node': '',
      'node_modules/addon/package.json': '{"name":"addon","main":"index.js","scripts":{"install":"node-gyp rebuild"}}',
      'node_modules/addon/index.js': `exports.a = 1;`,
    });
    const [fault] = await faultsOf(bundlePlugin({ folder, manifest }));
    expect(fault!.text).to.match(/package addon is native code \(its install script runs "node-gyp rebuild"\)/);
    await writeFile(join(folder, 'src/index.ts'), `import b from './b.node'; export default { b };`);
    const [file] = await faultsOf(bundlePlugin({ folder, manifest }));
    expect(file!.text).to.match(/"\.\/b\.node" is native code/);
    await writeFile(join(folder, 'src/index.ts'), `import { a } from 'addon'; export default 1;`);
    expect((await bundlePlugin({ folder, manifest })).parts.map((part) => part.file)).to.deep.equal(['src/index.ts']);
  });

  it('refuses sources that are too deep for the bundler, and bundles the next ones', async () => {
    const deep = (text: string) => `const deep = ${text};\nexport default { deep };`;
    const folder = await pluginIn('.', {
      'src/index.ts': deep(`${'('.repeat(400_000)}1${')'.repeat(400_000)}`),
    });
    const [fault] = await faultsOf(bundlePlugin({ folder, manifest }));
    expect(fault).to.deep.include({ file: 'src/index.ts' });
    expect(fault!.text).to.match(/levels deep/);
    await writeFile(join(folder, 'src/index.ts'), deep('(1)'));
    expect((await bundlePlugin({ folder, manifest })).code).to.contain('deep');
  });

  it('says what of each file is in the bundle', async () => {
    const folder = await pluginIn('.', {
      'src/index.ts': INDEX,
      'src/words.ts': `export const words = 'é';`,
      ...mixed(''),
    });
    const { parts, code } = await bundlePlugin({ folder, manifest });
    expect(parts.map(({ file, package: name }) => [file, name])).to.have.deep.members([
      ['src/index.ts', null],
      ['src/words.ts', null],
      ['node_modules/mixed/index.js', 'mixed'],
      ['gatehouse-sdk:define-plugin.ts', '@gatehouse/plugin-sdk'],
    ]);
    const sum = parts.reduce((total, { bytes }) => total + bytes, 0);
    expect(sum).to.be.greaterThan(100).and.at.most(Buffer.byteLength(code));
  });

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

  it('says that the entry exports no plugin, and not where we import it', async () => {
    for (const text of ['export {};', 'export const plugin = {};']) {
      const folder = await pluginIn('.', { 'src/index.ts': text });
      expect(await faultsOf(bundlePlugin({ folder, manifest }))).to.deep.equal([
        { text: 'exports no plugin; it needs: export default definePlugin({ … })', file: 'src/index.ts' },
      ]);
    }
  });

  it('says how to install a package that is not there, and nothing of it where a file is missing', async () => {
    const folder = await pluginIn('.', {
      'src/index.ts': `import '@scope/absent/part';\nimport 'absent';\nimport './absent.ts';\nexport default {};\n`,
    });
    const faults = await faultsOf(bundlePlugin({ folder, manifest }));
    expect(faults.map(({ text }) => text)).to.deep.equal([
      'Could not resolve "@scope/absent/part". Is the package there? npm install @scope/absent',
      'Could not resolve "absent". Is the package there? npm install absent',
      'Could not resolve "./absent.ts"',
    ]);
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
