import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { expect } from 'chai';
import ts from 'typescript';
import { linkSdk } from '../cli/link-sdk.ts';
import { loadProject } from '../cli/load-project.ts';
import { projectsOf, readPage } from './read-page.ts';

const ROOT = resolve(import.meta.dirname, '../..');
const FOLDER = join(ROOT, 'docs/authors');
const run = promisify(execFile);

/** What a page may show. Everything else must say why it is not run. */
const RUN = new Set(['sh', 'text output']);

describe('the plugins on the pages for authors', () => {
  let root: string;
  /** By page and heading. */
  const projects = new Map<string, string>();
  before(async () => {
    let sections = 0;
    root = await mkdtemp(join(tmpdir(), 'gatehouse-authors-'));
    await writeFile(join(root, 'package.json'), '{"type":"module"}');
    await linkSdk(root);
    for (const page of (await readdir(FOLDER)).filter((file) => file.endsWith('.md'))) {
      for (const [section, files] of projectsOf(readPage(await readFile(join(FOLDER, page), 'utf8')))) {
        sections += 1;
        const folder = join(root, `plugin-${sections}`);
        // Without a test they are steps of a page that another test walks; their types are checked here.
        if (files.has('test/plugin.test.ts')) projects.set(`${page}: ${section}`, folder);
        for (const [file, text] of files) {
          await mkdir(dirname(join(folder, file)), { recursive: true });
          await writeFile(join(folder, file), text);
        }
      }
    }
  });
  after(() => rm(root, { recursive: true, force: true }));

  it('are a dozen in the cookbook, each whole', async () => {
    const inCookbook = [...projects.keys()].filter((name) => name.startsWith('cookbook.md'));
    expect(inCookbook).to.have.length(12);
    for (const folder of projects.values())
      expect((await loadProject(folder)).manifest.publisher).to.equal('acme-labs');
  });

  it('fit the types of the SDK', async () => {
    const template = join(ROOT, 'plugins-sdk/cli/templates/every/tsconfig.json.tmpl');
    const config = JSON.parse(await readFile(template, 'utf8')) as object;
    const parsed = ts.parseJsonConfigFileContent({ ...config, include: ['*/src', '*/test'] }, ts.sys, root);
    const program = ts.createProgram(parsed.fileNames, parsed.options);
    const ours = program.getSourceFiles().filter(({ fileName }) => parsed.fileNames.includes(fileName));
    expect(ours).to.have.length.above(2 * projects.size);
    // Of these files alone: the sources of the SDK, which they import, are checked elsewhere.
    const diagnostics = ours.flatMap((file) => [
      ...program.getSyntacticDiagnostics(file),
      ...program.getSemanticDiagnostics(file),
    ]);
    const shown = ts.formatDiagnostics(diagnostics, {
      getCanonicalFileName: (name) => name,
      getCurrentDirectory: () => root,
      getNewLine: () => '\n',
    });
    expect(shown).to.equal('');
  }).timeout(300_000);

  it('pass their tests', async () => {
    const files = [...projects.values()].map((folder) => join(folder, 'test/plugin.test.ts'));
    const { stdout } = await run(
      process.execPath,
      // One process after another would start Node.js over and over.
      ['--test', '--test-isolation=none', '--test-reporter=tap', ...files],
      { cwd: root, maxBuffer: 64 * 1024 * 1024 },
    ).catch((error: { stdout: string }) => error);
    expect(/^# fail (\d+)$/m.exec(stdout)?.[1], stdout).to.equal('0');
    expect(Number(/^# pass (\d+)$/m.exec(stdout)?.[1])).to.be.at.least(projects.size);
  }).timeout(300_000);

  it('are all that pages show, but what says why it is not run', async () => {
    const skipped: string[] = [];
    for (const page of (await readdir(FOLDER)).filter((file) => file.endsWith('.md'))) {
      for (const { language, attributes, line } of readPage(await readFile(join(FOLDER, page), 'utf8'))) {
        const { file, skip } = attributes;
        if (skip !== undefined) {
          expect(skip, `${page}:${line}`).to.match(/\w{3}/);
          skipped.push(`${page}:${line}`);
        } else if (file === undefined) {
          const kind = 'output' in attributes ? `${language} output` : language;
          expect(RUN.has(kind), `${page}:${line} shows a block of kind "${kind}" that nothing runs`).to.equal(true);
        }
      }
    }
    expect(skipped).to.have.length(0);
  });
});
