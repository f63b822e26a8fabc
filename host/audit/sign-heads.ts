import type { KeyObject } from 'node:crypto';
import type { Knex } from 'knex';
import { createAuditKeeper } from '../../registry/index.ts';
import type { Log } from '../http/log.ts';
import { every } from '../repeat-work.ts';
import { keepHead, keptHeadFile } from './kept-head.ts';

/** How long an entry may be in the chain without a signature over it. */
const SIGN_INTERVAL_MS = 10_000;

export interface AuditSigningPorts {
  /** Sees everything. */
  system: Knex;
  signingKey: KeyObject;
  signingKeyFile: string;
  log: Log;
  nowMs: () => number;
}

/** Signs the end of the audit trail again and again while it grows; returns how to stop, which signs once more. */
export function signAuditHeads({
  system,
  signingKey,
  signingKeyFile,
  log,
  nowMs,
}: AuditSigningPorts): () => Promise<void> {
  const keeper = createAuditKeeper({ database: system, signingKey, nowMs });
  const sign = async () => {
    const head = await keeper.signHead();
    if (head === null) return;
    // A log that leaves the machine is one more place that a thief of the database cannot reach.
    log.info({ sequence: Number(head.sequence), hash: head.hash.toString('hex') }, 'audit head signed');
    await keepHead(keptHeadFile(signingKeyFile), head);
  };
  const stop = every(SIGN_INTERVAL_MS, sign, log);
  return async () => {
    await stop();
    await sign();
  };
}
