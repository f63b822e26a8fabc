import type { KernelLayer } from './layers.ts';
import { ownRootScript, type RootSources } from './own-root.ts';
import { assembleFilter, encodeFilter, FILTER_TARGETS, PID_MARK } from './seccomp-filter.ts';

/** Absolute paths; null where the machine has no such program. */
export interface Tools {
  unshare: string | null;
  setpriv: string | null;
  prlimit: string | null;
  perl: string | null;
  sh: string | null;
  env: string | null;
}

export interface Confined {
  layers: ReadonlySet<KernelLayer>;
  tools: Tools;
  /** The process that starts it is root. */
  isRoot: boolean;
  /** It will be the only process of its account. */
  hasOwnAccount: boolean;
  arch: string;
  root: RootSources;
  descriptorsMax: number;
  threadsMax: number;
}

/** The black box is the only file that a cordon can write. */
const FILE_BYTES_MAX = 1024 * 1024;
/** `nobody`, inside a user namespace. */
const NOBODY = 65_534;

/**
 * The command that starts `command` within the given layers. Throws where a tool is missing. Each program of the chain becomes
 * the next, except that with `own-root` the caller's child waits for the first process of the new namespace, and that for the command.
 * With an empty environment, it keeps the inherited descriptors; descriptor 4 must be open.
 */
export function confineCommand(command: string[], confined: Confined): string[] {
  const { layers } = confined;
  return [
    ...(isApart(confined) ? namespaces(confined) : []),
    ...(layers.has('resource-limits') ? limits(confined) : []),
    ...(layers.has('no-new-privileges') ? privileges(confined) : []),
    // Shells export variables of their own.
    ...(layers.has('own-root') ? [toolOf(confined, 'env'), '-i'] : []),
    ...(layers.has('system-call-filter') ? filter(confined) : []),
    ...command,
  ];
}

const isApart = ({ layers }: Confined): boolean => layers.has('own-network') || layers.has('own-root');

function toolOf({ tools }: Confined, name: keyof Tools): string {
  const path = tools[name];
  if (path === null) throw new Error(`There is no program ${name}.`);
  return path;
}

function namespaces(confined: Confined): string[] {
  const { layers, isRoot, root } = confined;
  const unshare = toolOf(confined, 'unshare');
  const own = [unshare];
  if (!isRoot) own.push('--user', '--map-root-user');
  if (layers.has('own-network')) own.push('--net', '--ipc', '--uts');
  // In a namespace that an ordinary account has made it is root; from a second one it can neither go back nor undo anything.
  const leaveRoot = isRoot ? [] : [unshare, '--user', `--map-user=${NOBODY}`, `--map-group=${NOBODY}`];
  if (!layers.has('own-root')) return [...own, ...leaveRoot];
  own.push('--mount', '--pid', '--fork', '--kill-child', '--');
  own.push(toolOf(confined, 'sh'), '-c', ownRootScript(root), 'gatehouse-cordon');
  // Killed with its host, whatever became of the program inside.
  return [toolOf(confined, 'setpriv'), '--pdeathsig', 'KILL', ...own, ...leaveRoot];
}

const limits = (confined: Confined): string[] => [
  toolOf(confined, 'prlimit'),
  '--core=0',
  `--fsize=${FILE_BYTES_MAX}`,
  `--nofile=${confined.descriptorsMax}`,
  '--memlock=0',
  '--msgqueue=0',
  '--rtprio=0',
  // It counts all processes of an account, but in a user namespace only those that are in it.
  ...(confined.hasOwnAccount || (!confined.isRoot && isApart(confined)) ? [`--nproc=${confined.threadsMax}`] : []),
];

const privileges = (confined: Confined): string[] => [
  toolOf(confined, 'setpriv'),
  '--no-new-privs',
  // A cordon of root reads its code, wherever that lies, and becomes nobody, which takes these from it too.
  ...(confined.isRoot ? ['--inh-caps=-all', '--bounding-set=-all,+setuid,+setgid,+dac_read_search'] : []),
];

const SET_NO_NEW_PRIVILEGES = 38;
const SET_MODE_FILTER = 1;
/** Without it older kernels slow the whole process down against Spectre, from which a process of its own protects the host anyway. */
const ALLOW_SPECULATION = 4;

const SET_TIMER_SLACK = 29;
/**
 * How late timers may be, so that the kernel wakes threads for several at once. isolated-vm sets one for every turn, and its
 * thread sleeps until each of them: with the usual 50 us it woke, and took the lane's core, nearly as often as there are turns. A turn
 * that is stopped so much later is billed for it.
 */
const TIMER_SLACK_NS = 5_000_000;

/** perl can make system calls, and Debian has it in every installation; util-linux cannot set filters before version 2.41. */
function filter(confined: Confined): string[] {
  const target = FILTER_TARGETS[confined.arch];
  if (!target) throw new Error(`There is no filter for processors of the kind ${confined.arch}.`);
  const { prctl, seccomp } = target.numbers;
  const script = [
    'my $filter = pack "H*", shift;',
    `my ($mark, $pid) = (pack("L", ${PID_MARK}), pack("L", $$));`,
    '$filter =~ s/\\Q$mark\\E/$pid/g;',
    'my $program = pack "S x![P] P", length($filter) / 8, $filter;',
    `syscall(${prctl}, ${SET_NO_NEW_PRIVILEGES}, 1, 0, 0, 0) == 0 or die "no_new_privs: $!\\n";`,
    `syscall(${seccomp}, ${SET_MODE_FILTER}, ${ALLOW_SPECULATION}, $program) == 0 or die "seccomp: $!\\n";`,
    `syscall(${prctl}, ${SET_TIMER_SLACK}, ${TIMER_SLACK_NS}, 0, 0, 0);`,
    'exec { $ARGV[0] } @ARGV or die "$ARGV[0]: $!\\n";',
  ].join(' ');
  return [toolOf(confined, 'perl'), '-e', script, encodeFilter(assembleFilter(target)).toString('hex')];
}
