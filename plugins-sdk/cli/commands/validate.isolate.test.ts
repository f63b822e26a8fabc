import { execFile } from 'node:child_process';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { refusalOf } from '../test-refusal.ts';
import { initPlugin, TEMPLATES, type TemplateName } from './init.ts';
import { runTests } from './run-tests.ts';
import { validatePlugin } from './validate.ts';

const run = promisify(execFile);
const TSC = createRequire(import.meta.url).resolve('typescript/bin/tsc');

describe('validatePlugin', function () {
  this.timeout(180_000);
  let root: string;
  before(async () => {
    root = await mkdtemp(join(tmpdir(), 'gate-'));
    for (const template of Object.keys(TEMPLATES) as TemplateName[]) {
      await initPlugin({ folder: join(root, template), template, name: `my-${template}`, publisher: 'acme-labs' });
    }
  });
  after(() => rm(root, { recursive: true, force: true }));

  const changed = async (name: string, file: string, change: (text: string) => string) => {
    const folder = join(root, name);
    await cp(join(root, 'fulfilment'), folder, { recursive: true });
    await writeFile(join(folder, file), change(await readFile(join(folder, file), 'utf8')));
    return folder;
  };

  for (const template of Object.keys(TEMPLATES) as TemplateName[]) {
    it(`finds nothing wrong with the template ${template}, far from this repository and without an install`, async () => {
      const { plugin, shape, warnings } = await validatePlugin(join(root, template));
      expect(plugin).to.equal(`acme-labs/my-${template}`);
      expect(shape.routes.length).to.be.greaterThan(0);
      expect(warnings).to.deep.equal([]);
    });
    it(`makes a template ${template} that type-checks`, async () => {
      const { stdout } = await run(process.execPath, [TSC, '-p', join(root, template)]).catch((error) => error);
      expect(stdout).to.equal('');
    });
    it(`makes a template ${template} whose own tests pass`, async () => {
      const { tests, passed, failed, output } = await runTests(join(root, template));
      expect(failed, output).to.equal(0);
      expect(passed).to.equal(tests).and.to.be.greaterThan(1);
    });
  }

  it('points at a hook and a route that the code has no handler for', async () => {
    const folder = await changed('unhandled', 'gatehouse.json', (text) =>
      text
        .replace('["order.paid"]', '["order.paid", "order.cancelled"]')
        .replace('"routes": [', '"routes": [{ "method": "POST", "path": "/x", "access": "public" }, '),
    );
    const { code, facts } = await refusalOf(validatePlugin(folder));
    expect(code).to.equal('plugin-invalid');
    expect(facts.faults.map(({ pointer }: { pointer: string }) => pointer)).to.deep.equal(['/routes/0', '/hooks/1']);
  });

  it('names a handler that the manifest does not declare', async () => {
    const folder = await changed('undeclared', 'src/index.ts', (text) =>
      text.replace("'GET /orders/:id'", "'GET /order/:id'"),
    );
    const { facts } = await refusalOf(validatePlugin(folder));
    expect(facts.faults.map(({ message }: { message: string }) => message).join('\n')).to.contain('"GET /order/:id"');
  });

  it('names the line of code that does not start', async () => {
    const folder = await changed('unstartable', 'src/delivery.ts', (text) => `${text}\nnull!.x;\n`);
    const { code, facts } = await refusalOf(validatePlugin(folder));
    expect(code).to.equal('plugin-invalid');
    expect(facts.frames[0]).to.match(/src\/delivery\.ts:\d+/);
  });

  it('counts a test that fails', async () => {
    const folder = await changed('failing', 'src/delivery.ts', (text) => text.replace('length: quantity', 'length: 1'));
    const { passed, failed } = await runTests(folder);
    expect(failed).to.be.greaterThan(0);
    expect(passed).to.be.greaterThan(0);
  });

  it('counts what the runner says, and not what tests write that looks the same', async () => {
    const folder = await changed('talkative', 'test/plugin.test.ts', () =>
      [
        "import { test } from 'node:test';",
        "console.log('tests 7\\npass 7\\nfail 0');",
        "test('fails', () => { throw new Error('x'); });",
      ].join('\n'),
    );
    expect(await runTests(folder)).to.include({ tests: 1, passed: 0, failed: 1 });
  });

  it('counts a runner that ends before its last line as a failure', async () => {
    const folder = await changed('killed', 'test/plugin.test.ts', () => "process.kill(process.ppid, 'SIGKILL');\n");
    expect(await runTests(folder)).to.include({ passed: 0, failed: 1 });
  });
});
