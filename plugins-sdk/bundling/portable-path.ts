/** A path below the folder stays; one outside it is named from its last node_modules on, or without its way up. */
export function portable(path: string): string {
  const at = path.lastIndexOf(MODULES);
  return path.startsWith('..') || path.startsWith('/')
    ? at >= 0
      ? path.slice(at)
      : path.replace(/^(?:\.\.\/)+|^\/+/, '')
    : path;
}

const MODULES = 'node_modules/';

/** Name and folder of the npm package that a file belongs to; null for the plugin's own files. */
export function packageOf(path: string): { name: string; folder: string } | null {
  const at = path.lastIndexOf(MODULES);
  const name = at < 0 ? undefined : /^(?:@[^/]+\/)?[^/]+/.exec(path.slice(at + MODULES.length))?.[0];
  return name === undefined ? null : { name, folder: path.slice(0, at + MODULES.length) + name };
}
