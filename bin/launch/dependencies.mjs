import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { LaunchError } from './errors.mjs';
import { runNpm } from './npm.mjs';
import { readJson, readText } from './read-file.mjs';

const dependencyStamp = (root) => path.join(root, 'node_modules/.gatehouse-stamp');
const lockfileDigest = (root) =>
  createHash('sha256')
    .update(fs.readFileSync(path.join(root, 'package-lock.json')))
    .digest('hex');

/** Whether `node_modules` is what package-lock.json describes. True also after a developer's own `npm install`. */
export function areDependenciesCurrent(root) {
  const digest = lockfileDigest(root);
  if (readText(dependencyStamp(root)) === digest) return true;
  const complete = firstDifference(root) === null;
  if (complete) fs.writeFileSync(dependencyStamp(root), digest);
  return complete;
}

/** A package that is not installed as package-lock.json names it; null where there is none. */
function firstDifference(root) {
  const installed = readJson(path.join(root, 'node_modules/.package-lock.json'))?.packages ?? {};
  const wanted = readJson(path.join(root, 'package-lock.json'))?.packages ?? {};
  const differs = ([name, entry]) => {
    if (!name.includes('node_modules/')) return false;
    const found = installed[name];
    if (found === undefined) return isNeededHere(root, entry);
    return ['link', 'version', 'integrity'].some((field) => found[field] !== entry[field]);
  };
  return Object.entries(wanted).find(differs)?.[0] ?? null;
}

/** npm leaves out optional packages of other platforms, what only those need, and workspaces that are not there. */
function isNeededHere(root, { link, resolved, optional, os: systems, cpu, libc }) {
  if (link) return fs.existsSync(path.join(root, resolved, 'package.json'));
  if (!optional) return true;
  return !!systems?.includes(process.platform) && !!cpu?.includes(process.arch) && libc === undefined;
}

const installMark = (root) => path.join(root, '.runtime/installing');

/**
 * Installs what package-lock.json names.
 *
 * `npm ci` would refuse a lockfile where the registry in use lacks an optional package of some other platform, so this is
 * `npm install` held to the lockfile: it saves nothing, and the result is compared with package-lock.json afterwards.
 */
export async function installDependencies(root) {
  const mark = installMark(root);
  // An interrupted npm leaves half-written packages that it later takes for whole ones.
  if (fs.existsSync(mark)) fs.rmSync(path.join(root, 'node_modules'), { recursive: true, force: true });
  fs.rmSync(dependencyStamp(root), { force: true });
  fs.writeFileSync(mark, '');
  // Install scripts are off: nothing here needs one, and not running strangers' scripts is the safer habit.
  const flags = ['--ignore-scripts', '--no-save', '--include=dev', '--include=optional'];
  await runNpm(root, ['install', ...flags], 'dependencies into node_modules/');
  fs.rmSync(mark, { force: true });
  if (!areDependenciesCurrent(root)) {
    const name = firstDifference(root);
    throw new LaunchError(
      `npm installed ${name} otherwise than package-lock.json names it: bring package.json and package-lock.json in step.`,
    );
  }
}
