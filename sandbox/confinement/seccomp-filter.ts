/**
 * A seccomp filter for cordons, as classic BPF. It names what is denied: a list of what is allowed would have to follow
 * every version of Node.js and of the C library, and the first thing it forgot would be an outage. System calls that are newer than
 * the list do not exist for a cordon. Sources: seccomp(2), linux/seccomp.h, linux/bpf_common.h, asm/unistd.h.
 */
export interface FilterTarget {
  /** AUDIT_ARCH_*. */
  audit: number;
  /** From here on every number is unknown. */
  numberMax: number;
  numbers: Record<string, number>;
}

const names = (text: string): string[] => text.trim().split(/\s+/);
const numbersOf = (text: string): Record<string, number> =>
  Object.fromEntries([...text.matchAll(/(\w+) (\d+)/g)].map(([, name, number]) => [name, Number(number)]));

const EPERM = 1;
const ENOSYS = 38;

/** Processes, signals and memory of others. */
const OTHERS =
  names(`ptrace process_vm_readv process_vm_writev kcmp process_madvise pidfd_open pidfd_getfd pidfd_send_signal
  tkill rt_sigqueueinfo rt_tgsigqueueinfo fork vfork execveat`);
/** Views of the machine: mounts, namespaces, clocks, the kernel itself. */
const MACHINE =
  names(`unshare setns mount umount2 pivot_root chroot fsopen fsconfig fsmount fspick move_mount open_tree mount_setattr
  swapon swapoff quotactl quotactl_fd name_to_handle_at open_by_handle_at fanotify_init fanotify_mark inotify_init inotify_init1
  kexec_load kexec_file_load init_module finit_module delete_module reboot acct syslog iopl ioperm modify_ldt vhangup personality
  settimeofday clock_settime adjtimex clock_adjtime sethostname setdomainname lookup_dcookie nfsservctl vserver`);
/** What a JavaScript engine never needs, and where holes of the kernel were found again and again. */
const SURFACE =
  names(`bpf perf_event_open userfaultfd add_key request_key keyctl migrate_pages move_pages mbind set_mempolicy
  sched_setscheduler sched_setparam sched_setattr setpriority ioprio_set splice vmsplice tee process_mrelease`);
/** Sockets and System V or POSIX objects; the descriptors that a cordon has, it has inherited. */
const CHANNELS =
  names(`socket socketpair bind connect listen accept accept4 shmget shmat shmctl semget semop semtimedop msgget msgsnd
  msgrcv mq_open mq_unlink memfd_create`);
/** Changes of files. */
const CHANGES =
  names(`creat mkdir mkdirat mknod mknodat rmdir unlink unlinkat rename renameat renameat2 link linkat symlink symlinkat
  chmod fchmod fchmodat chown fchown lchown fchownat truncate ftruncate fallocate setxattr lsetxattr fsetxattr removexattr lremovexattr
  fremovexattr utime utimes utimensat futimesat`);
export const DENIED_CALLS = [...OTHERS, ...MACHINE, ...SURFACE, ...CHANNELS, ...CHANGES];
/** Callers fall back when these do not exist: clone3 and openat2 hide their flags from a filter. */
export const ABSENT_CALLS = names('clone3 openat2 io_uring_setup io_uring_enter io_uring_register memfd_secret');

const CLONE_THREAD = 0x1_0000;
const CLONE_NEW_ANYTHING = 0x7e02_0000;
/** O_WRONLY, O_RDWR, O_CREAT, O_TRUNC; they are the same on both machines. */
const OPEN_TO_CHANGE = 0o1 | 0o2 | 0o100 | 0o1000;
const TIOCSTI = 0x5412;
const TIOCLINUX = 0x541c;
const [F_SETOWN, F_SETSIG, F_SETOWN_EX, F_NOTIFY] = [8, 10, 15, 1026];
/** Stands for the number of the process until that is known. */
export const PID_MARK = 0xfeed_face;

type Verdict = 'allow' | 'deny';
/** Looks at the low half of one argument; the first test that holds decides. */
interface Rule {
  argument: number;
  tests: { equals?: number; hasAny?: number; is: Verdict }[];
  otherwise: Verdict;
}

const ownProcessOnly: Rule = { argument: 0, tests: [{ equals: PID_MARK, is: 'allow' }], otherwise: 'deny' };
/** Calls that take 0 for the caller. */
const selfOnly: Rule = { ...ownProcessOnly, tests: [{ equals: 0, is: 'allow' }, ...ownProcessOnly.tests] };
const deniedValues = (argument: number, values: number[]): Rule => ({
  argument,
  tests: values.map((equals) => ({ equals, is: 'deny' as const })),
  otherwise: 'allow',
});
const readingOnly = (argument: number): Rule => ({
  argument,
  tests: [{ hasAny: OPEN_TO_CHANGE, is: 'deny' }],
  otherwise: 'allow',
});

