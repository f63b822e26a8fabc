import type { Person } from '../../registry/index.ts';

export interface PersonalExport {
  id: string;
  state: 'waiting' | 'ready' | 'failed';
  createdAt: string;
  expiresAt: string;
}

/** What people may ask for about themselves. */
export interface Privacy {
  /** Begins to make an archive; the one that is being made where there is one. */
  requestExport(person: Person): Promise<PersonalExport>;
  /** Newest first; those that have not expired. */
  listExports(person: Person): Promise<PersonalExport[]>;
  /** The archive as JSON. Refuses with: export-unknown, also while it is being made, once it has expired, and for somebody else's. */
  readExport(person: Person, id: string): Promise<string>;
  /**
   * Destroys the person's key, and with it everything that is sealed under it, wherever it was copied to; ends sessions and tokens. What
   * others rely on stays, with an id that says nothing more. Refuses with: erasure-unconfirmed, last-owner.
   */
  erase(person: Person, confirmation: string): Promise<void>;
}
