import { AsyncLocalStorage } from 'node:async_hooks';

/**
 * For whom the database is asked. Row-level security decides by this and by nothing else (migrations/row-security.ts); the role
 * `system`, which sees everything, is not among these: only a pool of its own has it.
 */
export interface DatabaseContext {
  accountId: string | null;
  organisationId: string | null;
  /** Of the person or the token within the organisation; `anonymous` where nobody is known. */
  role: string;
}

/** Somebody who has not said who they are: sees what is public. */
export const ANONYMOUS: DatabaseContext = { accountId: null, organisationId: null, role: 'anonymous' };

/** What PostgreSQL is told, in the order of `CONTEXT_SETTINGS`. Empty means: nobody, and nothing is seen. */
export type ContextValues = readonly [accountId: string, organisationId: string, role: string];

export const CONTEXT_SETTINGS = ['app.account_id', 'app.organisation_id', 'app.role'] as const;

const NOBODY: ContextValues = ['', '', ''];
/** The host's own work. */
export const SYSTEM: ContextValues = ['', '', 'system'];

const contexts = new AsyncLocalStorage<ContextValues>();

/** Does `work`, and whatever it begins, in the context. Refuses to give somebody the role of the system: throws. */
export function inContext<Result>({ accountId, organisationId, role }: DatabaseContext, work: () => Result): Result {
  if (role === 'system' || role === '') throw new Error(`Nobody acts with the role "${role}"`);
  return contexts.run([accountId ?? '', organisationId ?? '', role], () => begun(work()));
}

/** A query is begun by whoever waits for it: within the context, not by whoever gets it from here. */
const begun = <Result>(result: Result): Result =>
  typeof (result as PromiseLike<unknown> | null | undefined)?.then === 'function'
    ? (Promise.resolve(result) as Result)
    : result;

/** The values of the present context; nobody's outside of one. */
export const presentContext = (): ContextValues => contexts.getStore() ?? NOBODY;

/** Gives a function the present context, for when it is called from elsewhere, such as by a stream. */
export function keepContext<Args extends unknown[], Result>(
  work: (...args: Args) => Result,
): (...args: Args) => Result {
  const kept = contexts.getStore();
  return (...args) => {
    const bound = () => begun(work(...args));
    return kept === undefined ? contexts.exit(bound) : contexts.run(kept, bound);
  };
}

/** Whoever acts, as the database is told. */
export const contextOf = (
  principal: { account: { id: string } | null; organisation: { id: string } | null; role: string } | null,
): DatabaseContext =>
  principal === null
    ? ANONYMOUS
    : {
        accountId: principal.account?.id ?? null,
        organisationId: principal.organisation?.id ?? null,
        role: principal.role,
      };
