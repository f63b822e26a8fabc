import { type ChildProcess, spawn } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { missingLine, readPage } from './read-page.ts';

const GATE = resolve(import.meta.dirname, '../../bin/gate.ts');

export interface Walk {
  /** Where the reader begins. */
  folder: string;
  /** With PATH. */
  env: Record<string, string>;
  /** Texts of the page that stand for something else here, such as a port. */
  replace?: Record<string, string>;
}

/**
 * Does what a page says, from top to bottom, as a reader would: writes the files that it shows and runs its commands in one shell,
 * with `gate` on the PATH. Rejects with the line of the page where a command fails, or where its output lacks what the page shows.
 */
export async function walkPage(markdown: string, { folder, env, replace = {} }: Walk): Promise<void> {
  const tools = join(folder, '.tools');
  await mkdir(tools, { recursive: true });
  await writeFile(join(tools, 'gate'), `#!/bin/sh\nexec "${process.execPath}" "${GATE}" "$@"\n`, { mode: 0o755 });
  const shell = openShell(folder, { HOME: folder, NO_COLOR: '1', ...env, PATH: `${tools}:${env.PATH}` });
  let output = '';
  try {
    for (const { language, attributes, text: shown, line } of readPage(markdown)) {
      const text = Object.entries(replace).reduce((all, [from, to]) => all.replaceAll(from, to), shown);
      if (attributes.skip !== undefined) continue;
      if (attributes.file !== undefined) {
        const path = join(await shell.folder(), attributes.file);
        await mkdir(dirname(path), { recursive: true });
        await writeFile(path, text);
      } else if (language === 'sh') {
        const ended = attributes.background === undefined ? await shell.run(text) : await shell.start(text);
        output = ended.output;
        if (ended.exitCode !== 0) throw new Error(`line ${line}: exit code ${ended.exitCode}\n${text}\n${output}`);
      } else {
        const missing = missingLine(text, output);
        if (missing !== null) throw new Error(`line ${line}: nothing like "${missing}" in\n${output}`);
      }
    }
  } finally {
    await shell.close();
  }
}

const MARK = '--- end of block ---';

/** One bash for a page: folders and variables stay from block to block. */
function openShell(cwd: string, env: Record<string, string>) {
  const shell = spawn('bash', ['--norc', '--noprofile'], { cwd, env, stdio: ['pipe', 'pipe', 'pipe'], detached: true });
  const started: ChildProcess[] = [];
  let heard = '';
  let onText = () => {};
  for (const stream of [shell.stdout, shell.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      heard += text;
      onText();
    });
  }
  const until = (isDone: () => boolean) =>
    new Promise<void>((done, fail) => {
      onText = () => isDone() && done();
      shell.once('close', () => fail(new Error(`the shell ended:\n${heard}`)));
      onText();
    });
  const run = async (text: string): Promise<{ exitCode: number; output: string }> => {
    heard = '';
    // In a function, so that the first command that fails ends the block and not the shell. Errors stand where they are printed.
    shell.stdin.write(`exec 2>&1\n{ ${andThen(text)}\n}; echo "${MARK} $?"\n`);
    await until(() => heard.includes(`${MARK} `) && heard.endsWith('\n'));
    const [output, code] = heard.split(`${MARK} `);
    return { exitCode: Number(code), output: output! };
  };
  return {
    run,
    folder: async () => (await run('pwd')).output.trim(),
    /** Runs until the page ends; resolves when it says where it serves. */
    start: async (text: string) => {
      const [folder, variables] = [(await run('pwd')).output.trim(), env];
      const child = spawn('bash', ['-c', `exec ${text}`], {
        cwd: folder,
        env: variables,
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      started.push(child);
      let output = '';
      await new Promise<void>((done, fail) => {
        for (const stream of [child.stdout!, child.stderr!]) {
          stream.setEncoding('utf8').on('data', (more: string) => {
            output += more;
            if (/Serving at .*\n/.test(output)) done();
          });
        }
        child.once('close', () => fail(new Error(`it ended:\n${output}`)));
      });
      return { exitCode: 0, output };
    },
    close: async () => {
      const ended = [shell, ...started].map((child) =>
        child.exitCode === null ? new Promise((done) => child.once('close', done)) : null,
      );
      for (const child of started) child.kill('SIGINT');
      shell.stdin.end();
      await Promise.all(ended);
    },
  };
}

/** Commands that each need the one before; a line that ends in a backslash goes on in the next. */
const andThen = (text: string): string =>
  text
    .replace(/\\\n/g, ' ')
    .split('\n')
    .filter((line) => line.trim() !== '')
    .join(' &&\n');
