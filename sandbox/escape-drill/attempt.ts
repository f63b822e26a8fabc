/** What an escaped plugin goes for. Everything is made by the test, and nothing of it may be reached. */
export interface Targets {
  /** In every secret file and in the host's environment; it must not appear in what the drill says. */
  hostPid: number;
  /** Processes that are neither the host nor the cordon. */
  otherPids: { sameAccount: number; otherAccount: number };
  tcpPort: number;
  udpPort: number;
  /** A socket that everybody may write to, as PostgreSQL makes it. */
  socketPath: string;
  /** Without the leading zero byte. */
  abstractName: string;
  /** Readable by the host's account. */
  secretFile: string;
  /** Readable by everybody. */
  openFile: string;
  /** A script that everybody may read. */
  openScript: string;
  /** Everybody may write here. */
  openFolder: string;
  /** A file of the checkout that no cordon needs. */
  checkoutFile: string;
  /** A file that it has read while it started. */
  ownFile: string;
  /** Lanes have the descriptors from 5 on. */
  lanes: number;
  /** Whether to make attempts, too, that would end the drill itself if they succeeded. */
  reckless: boolean;
}

/**
 * How the cordon is confined in which an attempt is made. `shipped`: as it is delivered, with whatever the kernel grants. `native`: with
 * the kernel's layers alone, as for machine code, which Node.js cannot stop.
 */
export type Armour = 'shipped' | 'native';

export interface Attempt {
  name: string;
  /** Returns or resolves where it succeeded, with what it got; throws what it was refused with. */
  run(targets: Targets): unknown;
  /** Codes of which one must be the refusal; null where it is not tried. */
  refusals: Record<Armour, readonly string[] | null>;
  /** It would end the drill itself if it succeeded. */
  reckless?: true;
  /** It succeeds. Why that is no breach, or which measure closes it. */
  accepted?: Partial<Record<Armour, string>>;
}

export interface AttemptResult {
  name: string;
  /** Null where it succeeded. */
  refusal: string | null;
  /** The beginning of what it got. */
  got: string;
}

/** A refusal that is no error of the system, such as an empty answer. */
export class Refusal extends Error {
  readonly code: string;
  constructor(code: string) {
    super(code);
    this.code = code;
  }
}

export const BY_NODE = ['ERR_ACCESS_DENIED'] as const;
/** Not there, or not for this account, or not by the filter. */
export const BY_KERNEL = ['ENOENT', 'EACCES', 'EPERM', 'EROFS'] as const;

export const attempt = (
  name: string,
  run: Attempt['run'],
  { shipped = BY_NODE, native = BY_KERNEL }: Partial<Attempt['refusals']> = {},
): Attempt => ({ name, run, refusals: { shipped, native } });

/** It works, and is why neighbours in one process trust the isolate alone. */
export const accepted = (name: string, run: Attempt['run'], why: string): Attempt => ({
  name,
  run,
  refusals: { shipped: null, native: null },
  accepted: { shipped: why, native: why },
});
