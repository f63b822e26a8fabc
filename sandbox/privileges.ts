/** `nobody` on Debian, and on every Linux the id that stands for "no account of this machine". */
export const UNPRIVILEGED_ID = 65_534;

/** Throws where anything of the host's environment reached this process: secrets live there. */
export function assertBareEnvironment(): void {
  const names = Object.keys(process.env);
  if (names.length > 0) throw new Error(`a cordon starts with an empty environment, but has ${names.join(', ')}`);
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
 * Gives up root for good; does nothing in a process that is not root. Applies to all threads of the process (glibc passes
 * it on to each), so call it when everything is loaded: afterwards the code may lie where this account cannot read.
 */
export function dropPrivileges(): void {
  if (process.getuid?.() !== 0) return;
  process.setgroups?.([]);
  process.setgid?.(UNPRIVILEGED_ID);
  process.setuid?.(UNPRIVILEGED_ID);
  const ids = [process.getuid(), process.geteuid?.(), process.getgid?.(), process.getegid?.()];
  if (ids.some((id) => id !== UNPRIVILEGED_ID))
    throw new Error(`privileges were not dropped: ids are ${ids.join(', ')}`);
}
