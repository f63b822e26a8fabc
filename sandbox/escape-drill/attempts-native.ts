import { FILTER_TARGETS } from '../confinement/seccomp-filter.ts';
import { type Attempt, Refusal, type Targets } from './attempt.ts';

const ERRORS: Record<number, string> = {
  1: 'EPERM',
  2: 'ENOENT',
  3: 'ESRCH',
  5: 'EIO',
  9: 'EBADF',
  11: 'EAGAIN',
  12: 'ENOMEM',
  13: 'EACCES',
  14: 'EFAULT',
  22: 'EINVAL',
  24: 'EMFILE',
  27: 'EFBIG',
  38: 'ENOSYS',
  97: 'EAFNOSUPPORT',
  101: 'ENETUNREACH',
};

/** What node:ffi gives; Node.js has it from version 26 on. */
interface Ffi {
  dlopen(
    library: string | null,
    functions: Record<string, { arguments: string[]; return: string }>,
  ): { functions: Record<string, (...values: bigint[]) => bigint> };
  getInt32(address: bigint, offset: number): number;
}

let libc: { call(...values: bigint[]): number } | null = null;

async function openLibc(): Promise<NonNullable<typeof libc>> {
  const ffi = (await import('node:ffi' as string)) as Ffi;
  const { functions } = ffi.dlopen('libc.so.6', {
    syscall: { arguments: Array(7).fill('int64'), return: 'int64' },
    __errno_location: { arguments: [], return: 'pointer' },
  });
  return {
    call: (...values) => {
      const padded = [...values, ...Array<bigint>(7 - values.length).fill(0n)];
      const result = functions.syscall!(...padded);
      return result === -1n ? -ffi.getInt32(functions.__errno_location!(), 0) : Number(result);
    },
  };
}

type Arguments = readonly number[];

/** A system call as machine code makes it; throws the name of the error where it fails. */
const call = (name: string, values: (targets: Targets) => Arguments) => async (targets: Targets) => {
  const number = FILTER_TARGETS[process.arch]!.numbers[name];
  if (number === undefined) throw new Refusal('ENOSYS');
  libc ??= await openLibc();
  const result = libc.call(BigInt(number), ...values(targets).map(BigInt));
  if (result < 0) throw new Refusal(ERRORS[-result] ?? `errno ${-result}`);
  return result;
};

const native = (name: string, values: (targets: Targets) => Arguments, refusals = ['EPERM']): Attempt => ({
  name: `calls ${name}`,
  run: call(name, values),
  refusals: { shipped: null, native: refusals },
  reckless: true,
});

const [PTRACE_ATTACH, CLONE_NEWUSER, CLONE_NEWNET, AF_UNIX, AF_INET, AF_NETLINK, AF_PACKET, SOCK_RAW] = [
  16, 0x1000_0000, 0x4000_0000, 1, 2, 16, 17, 3,
];
const [SIGKILL_PROBE, SIGCHLD] = [0, 17];

export const NATIVE: Attempt[] = [
  native('ptrace', ({ hostPid }) => [PTRACE_ATTACH, hostPid]),
  native('process_vm_readv', ({ hostPid }) => [hostPid]),
  native('process_vm_writev', ({ hostPid }) => [hostPid]),
  native('kill', ({ hostPid }) => [hostPid, SIGKILL_PROBE]),
  native('tgkill', ({ hostPid }) => [hostPid, hostPid, SIGKILL_PROBE]),
  native('rt_sigqueueinfo', ({ hostPid }) => [hostPid, SIGKILL_PROBE]),
  native('pidfd_open', ({ hostPid }) => [hostPid]),
  native('pidfd_send_signal', () => [0, SIGKILL_PROBE]),
  native('process_madvise', () => [0]),
  native('kcmp', ({ hostPid }) => [hostPid, hostPid]),
  native('clone', () => [SIGCHLD]),
  native('fork', () => [], ['EPERM', 'ENOSYS']),
  native('vfork', () => [], ['EPERM', 'ENOSYS']),
  native('clone3', () => [0, 0], ['ENOSYS']),
  native('unshare', () => [CLONE_NEWUSER]),
  native('setns', () => [0, CLONE_NEWNET]),
  native('mount', () => []),
  native('umount2', () => []),
  native('pivot_root', () => []),
  native('chroot', () => []),
  native('fsopen', () => []),
  native('open_tree', () => []),
  native('move_mount', () => []),
  native('name_to_handle_at', () => []),
  native('open_by_handle_at', () => []),
  native('bpf', () => []),
  native('perf_event_open', () => []),
  native('userfaultfd', () => []),
  native('io_uring_setup', () => [1], ['ENOSYS']),
  native('keyctl', () => []),
  native('add_key', () => []),
  native('socket', () => [AF_INET, SOCK_RAW]),
  native('socket', () => [AF_UNIX, 1]),
  native('socket', () => [AF_NETLINK, SOCK_RAW]),
  native('socket', () => [AF_PACKET, SOCK_RAW]),
  native('socketpair', () => [AF_UNIX, 1]),
  native('connect', () => [4]),
  native('shmget', () => [0, 4096, 0o1777]),
  native('msgget', () => [0, 0o1777]),
  native('mq_open', () => []),
  native('memfd_create', () => []),
  native('personality', () => [0xffff_ffff]),
  native('init_module', () => []),
  native('kexec_load', () => []),
  native('reboot', () => []),
  native('syslog', () => [3]),
  native('acct', () => []),
  native('quotactl', () => []),
  native('sethostname', () => []),
  native('settimeofday', () => []),
  native('clock_settime', () => []),
  native('fanotify_init', () => []),
  native('modify_ldt', () => [], ['EPERM', 'ENOSYS']),
  native('iopl', () => [3], ['EPERM', 'ENOSYS']),
  native('prlimit64', ({ hostPid }) => [hostPid, 7]),
  native('setpriority', ({ hostPid }) => [0, hostPid, 19]),
  native('ioctl', () => [4, 0x5412]),
  native('fcntl', ({ hostPid }) => [4, 8, hostPid]),
  native('openat2', () => [], ['ENOSYS']),
  native('memfd_secret', () => [], ['ENOSYS']),
];
