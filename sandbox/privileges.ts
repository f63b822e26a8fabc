import { readFileSync } from 'node:fs';

/** `nobody` on Debian, and on every Linux the id that stands for "no account of this machine". */
export const UNPRIVILEGED_ID = 65_534;
/**
 * Where the machine has all ids, every cordon has one of its own: then cordons cannot signal or trace each other, and limits
 * per account count one cordon. Nobody else uses this range: distributions end at 65,535, subordinate ids at about 600,000,000.
 */
const ACCOUNTS_FROM = 1_900_000_000;
const ACCOUNTS_PER_HOST = 1_000;
const HOSTS_MAX = 90_000;
/** Everything that Node.js can deny to a running process. */
const PERMISSIONS = ['fs', 'addon', 'worker', 'child', 'net', 'inspector', 'ffi', 'wasi'];

/** Throws where anything of the host's environment reached this process: secrets live there. */
export function assertBareEnvironment(): void {
  const names = Object.keys(process.env);
  if (names.length > 0) throw new Error(`a cordon starts with an empty environment, but has ${names.join(', ')}`);
}

/** Takes the zone UTC; before there are threads. The machine's would show where Temporal writes an instant for people. */
export function leaveTimeZone(): void {
  process.env.TZ = 'UTC';
}

/** Throws where this process may read files that it was not told to, or start others. */
export function assertPermissions(): void {
  const permission = process.permission;
  if (!permission) throw new Error('a cordon starts with --permission');
  if (permission.has('fs.read') || permission.has('fs.write') || permission.has('child')) {
    throw new Error('a cordon may read only its own code, write no file and start no process');
  }
}

/**
 * Gives up for good what was needed to start: reading code, native add-ons, threads. Call it in every thread, when everything
 * is loaded. Node.js before 26 cannot do that.
 */
export function dropPermissions(): void {
  const permission = process.permission as { drop?(scope: string): void; has(scope: string): boolean } | undefined;
  if (!permission?.drop) return;
  for (const scope of PERMISSIONS) permission.drop(scope);
  const left = PERMISSIONS.filter((scope) => permission.has(scope));
  if (left.length > 0) throw new Error(`permissions were not dropped: ${left.join(', ')}`);
}

const isFullRange = (file: string): boolean => {
  try {
    return readFileSync(file, 'latin1')
      .split('\n')
      .map((line) => line.trim().split(/\s+/).map(Number))
      .some(([from = 0, , count = 0]) => from <= ACCOUNTS_FROM && from + count > 2 ** 31);
  } catch {
    return false;
  }
};

let ownAccounts: boolean | null = null;
/** Whether cordons get an account each. Without root nobody can give them one. */
export function hasOwnAccounts(): boolean {
  ownAccounts ??= process.getuid?.() === 0 && ['/proc/self/uid_map', '/proc/self/gid_map'].every(isFullRange);
  return ownAccounts;
}

let cordons = 0;
/** The account for the next cordon, for user and group; `nobody` where it cannot have one of its own. */
export function nextAccount(): number {
  if (!hasOwnAccounts()) return UNPRIVILEGED_ID;
  return ACCOUNTS_FROM + (process.pid % HOSTS_MAX) * ACCOUNTS_PER_HOST + (cordons++ % ACCOUNTS_PER_HOST);
}

/**
 * Gives up root for good; does nothing in a process that is not root. Applies to all threads of the process (glibc passes
 * it on to each), so call it when everything is loaded: afterwards the code may lie where this account cannot read.
 */
export function dropPrivileges(account: number): void {
  if (process.getuid?.() !== 0) return;
  if (!(account > 0)) throw new Error(`${account} is no account for a cordon`);
  process.setgroups?.([]);
  process.setgid?.(account);
  process.setuid?.(account);
  const ids = [process.getuid(), process.geteuid?.(), process.getgid?.(), process.getegid?.()];
  if (ids.some((id) => id !== account)) throw new Error(`privileges were not dropped: ids are ${ids.join(', ')}`);
}
