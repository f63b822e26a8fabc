import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { expect } from 'chai';
import type { FileResult } from './contract.ts';
import { findTests } from './find-tests.ts';
import { openTestRunner } from './run-tests.ts';
import { resultsMarkdown, summariseFolder } from './summarise.ts';

/** The part of testharness.js that the runner speaks to, so that counting can be tested without a checkout. */
const HARNESS = `(() => {
  const tests = [], told = [], ended = [];
  let over = false, loaded = false, message = null;
  Promise.resolve().then(() => { loaded = true; finish(); });
  const settle = (test, status, error) => {
    if (test.status !== null) return;
    test.status = status;
    test.message = error ? String(error.message) : null;
    for (const tell of told) tell(test);
    finish();
  };
  const finish = () => {
    if (over || !loaded || tests.some(({ status }) => status === null)) return;
    over = true;
    for (const tell of ended) tell(tests, { status: 0, message });
  };
  Object.assign(globalThis, {
    setup: () => {},
    add_result_callback: (tell) => told.push(tell),
    add_completion_callback: (tell) => ended.push(tell),
    test: (body, name) => { const t = { name, status: null }; tests.push(t); try { body(t); settle(t, 0) } catch (error) { settle(t, 1, error) } },
    promise_test: (body, name) => {
      const t = { name, status: null };
      tests.push(t);
      Promise.resolve().then(() => body(t)).then(() => settle(t, 0), (error) => settle(t, error.optional ? 4 : 1, error));
    },
    timeout: () => { for (const t of tests) settle(t, 2) },
  });
})();`;

const FILES: Record<string, string> = {
  'resources/testharness.js': HARNESS,
  'sample/resources/names.json': '["one", "two"]',
  'sample/tools.js': `'use strict'; const double = (value) => value * 2;`,
  'sample/counts.any.js': `// META: script=tools.js
    test(() => { if (double(2) !== 4) throw new Error('wrong'); }, 'passes');
    test(() => { throw new Error('why it failed'); }, 'fails');
    test(() => { throw new Error('none'); }, 'wants SharedArrayBuffer');
    promise_test(async () => { throw Object.assign(new Error('no'), { optional: true }); }, 'asks for an option');
    promise_test(async () => { await new Promise((resolve) => setTimeout(resolve, 5)); if (!(new URL('/a', 'https://b').href.endsWith('/a'))) throw new Error(); }, 'passes later');`,
  'sample/fetches.any.js': `promise_test(() => fetch('resources/names.json').then((answer) => answer.json()).then((names) => { if (names[1] !== 'two') throw new Error(); }), 'reads a file of the checkout');`,
  'sample/ends-badly.any.js': `test(() => {}, 'passes before the end'); promise_test(() => new Promise(() => { setTimeout(() => { throw new Error('nobody hears this'); }, 1); }), 'never told');`,
  'sample/never.any.js': `test(() => {}, 'passes at once'); promise_test(() => new Promise(() => {}), 'waits for ever');`,
  'sample/broken.any.js': `test(() => {}, 'never runs'); this is no JavaScript`,
  'sample/empty.any.js': '',
  'sample/page.html': '<script></script>',
  'sample/needs-server.any.js': `promise_test(() => fetch('answer.py'), 'asks');`,
  'sample/missing.any.js': '// META: script=/elsewhere/nothing.js',
  'sample/notes.txt': 'no test',
};

describe('The runner of web-platform-tests', () => {
  const checkout = fs.mkdtempSync(path.join(os.tmpdir(), 'gatehouse-wpt-'));
  const results = new Map<string, FileResult>();
  before(async () => {
    for (const [name, text] of Object.entries(FILES)) {
      fs.mkdirSync(path.dirname(path.join(checkout, name)), { recursive: true });
      fs.writeFileSync(path.join(checkout, name), text);
    }
    const runner = await openTestRunner(checkout, { fileMs: 3_000 });
    try {
      for (const test of findTests(checkout, 'sample')) results.set(path.basename(test.path), await runner.run(test));
    } finally {
      await runner.close();
    }
  });
  after(() => fs.rmSync(checkout, { recursive: true }));

  const endsOf = (name: string) => results.get(name)!.subtests.map((subtest) => [subtest.name, subtest.status]);

  it('finds every test and nothing else', () => {
    const tests = Object.keys(FILES).filter((name) => /any\.js$|html$/.test(name));
    expect([...results.keys()]).to.have.members(tests.map((name) => path.basename(name)));
  });

  it('tells passes, failures and what was skipped apart', () => {
    expect(results.get('counts.any.js')!.subtests.toSorted((a, b) => a.name.localeCompare(b.name))).to.deep.equal([
      { name: 'asks for an option', status: 'skipped', message: 'a precondition of its own' },
      { name: 'fails', status: 'failed', message: 'why it failed' },
      { name: 'passes', status: 'passed', message: '' },
      { name: 'passes later', status: 'passed', message: '' },
      { name: 'wants SharedArrayBuffer', status: 'skipped', message: 'SharedArrayBuffer is left out' },
    ]);
  });

  it('gives tests the files that they fetch', () => {
    expect(endsOf('fetches.any.js')).to.deep.equal([['reads a file of the checkout', 'passed']]);
  });

  it('counts what a file reached before it broke, and its end as a failure', () => {
    expect(endsOf('ends-badly.any.js')).to.deep.equal([
      ['passes before the end', 'passed'],
      ['(the file itself)', 'failed'],
    ]);
    expect(results.get('ends-badly.any.js')!.subtests[1]!.message).to.contain('nobody hears this');
  });

  it('counts a subtest that never ends as timed out', () => {
    expect(endsOf('never.any.js')).to.deep.equal([
      ['passes at once', 'passed'],
      ['waits for ever', 'timed-out'],
    ]);
  });

  it('counts a file that does not start, or has no subtests, as a failure', () => {
    expect(endsOf('broken.any.js')).to.deep.equal([['(the file itself)', 'failed']]);
    expect(endsOf('empty.any.js')).to.deep.equal([['(the file itself)', 'failed']]);
  });

  it('names why a file was not run', () => {
    const skipped = (name: string) => results.get(name)!.skipped;
    expect(skipped('page.html')).to.equal('needs a document');
    expect(skipped('needs-server.any.js')).to.equal('needs the server of web-platform-tests');
    expect(skipped('missing.any.js')).to.equal('needs elsewhere/nothing.js, which is not in the checkout');
  });

  it('sums a folder up, and writes it down', () => {
    const summary = summariseFolder('sample', [...results.values()]);
    expect(summary).to.deep.equal({
      folder: 'sample',
      files: 6,
      passed: 5,
      failed: 4,
      timedOut: 1,
      notRun: 0,
      passRate: 50,
      skippedFiles: {
        'needs a document': 1,
        'needs elsewhere/nothing.js, which is not in the checkout': 1,
        'needs the server of web-platform-tests': 1,
      },
      skippedSubtests: { 'SharedArrayBuffer is left out': 1, 'a precondition of its own': 1 },
    });
    const page = resultsMarkdown('a sample', 'today', [summary]);
    expect(page).to.contain('| `sample` | 6 | 5 | 4 | 1 | 0 | 50 % |');
    expect(page).to.contain('| `sample` | 1 subtests | SharedArrayBuffer is left out |');
  });
});
