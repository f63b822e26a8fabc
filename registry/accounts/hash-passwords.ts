import { createHmac, randomBytes } from 'node:crypto';
import bcrypt from 'bcrypt';
import { RegistryRefusal } from '../errors.ts';
import type { PasswordHash, PasswordHasher } from './contract.ts';

export const BCRYPT_COST = 12;
/** bcrypt runs on the four threads that files and names are looked up with, too. */
const AT_ONCE = 2;
const WAITING_MAX = 64;

export interface PasswordHasherPorts {
  /** 32 bytes each, by version; the highest is for new passwords. */
  peppers: ReadonlyMap<number, Buffer>;
  cost?: number;
  /** Hears of every run of bcrypt. */
  onWork?: () => void;
}

/**
 * bcrypt over base64(hmac-sha384(password, pepper)): 64 characters, so that of no password anything is cut off at 72 bytes or at a
 * zero byte, and that whoever has the database alone can guess nothing.
 */
export function createPasswordHasher({ peppers, cost = BCRYPT_COST, onWork }: PasswordHasherPorts): PasswordHasher {
  const newest = Math.max(...peppers.keys());
  const peppered = (password: string, version: number): string => {
    const pepper = peppers.get(version);
    if (pepper === undefined) throw new Error(`The password pepper of version ${version} is not configured.`);
    // As NIST SP 800-63B has it: one password, however the keyboard composes its letters.
    return createHmac('sha384', pepper).update(password.normalize('NFKC'), 'utf8').digest('base64');
  };
  const inTurn = limitWork(onWork);
  /** Nobody's password. */
  let dummy: Promise<string> | undefined;
  const dummyHash = () => {
    dummy ??= bcrypt.hash(randomBytes(32).toString('base64'), cost);
    return dummy;
  };
  return {
    hash: async (password) => ({
      hash: await inTurn(() => bcrypt.hash(peppered(password, newest), cost)),
      pepperVersion: newest,
    }),
    matches: async (password, stored) => {
      const { hash, pepperVersion }: PasswordHash = stored ?? { hash: await dummyHash(), pepperVersion: newest };
      const equal = await inTurn(() => bcrypt.compare(peppered(password, pepperVersion), hash));
      return equal && stored !== null;
    },
    isOld: ({ hash, pepperVersion }) => pepperVersion !== newest || bcrypt.getRounds(hash) < cost,
  };
}

/** Runs at most AT_ONCE, lets WAITING_MAX wait, and refuses the others. Refuses with: login-busy. */
function limitWork(onWork: (() => void) | undefined) {
  let running = 0;
  const waiting: (() => void)[] = [];
  return async <Result>(work: () => Promise<Result>): Promise<Result> => {
    if (running >= AT_ONCE) {
      if (waiting.length >= WAITING_MAX) throw new RegistryRefusal('login-busy');
      await new Promise<void>((resolve) => waiting.push(resolve));
    } else {
      running += 1;
    }
    try {
      onWork?.();
      return await work();
    } finally {
      // Whoever waits takes over the place.
      const next = waiting.shift();
      if (next) next();
      else running -= 1;
    }
  };
}
