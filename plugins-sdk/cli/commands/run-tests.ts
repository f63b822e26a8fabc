import { spawn } from 'node:child_process';
import { resolve } from 'node:path';
import { type Cli, verb } from '../command-line.ts';
import { linkSdk } from '../link-sdk.ts';
import { loadProject } from '../load-project.ts';

export interface TestedPlugin {
  tests: number;
  passed: number;
  failed: number;
  skipped: number;
  /** What the tests and their runner wrote, as TAP. */
  output: string;
}

/**
 * Runs the tests of a plugin with the Node.js that runs this command, whatever `node` means in the shell; their harness
 * is the real sandbox. `onOutput` is given what a person wants to see meanwhile.
 * Refuses with: manifest-missing, manifest-invalid, file-unreadable.
 */
export async function runTests(folder: string, onOutput?: (text: string) => void): Promise<TestedPlugin> {
  await loadProject(folder);
  await linkSdk(folder);
  // Two reporters at once: one for the eyes, one to count by.
  const shown = onOutput ? ['--test-reporter=spec', '--test-reporter-destination=stderr'] : [];
  const counted = ['--test-reporter=tap', '--test-reporter-destination=stdout'];
  const child = spawn(process.execPath, ['--test', ...shown, ...counted], {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text) => {
    output += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text) => onOutput?.(text));
  const exitCode = await new Promise((done, fail) => child.once('close', done).once('error', fail));
  // The last line is the runner's: what tests write looks the same.
  const count = (name: string) => Number([...output.matchAll(new RegExp(`^# ${name} (\\d+)$`, 'gm'))].at(-1)?.[1] ?? 0);
  const failed = count('fail') + count('cancelled');
  return {
    tests: count('tests'),
    passed: count('pass'),
    // A runner that fails has a reason, also where it names no test.
    failed: exitCode === 0 ? failed : Math.max(failed, 1),
    skipped: count('skipped'),
    output,
  };
}

export function testCommand(cli: Cli): void {
  verb(cli, {
    name: 'test',
    summary: 'Run the tests of a plugin, in the real sandbox',
    examples: ['gate test', 'gate test ./my-plugin --json'],
  })
    .argument('[folder]', 'folder of the plugin', '.')
    .action(
      cli.answer(async (folder: string) => {
        const onOutput = cli.json() ? undefined : (text: string) => cli.note(text.trimEnd());
        const tested = await runTests(resolve(cli.settings.cwd, folder), onOutput);
        const { tests, passed, failed, skipped } = tested;
        return {
          value: tested,
          text: (paint) =>
            tests === 0
              ? `${paint('red', '✖')} There are no tests; they are files such as test/plugin.test.ts`
              : `${failed === 0 ? paint('green', '✔') : paint('red', '✖')} ${passed} passed, ${failed} failed, ${skipped} skipped`,
          exitCode: tests > 0 && failed === 0 ? 0 : 1,
        };
      }),
    );
}
