import { RegistryRefusal } from '../errors.ts';
import type { Sessions } from './contract.ts';
import type { SessionPorts } from './session-ports.ts';

/** A foreign session is as unknown as one that does not exist. Refuses with: session-unknown. */
export const endSession =
  ({ transaction, nowMs }: SessionPorts): Sessions['end'] =>
  (person, sessionId) =>
    transaction(async ({ sessions, audit }) => {
      const ended = await sessions.end({ accountId: person.account.id, id: sessionId }, 'ended', new Date(nowMs()));
      if (ended === 0) throw new RegistryRefusal('session-unknown');
      const subject = { kind: 'session', id: sessionId };
      await audit({ action: 'session.end', actor: person, organisationId: null, subject });
    });

export const endAllSessions =
  ({ transaction, nowMs }: SessionPorts): Sessions['endAll'] =>
  (person, { others }) =>
    transaction(async ({ sessions, audit }) => {
      const { account, sessionId } = person;
      const which = { accountId: account.id, ...(others ? { except: sessionId } : {}) };
      const ended = await sessions.end(which, 'ended', new Date(nowMs()));
      const subject = { kind: 'account', id: account.id };
      await audit({ action: 'session.end-all', actor: person, organisationId: null, subject, after: { ended } });
    });
