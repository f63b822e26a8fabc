import { contextOf, inContext } from '../host/database-context.ts';
import type { Person, Principal } from './contract.ts';

type Features = Record<string, unknown>;

/**
 * Features as requests reach them: whoever comes first among the arguments is who asks the database. A text is the id of their account;
 * nobody, where it is none of these.
 */
export const askedBy = <Given extends object>(features: Given): Given =>
  Object.fromEntries(
    Object.entries(features as Features).map(([name, work]) => {
      if (typeof work !== 'function') return [name, work];
      return [name, (...args: unknown[]) => asWhom(args[0], () => work(...args))];
    }),
  ) as Given;

function asWhom(first: unknown, work: () => unknown): unknown {
  if (typeof first === 'string') return inContext(contextOf(personContext({ id: first })), work);
  if (typeof first !== 'object' || first === null) return work();
  if ('sessionId' in first) return inContext(contextOf(personContext((first as Person).account)), work);
  if ('organisation' in first && 'role' in first) return inContext(contextOf(first as Principal), work);
  return work();
}

const personContext = (account: { id: string }) => ({ account, organisation: null, role: 'user' });
