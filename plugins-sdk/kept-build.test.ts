import { mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect } from 'chai';
import { keptBuild, ROOT } from './kept-build.ts';

describe('keptBuild', () => {
  let folder: string;
  let kept: string;
  let source: string;
  let builds: number;
  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'gatehouse-kept-'));
    kept = mkdtempSync(path.join(folder, 'kept-'));
    source = path.join(folder, 'source.ts');
    builds = 0;
    write('first');
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  /** As if somebody had written it a while ago. */
  function write(text: string): void {
    writeFileSync(source, text);
    utimesSync(source, 1_000, 1_000);
  }
  const build = async () => {
    builds += 1;
    return { texts: { made: `build ${builds}` }, inputs: [path.relative(ROOT, source)] };
  };
  const made = async (settings = {}, where = kept) => (await keptBuild('test', settings, build, where)).made;

  it('builds once while nothing changes', async () => {
    expect([await made(), await made(), builds]).to.deep.equal(['build 1', 'build 1', 1]);
    expect(readdirSync(kept)).to.have.length(1);
  });

  it('builds again when a file that was read is another one, or is gone', async () => {
    await made();
    write('other');
    expect(await made()).to.equal('build 2');
    expect(await made()).to.equal('build 2');
    rmSync(source);
    expect(await made()).to.equal('build 3');
  });

  it('builds for each of its settings', async () => {
    expect([await made({ a: 1 }), await made({ a: 2 }), await made({ a: 1 })]).to.deep.equal([
      'build 1',
      'build 2',
      'build 1',
    ]);
  });

  it('builds again where what it kept cannot be read', async () => {
    await made();
    writeFileSync(path.join(kept, readdirSync(kept)[0]!), '{"texts":{"made"');
    expect(await made()).to.equal('build 2');
    expect(await made()).to.equal('build 2');
  });

  it('keeps nothing of a file that was changed since the process began, for it may have loaded what was there before', async () => {
    writeFileSync(source, 'changed just now');
    expect([await made(), await made()]).to.deep.equal(['build 1', 'build 2']);
    expect(readdirSync(kept)).to.deep.equal([]);
  });

  it('keeps what it made of a file that says it was changed in the future, as of a clock that was wrong', async () => {
    utimesSync(source, Date.now() / 1_000 + 86_400, Date.now() / 1_000 + 86_400);
    expect([await made(), await made()]).to.deep.equal(['build 1', 'build 1']);
  });

  it('does without a folder, and without one that cannot be written', async () => {
    expect(await made({}, path.join(folder, 'missing'))).to.equal('build 1');
    expect(await keptBuild('test', {}, build, '')).to.deep.equal({ made: 'build 2' });
  });

  it('keeps nothing of a build that failed', async () => {
    const failed = await keptBuild('test', {}, () => Promise.reject(new Error('no')), kept).catch(String);
    expect(failed).to.equal('Error: no');
    expect(await made()).to.equal('build 1');
  });
});