export const CONDITIONAL_CALLS: Record<string, Rule> = {
  kill: ownProcessOnly,
  tgkill: ownProcessOnly,
  prlimit64: selfOnly,
  sched_setaffinity: selfOnly,
  clone: {
    argument: 0,
    tests: [
      { hasAny: CLONE_NEW_ANYTHING, is: 'deny' },
      { hasAny: CLONE_THREAD, is: 'allow' },
    ],
    otherwise: 'deny',
  },
  open: readingOnly(1),
  openat: readingOnly(2),
  ioctl: deniedValues(1, [TIOCSTI, TIOCLINUX]),
  fcntl: deniedValues(1, [F_SETOWN, F_SETSIG, F_SETOWN_EX, F_NOTIFY]),
};

/** By `process.arch`. */
export const FILTER_TARGETS: Record<string, FilterTarget> = {
  x64: {
    audit: 0xc000_003e,
    numberMax: 449,
    numbers:
      numbersOf(`ptrace 101 process_vm_readv 310 process_vm_writev 311 kcmp 312 process_madvise 440 pidfd_open 434 pidfd_getfd 438
      pidfd_send_signal 424 tkill 200 rt_sigqueueinfo 129 rt_tgsigqueueinfo 297 fork 57 vfork 58 execveat 322 kill 62 tgkill 234
      unshare 272 setns 308 mount 165 umount2 166 pivot_root 155 chroot 161 fsopen 430 fsconfig 431 fsmount 432 fspick 433 move_mount 429
      open_tree 428 mount_setattr 442 swapon 167 swapoff 168 quotactl 179 quotactl_fd 443 name_to_handle_at 303 open_by_handle_at 304
      fanotify_init 300 fanotify_mark 301 inotify_init 253 inotify_init1 294 kexec_load 246 kexec_file_load 320 init_module 175
      finit_module 313 delete_module 176 reboot 169 acct 163 syslog 103 iopl 172 ioperm 173 modify_ldt 154 vhangup 153 personality 135
      settimeofday 164 clock_settime 227 adjtimex 159 clock_adjtime 305 sethostname 170 setdomainname 171 lookup_dcookie 212
      nfsservctl 180 vserver 236 bpf 321 perf_event_open 298 userfaultfd 323 add_key 248 request_key 249 keyctl 250 migrate_pages 256
      move_pages 279 mbind 237 set_mempolicy 238 sched_setscheduler 144 sched_setparam 142 sched_setattr 314 setpriority 141 ioprio_set 251 sched_setaffinity 203 splice 275 vmsplice 278
      tee 276 process_mrelease 448 socket 41 socketpair 53 bind 49 connect 42 listen 50 accept 43 accept4 288 shmget 29 shmat 30
      shmctl 31 semget 64 semop 65 semtimedop 220 msgget 68 msgsnd 69 msgrcv 70 mq_open 240 mq_unlink 241 memfd_create 319 creat 85
      mkdir 83 mkdirat 258 mknod 133 mknodat 259 rmdir 84 unlink 87 unlinkat 263 rename 82 renameat 264 renameat2 316 link 86 linkat 265
      symlink 88 symlinkat 266 chmod 90 fchmod 91 fchmodat 268 chown 92 fchown 93 lchown 94 fchownat 260 truncate 76 ftruncate 77
      fallocate 285 setxattr 188 lsetxattr 189 fsetxattr 190 removexattr 197 lremovexattr 198 fremovexattr 199 utime 132 utimes 235
      utimensat 280 futimesat 261 clone 56 clone3 435 openat2 437 io_uring_setup 425 io_uring_enter 426 io_uring_register 427
      memfd_secret 447 open 2 openat 257 ioctl 16 fcntl 72 prlimit64 302 prctl 157 seccomp 317`),
  },
  arm64: {
    audit: 0xc000_00b7,
    numberMax: 449,
    numbers:
      numbersOf(`ptrace 117 process_vm_readv 270 process_vm_writev 271 kcmp 272 process_madvise 440 pidfd_open 434 pidfd_getfd 438
      pidfd_send_signal 424 tkill 130 rt_sigqueueinfo 138 rt_tgsigqueueinfo 240 execveat 281 kill 129 tgkill 131 unshare 97 setns 268
      mount 40 umount2 39 pivot_root 41 chroot 51 fsopen 430 fsconfig 431 fsmount 432 fspick 433 move_mount 429 open_tree 428
      mount_setattr 442 swapon 224 swapoff 225 quotactl 60 quotactl_fd 443 name_to_handle_at 264 open_by_handle_at 265 fanotify_init 262
      fanotify_mark 263 inotify_init1 26 kexec_load 104 kexec_file_load 294 init_module 105 finit_module 273 delete_module 106 reboot 142
      acct 89 syslog 116 vhangup 58 personality 92 settimeofday 170 clock_settime 112 adjtimex 171 clock_adjtime 266 sethostname 161
      setdomainname 162 lookup_dcookie 18 nfsservctl 42 bpf 280 perf_event_open 241 userfaultfd 282 add_key 217 request_key 218 keyctl 219
      migrate_pages 238 move_pages 239 mbind 235 set_mempolicy 237 sched_setscheduler 119 sched_setparam 118 sched_setattr 274 setpriority 140 ioprio_set 30 sched_setaffinity 122 splice 76
      vmsplice 75 tee 77 process_mrelease 448 socket 198 socketpair 199 bind 200 connect 203 listen 201 accept 202 accept4 242 shmget 194
      shmat 196 shmctl 195 semget 190 semop 193 semtimedop 192 msgget 186 msgsnd 189 msgrcv 188 mq_open 180 mq_unlink 181 memfd_create 279
      mkdirat 34 mknodat 33 unlinkat 35 renameat 38 renameat2 276 linkat 37 symlinkat 36 fchmod 52 fchmodat 53 fchown 55 fchownat 54
      truncate 45 ftruncate 46 fallocate 47 setxattr 5 lsetxattr 6 fsetxattr 7 removexattr 14 lremovexattr 15 fremovexattr 16 utimensat 88
      clone 220 clone3 435 openat2 437 io_uring_setup 425 io_uring_enter 426 io_uring_register 427 memfd_secret 447 openat 56 ioctl 29
      fcntl 25 prlimit64 261 prctl 167 seccomp 277`),
  },
};

