import type { KeyObject } from 'node:crypto';
import type { Knex } from 'knex';
import type { SignedTreeHead } from '../../plugins-sdk/contract/index.ts';
import { createTransparency, RegistryRefusal, type Transparency } from '../../registry/index.ts';
import type { Log } from '../http/log.ts';
import { every } from '../repeat-work.ts';
import { keepTreeHead, keptTreeHeadFile, readKeptTreeHead } from './kept-tree-head.ts';

/** How long an entry may be in the log without a signature over it, where nobody asks for one. */
const SIGN_INTERVAL_MS = 10_000;

export interface OpenTransparencyPorts {
  /** Sees everything. */
  system: Knex;
  signingKey: KeyObject;
  signingKeyFile: string;
  log: Log;
  nowMs: () => number;
}

/** The transparency log, whose head is signed again and again while it grows; `close` stops that. */
export function openTransparency(ports: OpenTransparencyPorts): Transparency & { close(): Promise<void> } {
  const { log, signingKeyFile } = ports;
  const file = keptTreeHeadFile(signingKeyFile);
  const transparency = createTransparency({
    ...ports,
    keptHead: () => readKeptTreeHead(file),
    keepHead: async (head: SignedTreeHead) => {
      log.info({ size: head.size, root: head.root }, 'transparency head signed');
      await keepTreeHead(file, head);
    },
  });
  const sign = async () => {
    await transparency.head().catch((error: unknown) => {
      if (!(error instanceof RegistryRefusal)) throw error;
      log.error({ ...error.facts, code: error.code }, 'the transparency log is not the one that was signed');
    });
  };
  return { ...transparency, close: every(SIGN_INTERVAL_MS, sign, log) };
}
