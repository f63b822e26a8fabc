import type { Knex } from 'knex';
import { type LogInTransaction, logEntryText } from '../rules/log-event.ts';

/** How to add to the transparency log within a transaction: `logIn(transaction)(event)`. */
export type LogIn = (transaction: Knex) => LogInTransaction;

/** Entries in PostgreSQL; a trigger makes them leaves of the tree when their transaction commits. */
export const createLogIn =
  ({ nowMs, newId }: { nowMs: () => number; newId: () => string }): LogIn =>
  (transaction) =>
  async (event) => {
    await transaction('transparency_entries').insert({ id: newId(), content: logEntryText(event, nowMs()) });
  };