const [LOAD_WORD, JUMP_EQUAL, JUMP_AT_LEAST, JUMP_ANY_BIT, RETURN] = [0x20, 0x15, 0x35, 0x45, 0x06];
const [NUMBER_AT, AUDIT_AT, ARGUMENTS_AT, ARGUMENT_BYTES] = [0, 4, 16, 8];
const ALLOW = 0x7fff_0000;
const KILL_PROCESS = 0x8000_0000;
const FAIL_WITH = 0x0005_0000;
/** x64 only: system calls of the x32 ABI have numbers from here on. */
const X32_BIT = 0x4000_0000;

/** [code, jump if true, jump if false, operand], as in `struct sock_filter`. */
export type Instruction = readonly [number, number, number, number];

/** The filter for a machine, 8 bytes an instruction; PID_MARK still stands in it. */
export function assembleFilter(target: FilterTarget): Instruction[] {
  const numbersOfAll = (calls: string[]) => calls.flatMap((name) => target.numbers[name] ?? []);
  const verdict = (is: Verdict): Instruction => [RETURN, 0, 0, is === 'allow' ? ALLOW : FAIL_WITH | EPERM];
  return [
    [LOAD_WORD, 0, 0, AUDIT_AT],
    [JUMP_EQUAL, 1, 0, target.audit],
    [RETURN, 0, 0, KILL_PROCESS],
    [LOAD_WORD, 0, 0, NUMBER_AT],
    [JUMP_AT_LEAST, 0, 1, X32_BIT],
    [RETURN, 0, 0, FAIL_WITH | EPERM],
    [JUMP_AT_LEAST, 0, 1, target.numberMax],
    [RETURN, 0, 0, FAIL_WITH | ENOSYS],
    ...numbersOfAll(ABSENT_CALLS).flatMap((number): Instruction[] => [
      [JUMP_EQUAL, 0, 1, number],
      [RETURN, 0, 0, FAIL_WITH | ENOSYS],
    ]),
    ...numbersOfAll(DENIED_CALLS).flatMap((number): Instruction[] => [[JUMP_EQUAL, 0, 1, number], verdict('deny')]),
    ...Object.entries(CONDITIONAL_CALLS).flatMap(([name, { argument, tests, otherwise }]): Instruction[] => {
      const number = target.numbers[name];
      if (number === undefined) return [];
      const body: Instruction[] = [
        [LOAD_WORD, 0, 0, ARGUMENTS_AT + ARGUMENT_BYTES * argument],
        ...tests.flatMap(({ equals, hasAny, is }): Instruction[] => [
          equals === undefined ? [JUMP_ANY_BIT, 0, 1, hasAny!] : [JUMP_EQUAL, 0, 1, equals],
          verdict(is),
        ]),
        verdict(otherwise),
      ];
      return [[JUMP_EQUAL, 0, body.length, number], ...body];
    }),
    verdict('allow'),
  ];
}

/** As the kernel reads it. */
export function encodeFilter(instructions: readonly Instruction[]): Buffer {
  const bytes = Buffer.alloc(instructions.length * 8);
  for (const [at, [code, whenTrue, whenFalse, operand]] of instructions.entries()) {
    bytes.writeUInt16LE(code, at * 8);
    bytes.writeUInt8(whenTrue, at * 8 + 2);
    bytes.writeUInt8(whenFalse, at * 8 + 3);
    bytes.writeUInt32LE(operand >>> 0, at * 8 + 4);
  }
  return bytes;
}
