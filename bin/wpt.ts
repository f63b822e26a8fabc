import fs from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import type { FileResult, FolderResult } from '../plugins-sdk/testing/wpt/contract.ts';
import { findTests } from '../plugins-sdk/testing/wpt/find-tests.ts';
import { openTestRunner, type TestRunner } from '../plugins-sdk/testing/wpt/run-tests.ts';
import { resultsMarkdown, summariseFolder } from '../plugins-sdk/testing/wpt/summarise.ts';

const USAGE = `Usage: npm run wpt -- --checkout <path of web-platform-tests> [--source "what it is"] [--write] [--failures]
                    [--file-ms 20000] [<folder> ...]`;
const ROOT = path.dirname(import.meta.dirname);

/** The folders that say something about what a plugin has. */
const FOLDERS = [
  'url',
  'urlpattern',
  'encoding',
  'fetch/api/basic',
  'fetch/api/headers',
  'fetch/api/request',
  'fetch/api/response',
  'fetch/api/body',
  'fetch/api/abort',
  'streams',
  'compression',
  'FileAPI',
  'xhr/formdata',
  'WebCryptoAPI/digest',
  'WebCryptoAPI/getRandomValues.any.js',
  'html/webappapis/timers',
  'html/webappapis/structured-clone',
  'html/webappapis/atob',
  'html/webappapis/microtask-queuing',
  'dom/abort',
  'dom/events',
  'hr-time',
  'console',
];

/** Runs the tests of the folders; prints a line for each, and with --write keeps the results in docs/. Returns the exit code. */
async function main(args: string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      checkout: { type: 'string' },
      source: { type: 'string' },
      write: { type: 'boolean', default: false },
      failures: { type: 'boolean', default: false },
      'file-ms': { type: 'string', default: '20000' },
    },
  });
  if (values.checkout === undefined || !(Number(values['file-ms']) > 0)) {
    console.error(USAGE);
    return 2;
  }
  const checkout = path.resolve(values.checkout);
  const runner = await openTestRunner(checkout, { fileMs: Number(values['file-ms']) });
  try {
    const folders: FolderResult[] = [];
    for (const folder of positionals.length > 0 ? positionals : FOLDERS) {
      if (!fs.existsSync(path.join(checkout, folder))) {
        console.error(`${folder} is not in the checkout`);
        continue;
      }
      folders.push(await runFolder(runner, checkout, folder, values.failures));
    }
    if (values.write) keep(values.source ?? revisionOf(checkout), folders);
    return 0;
  } finally {
    await runner.close();
  }
}

async function runFolder(
  runner: TestRunner,
  checkout: string,
  folder: string,
  tellFailures: boolean,
): Promise<FolderResult> {
  const results: FileResult[] = [];
  for (const test of findTests(checkout, folder)) {
    const result = await runner.run(test);
    results.push(result);
    const wrong = result.subtests.filter(({ status }) => status !== 'passed' && status !== 'skipped');
    if (!tellFailures || wrong.length === 0) continue;
    console.log(`${result.path}: ${wrong.length} of ${result.subtests.length}`);
    for (const { name, status, message } of wrong) console.log(`  ${status} ${name}: ${message}`);
  }
  const summary = summariseFolder(folder, results);
  const { files, passed, failed, timedOut, notRun, passRate } = summary;
  console.log(
    `${folder}: ${passRate} % (${passed} passed, ${failed} failed, ${timedOut} timed out, ${notRun} not run; ${files} files)`,
  );
  return summary;
}

function revisionOf(checkout: string): string {
  const head = path.join(checkout, '.git/HEAD');
  return fs.existsSync(head) ? `revision ${fs.readFileSync(head, 'utf8').trim()}` : 'a checkout without a revision';
}

function keep(source: string, folders: FolderResult[]): void {
  const measuredAt = new Date().toISOString().slice(0, 10);
  const circumstances = `${measuredAt}, Node.js ${process.versions.node}`;
  fs.writeFileSync(path.join(ROOT, 'docs/web-platform-tests.md'), resultsMarkdown(source, circumstances, folders));
  fs.writeFileSync(
    path.join(ROOT, 'docs/web-platform-tests.json'),
    `${JSON.stringify({ source, measuredAt, node: process.versions.node, folders }, null, 2)}\n`,
  );
}

process.exitCode = await main(process.argv.slice(2)).catch((error) => {
  console.error(`${error.message}. ${USAGE}`);
  return 2;
});
