import { AsyncLocalStorage } from 'node:async_hooks';
import type { AuditEntry, AuditOrigin } from '../../registry/index.ts';

interface Scope extends AuditOrigin {
  actor?: AuditEntry['actor'];
}

const scope = new AsyncLocalStorage<Scope>();

/** Lets everything that `work` does know which request it belongs to. */
export const withOrigin = <Result>({ requestId, address }: AuditOrigin, work: () => Result): Result =>
  scope.run({ requestId, address }, work);

/** The request that is being answered; null outside of one. For the audit trail, which wants it without every use case passing it on. */
export const currentOrigin = (): AuditOrigin | null => scope.getStore() ?? null;

/** Says who sends the request that is being answered. */
export function noteActor(actor: AuditEntry['actor'] | null): void {
  const current = scope.getStore();
  if (current && actor !== null) current.actor = actor;
}

/** Who sends the request that is being answered; null outside of one, and where nobody has said who they are. */
export const currentActor = (): AuditEntry['actor'] | null => scope.getStore()?.actor ?? null;
