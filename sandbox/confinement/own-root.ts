/** What tools and the C library need of the system; software that everybody may read. */
const SYSTEM = [
  '/usr/bin',
  '/usr/sbin',
  '/usr/lib',
  '/usr/lib32',
  '/usr/lib64',
  '/bin',
  '/sbin',
  '/lib',
  '/lib32',
  '/lib64',
  '/etc/ld.so.cache',
];
/** perl opens it before anything else; a device, but one that gives and takes nothing. */
const NULL_DEVICE = '/dev/null';
/** Exists everywhere, holds nobody's code, and is not needed while the new root is made. */
const BUILDING_SITE = '/sys';
export const CONTROL_FD = 4;
/** Length of the frame that tells the number of the process: it has to be known before the number is. */
const PID_HEAD_BYTES = 40;

export interface RootSources {
  /** Absolute paths besides those of the system. */
  readable: string[];
  /** Where the program starts. */
  cwd: string;
  kindOf(path: string): 'folder' | 'file' | { linkTo: string } | null;
}

const quote = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;
/** fstab(5) separates by white space and escapes in octal. */
const escapeField = (text: string): string =>
  text.replace(/[\s\\#]/g, (character) => `\\${character.charCodeAt(0).toString(8).padStart(3, '0')}`);

/**
 * A shell script for the first process of a new process and mount namespace. It starts its arguments as the second process, in a
 * root with nothing but `sources`, all of it read-only, and waits; a first process would be deaf to its own SIGKILL and SIGABRT.
 * Before that it says the outer number of the second process on the control channel, as a frame `{"op":"pid","pid":n}`.
 */
export function ownRootScript({ readable, cwd, kindOf }: RootSources): string {
  const [folders, files, links]: [string[], string[], { path: string; linkTo: string }[]] = [[], [], []];
  for (const path of [...SYSTEM, NULL_DEVICE, ...readable]) {
    const kind = kindOf(path);
    const bare = path.replace(/(?<=.)\/+$/, '');
    if (kind === 'folder') folders.push(bare);
    else if (kind === 'file') files.push(bare);
    else if (kind !== null) links.push({ path: bare, linkTo: kind.linkTo });
  }
  const parents = [...files, ...links.map(({ path }) => path)].map((path) => path.slice(0, path.lastIndexOf('/')));
  const inNew = (path: string) => quote(`.${path}`);
  const mounts = [...folders, ...files].map(
    (path) =>
      `${escapeField(path)} ${escapeField(BUILDING_SITE + path)} none rbind,ro,nosuid${path === NULL_DEVICE ? '' : ',nodev'} 0 0`,
  );
  const frameHead = [PID_HEAD_BYTES, 0, 0, 0, 0, 0, 0, 0].map((byte) => `\\${byte.toString(8).padStart(3, '0')}`);
  const opening = '{"op":"pid","pid":';
  const frame = `${frameHead.join('')}${opening}%-${PID_HEAD_BYTES - opening.length - 1}s}`;
  return `set -e
PATH=/usr/sbin:/usr/bin:/sbin:/bin
(
mount -t tmpfs -o mode=0755,size=1m,nr_inodes=1k,nosuid,nodev,noexec gatehouse ${BUILDING_SITE}
cd ${BUILDING_SITE}
mkdir -p proc old ${[...new Set([...folders, ...parents])].map(inNew).join(' ')}
${files.map((path) => `: > ${inNew(path)}`).join('\n')}
${links.map(({ path, linkTo }) => `ln -s ${quote(linkTo)} ${inNew(path)}`).join('\n')}
printf '%s\\n' ${mounts.map(quote).join(' ')} > mounts
mount -a -T mounts
rm mounts
mount -t proc -o nosuid,nodev,noexec,subset=pid proc proc 2> /dev/null || mount -t proc -o nosuid,nodev,noexec proc proc
read -r pid rest < /proc/self/stat
printf '${frame}' "$pid" >&${CONTROL_FD}
pivot_root . old
umount -l /old
mount -o remount,bind,ro,nosuid,nodev,noexec /
cd ${quote(cwd)}
exec "$@"
)
exit $?
`;
}
