import { AsyncLocalStorage } from 'node:async_hooks';
import type { AuditOrigin } from '../../registry/index.ts';

const scope = new AsyncLocalStorage<AuditOrigin>();

/** Lets everything that `work` does know which request it belongs to. */
export const withOrigin = <Result>(origin: AuditOrigin, work: () => Result): Result => scope.run(origin, work);

/** The request that is being answered; null outside of one. For the audit trail, which wants it without every use case passing it on. */
export const currentOrigin = (): AuditOrigin | null => scope.getStore() ?? null;
