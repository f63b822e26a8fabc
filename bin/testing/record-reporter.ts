import fs from 'node:fs';
import path from 'node:path';
import Mocha from 'mocha';
import type { TestEvent } from './read-record.ts';

const { constants } = Mocha.Runner;
// V8 took note of it at the start. Left here, Node.js would hand it on even to processes that are started with an empty
// environment, and a cordon refuses to run with any.
delete process.env.NODE_V8_COVERAGE;
const EXIT_AFTER_MS = 20_000;

/**
 * Mocha reporter that appends every event to a file at once, so that a process that crashes still leaves the results it
 * had, and the name of the test that it died in.
 */
export default class RecordReporter extends Mocha.reporters.Base {
  constructor(runner: Mocha.Runner, options: Mocha.MochaOptions) {
    super(runner, options);
    const file: string = options.reporterOptions.file;
    const record = (event: TestEvent) => fs.appendFileSync(file, `${JSON.stringify(event)}\n`);

    runner.once(constants.EVENT_RUN_BEGIN, () => record({ type: 'start', files: filesWithTests(runner.suite) }));
    runner.on(constants.EVENT_TEST_BEGIN, (test) => record({ type: 'begin', title: test.fullTitle() }));
    runner.on(constants.EVENT_TEST_PASS, () => record({ type: 'pass' }));
    runner.on(constants.EVENT_TEST_PENDING, (test) => record({ type: 'skip', title: test.fullTitle() }));
    runner.on(constants.EVENT_TEST_FAIL, (test, error) =>
      record({ type: 'fail', title: test.fullTitle(), message: String(error?.message ?? error) }),
    );
    runner.once(constants.EVENT_RUN_END, () => {
      record({ type: 'end' });
      this.epilogue();
      // Whatever keeps the process alive now was left behind by a test; unreferenced, so that it never delays a clean end.
      setTimeout(() => {
        record({ type: 'stuck', resources: [...new Set(process.getActiveResourcesInfo())] });
        process.exit(1);
      }, EXIT_AFTER_MS).unref();
    });
  }
}

function filesWithTests(suite: Mocha.Suite): string[] {
  const files = new Set<string>();
  const walk = ({ tests, suites }: Mocha.Suite) => {
    for (const { file } of tests) if (file) files.add(path.relative(process.cwd(), file));
    for (const each of suites) walk(each);
  };
  walk(suite);
  return [...files];
}
