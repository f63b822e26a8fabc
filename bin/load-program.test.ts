import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import module from 'node:module';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect } from 'chai';
import { ROOT } from '../plugins-sdk/kept-build.ts';
import { loadProgram } from './load-program.ts';

interface Program {
  place: string;
  version: string;
  validate(): Promise<string>;
  fail(): never;
}

describe('loadProgram', () => {
  let folder: string;
  let kept: string;
  let entry: string;
  beforeEach(() => {
    const parent = path.join(ROOT, '.runtime');
    mkdirSync(parent, { recursive: true });
    folder = mkdtempSync(path.join(parent, 'test-program-'));
    kept = path.join(folder, 'kept');
    mkdirSync(kept);
    entry = path.relative(ROOT, path.join(folder, 'entry.ts'));
    write(
      'other.ts',
      "export const place: string = import.meta.dirname;\nexport const quoted = 'import.meta.dirname';\n",
    );
    write(
      'entry.ts',
      [
        "import semver from 'semver';",
        "export { place } from './other.ts';",
        "export const version = semver.inc('1.0.0', 'patch');",
        "export const validate = async (): Promise<string> => typeof (await import('undici')).fetch;",
        'export function fail(): never {',
        "  throw new Error('failed');",
        '}',
      ].join('\n'),
    );
  });
  afterEach(() => {
    module.setSourceMapsSupport(false);
    rmSync(folder, { recursive: true, force: true });
  });

  /** As if somebody had written it a while ago. */
  function write(name: string, text: string): void {
    writeFileSync(path.join(folder, name), text);
    utimesSync(path.join(folder, name), 1_000, 1_000);
  }
  const load = (where = kept) =>
    loadProgram<Program>(entry, () => import(pathToFileURL(path.join(ROOT, entry)).href), where);
  /** The one file; null where there is none. */
  const bundle = (): string | null => {
    const name = readdirSync(kept).find((each) => each.endsWith('.cjs'));
    return name === undefined ? null : path.join(kept, name);
  };
  /** As another process would. */
  const loadAnew = async () => {
    delete module.createRequire(import.meta.url).cache[bundle() ?? ''];
    return load();
  };

  it('runs as from its sources, with packages that are loaded at once and later', async () => {
    const { place, version, validate } = await load();
    expect([place, version, await validate()]).to.deep.equal([folder, '1.0.1', 'function']);
    expect(bundle()).to.be.a('string');
  });

  it('is made once while nothing changes, and again when a source does', async () => {
    await load();
    utimesSync(bundle()!, 2_000, 2_000);
    await loadAnew();
    expect(statSync(bundle()!).mtimeMs).to.equal(2_000_000);
    write('other.ts', "export const place = 'elsewhere';");
    expect((await loadAnew()).place).to.equal('elsewhere');
  });

  it('is made again where its file is another one than was made', async () => {
    await load();
    writeFileSync(bundle()!, "exports.version = 'torn';");
    expect((await loadAnew()).version).to.equal('1.0.1');
  });

  it('names its sources in stacks', async () => {
    const { fail } = await load();
    let stack = '';
    try {
      fail();
    } catch (error) {
      stack = (error as Error).stack!;
    }
    expect(stack).to.include(`${path.join(folder, 'entry.ts')}:6:9`);
  });

  it('runs from its sources where nothing can be kept', async () => {
    expect((await load('')).version).to.equal('1.0.1');
    expect((await load(path.join(folder, 'missing'))).version).to.equal('1.0.1');
  });

  it('runs from its sources where it cannot be made, as of one that waits while it is loaded', async () => {
    write('other.ts', "await 0;\nexport const place = 'waited for';");
    expect((await load()).place).to.equal('waited for');
    expect(bundle()).to.equal(null);
  });
});
