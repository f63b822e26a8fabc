/** Segments of letters, digits, dot, dash and underscore: nothing that a file system could read in two ways. */
const NAME_PATTERN = /^[A-Za-z0-9._-]+(?:\/[A-Za-z0-9._-]+)*$/;
const NAME_BYTES_MAX = 100;

/** Why an archive may not have a file of this name, or null. */
export function nameFault(name: string): string | null {
  if (name.length === 0) return 'has no name';
  if (name.length > NAME_BYTES_MAX) return `has a name of more than ${NAME_BYTES_MAX} bytes`;
  if (name.startsWith('/')) return 'has an absolute path';
  if (name.split('/').some((segment) => segment === '..' || segment === '.')) return 'has "." or ".." in its path';
  if (!NAME_PATTERN.test(name)) return 'has a name with characters other than letters, digits, ".", "_", "-" and "/"';
  return null;
}

/**
 * Why a file may not join the ones before it, or null: names that differ only in case, or a file that is also a folder,
 * cannot both exist on every file system. `seen` gains the name.
 */
export function clashFault(name: string, seen: Map<string, 'file' | 'folder'>): string | null {
  const lower = name.toLowerCase();
  if (seen.get(lower) === 'file') return 'occurs twice (names are compared without case)';
  if (seen.get(lower) === 'folder') return 'is a file and a folder at once';
  const folders = lower.split('/').slice(0, -1);
  for (let depth = 1; depth <= folders.length; depth += 1) {
    const folder = folders.slice(0, depth).join('/');
    if (seen.get(folder) === 'file') return `lies below "${folder}", which is a file`;
    seen.set(folder, 'folder');
  }
  seen.set(lower, 'file');
  return null;
}
