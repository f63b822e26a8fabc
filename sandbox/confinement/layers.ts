/** What the kernel can take from a cordon, over what Node.js and the account take from it already. */
export const KERNEL_LAYERS = {
  'no-new-privileges': {
    stops:
      'Programs that would raise privileges (setuid, file capabilities), and every capability but those to become nobody.',
    get: 'Install util-linux (setpriv).',
  },
  'resource-limits': {
    stops: 'Core files, files of more than 1 MiB, floods of threads and descriptors, locked memory, message queues.',
    get: 'Install util-linux (prlimit).',
  },
  'system-call-filter': {
    stops:
      'New sockets, new processes, signals to others, tracing, files opened for writing, changes of files, and the parts of the ' +
      'kernel in which most holes are found.',
    get: 'Install perl (perl-base on Debian), and allow seccomp in the container.',
  },
  'own-network': {
    stops: 'Every network, loopback and abstract sockets included, and the IPC objects of the machine.',
    get:
      'Start as root, or allow user namespaces to ordinary accounts (user.max_user_namespaces over 0, ' +
      'kernel.apparmor_restrict_unprivileged_userns=0); in a container, grant CAP_SYS_ADMIN or allow unshare in its seccomp profile.',
  },
  'own-root': {
    stops: 'Files other than system libraries and its own code, sockets with a path, and the sight of other processes.',
    get: 'As for own-network; in a container, /proc must not be masked either.',
  },
} as const;

export type KernelLayer = keyof typeof KERNEL_LAYERS;
export const ALL_LAYERS = Object.keys(KERNEL_LAYERS) as KernelLayer[];

/** `off`: not asked for. `unavailable`: asked for, and this machine does not grant it. */
export interface LayerFinding {
  layer: KernelLayer;
  state: 'active' | 'unavailable' | 'off';
  stops: string;
  /** Where it is unavailable: what was tried, and what to do. */
  why: string;
}
