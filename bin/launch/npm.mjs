import { spawn } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { Interrupted, LaunchError } from './errors.mjs';
import { recordChild } from './install-lock.mjs';
import { say, seconds, showProgress } from './progress.mjs';

/** npm as its own `npm run` names it, else from PATH; other package managers set the same variable, so look closer. */
function npmCommand() {
  const script = process.env.npm_execpath;
  return script?.endsWith('npm-cli.js') && fs.existsSync(script) ? [process.execPath, script] : ['npm'];
}

function npmCacheFlags(root) {
  try {
    fs.accessSync(os.homedir(), fs.constants.W_OK);
    return [];
  } catch {
    return ['--cache', path.join(root, '.runtime/npm-cache')];
  }
}

/** Runs npm in `root` with visible progress. Ends with a LaunchError, or Interrupted after a signal. */
export async function runNpm(root, args, what) {
  const [program, ...head] = npmCommand();
  const flags = ['--no-audit', '--no-fund', '--prefer-offline', '--engine-strict=false', '--loglevel=error'];
  const child = spawn(program, [...head, ...args, ...flags, ...npmCacheFlags(root)], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  recordChild(root, child.pid);
  const startedMs = Date.now();
  const progress = showProgress(`Installing ${what}`, startedMs);
  let output = '';
  const keep = (chunk) => {
    output = (output + chunk).slice(-64_000);
  };
  child.stdout.on('data', keep);
  child.stderr.on('data', keep);
  let interruptedBy = null;
  const interrupt = (signal) => {
    interruptedBy ??= signal;
    child.kill('SIGTERM');
  };
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'];
  for (const signal of signals) process.on(signal, interrupt);
  try {
    const ending = await new Promise((resolve, reject) => {
      child.on('error', reject);
      child.on('close', (code, signal) => resolve(code ?? signal));
    });
    if (interruptedBy) throw new Interrupted(interruptedBy);
    if (ending !== 0) throw new LaunchError(explainNpmFailure(output, ending, args[0]));
  } catch (error) {
    if (error.code !== 'ENOENT') throw error;
    throw new LaunchError(
      'npm was not found: install it next to Node.js (Debian: apt-get install npm) and run this again.',
    );
  } finally {
    progress.stop();
    for (const signal of signals) process.off(signal, interrupt);
  }
  say(`Installed ${what} in ${seconds(startedMs)}`);
}

/** One sentence for the usual reasons; npm's own last lines for the others. */
export function explainNpmFailure(output, ending, verb) {
  const has = (pattern) => pattern.exec(output)?.[0];
  const network = has(
    /ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|EHOSTUNREACH|ERR_SOCKET_TIMEOUT/,
  );
  if (has(/ENOSPC/)) return 'The disk is full: free about 1 GB and run this again.';
  if (network)
    return `npm cannot reach its registry (${network}): check the network and npm's proxy settings, then run this again.`;
  if (has(/EACCES|EPERM|EROFS/)) {
    return 'npm may not write to this checkout or to its cache: make both writable for your account and run this again.';
  }
  if (has(/EINTEGRITY/)) {
    return 'A downloaded package is not the one that package-lock.json names: run `npm cache clean --force`, then this again.';
  }
  if (has(/\bE404\b|ETARGET|EBADPLATFORM/)) {
    return `The npm registry in use lacks a package that Gatehouse needs: ${firstErrorLines(output)}`;
  }
  return `npm ${verb} failed (${ending}): ${firstErrorLines(output)}`;
}

function firstErrorLines(output) {
  const lines = output
    .split('\n')
    .map((line) => line.replace(/^npm (error|ERR!)\s*/, '').trim())
    .filter((line) => line !== '' && !/^code |^npm warn|complete log|debug-0\.log/.test(line));
  return lines.slice(0, 3).join(' · ') || 'it printed nothing';
}
