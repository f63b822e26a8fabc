import type { Attempt } from './attempt.ts';
import { ENGINE } from './attempts-engine.ts';
import { LOADERS, PROC, READS, WRITES } from './attempts-files.ts';
import { NATIVE } from './attempts-native.ts';
import { EXHAUSTION, NEIGHBOURS } from './attempts-neighbours.ts';
import { NETWORK } from './attempts-network.ts';
import { ACCOUNTS, PROGRAMS, SIGNALLING } from './attempts-processes.ts';

/** By what they go for, in the order in which they are made. */
export const FAMILIES: Record<string, Attempt[]> = {
  'files to read': READS,
  'what the system says about processes': PROC,
  'files to change': WRITES,
  'code to load': LOADERS,
  network: NETWORK,
  'programs and threads': PROGRAMS,
  signals: SIGNALLING,
  accounts: ACCOUNTS,
  'doors of Node.js': ENGINE,
  'system calls': NATIVE,
  neighbours: NEIGHBOURS,
  exhaustion: EXHAUSTION,
};
