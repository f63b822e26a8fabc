import { createHash, randomBytes } from 'node:crypto';
import type { Knex } from 'knex';
import { v7 } from 'uuid';
import { contextOf, inContext } from '../../host/database-context.ts';
import { createAuditIn } from '../audit/audit-store.ts';
import type { Person, Principal } from '../contract.ts';
import { createOrganisationStore } from '../identity/organisation-store.ts';
import type { MemberRole } from '../rules/permissions.ts';
import { askedBy } from '../test-context.ts';
import { createOrganisations } from './compose.ts';
import type { Organisations } from './contract.ts';

export const addressIndex = (address: string): Buffer => createHash('sha256').update(address.toLowerCase()).digest();

export interface TestOrganisations {
  organisations: Organisations;
  /** Mail that went out, as it was given to the outbox. */
  mails: { to: string; secret: string }[];
  /** A person with an active account, and a verified address where one is given. */
  person(username: string, address?: string): Promise<Person>;
  /** The person acts for an organisation with what they may do there now. */
  acting(person: Person, slug: string): Promise<Principal>;
  /** Makes a person a member without an invitation. */
  join(person: Person, organisationId: string, role: MemberRole): Promise<void>;
}

/** Organisations over a test's database. `clock` may be moved. */
export function testOrganisations(
  { system, scoped }: { system: Knex; scoped: Knex },
  clock: { nowMs: number },
): TestOrganisations {
  const mails: TestOrganisations['mails'] = [];
  const nowMs = () => clock.nowMs;
  const made = createOrganisations({
    database: scoped,
    system,
    actAs: ({ account }, membership, work) => inContext(contextOf({ account, ...membership }), work),
    organisationsIn: createOrganisationStore,
    auditIn: createAuditIn({ nowMs, newId: v7, origin: () => null }),
    addressIndex,
    mailInvitationIn:
      () =>
      async ({ to, secret }) =>
        void mails.push({ to, secret }),
    nowMs,
    newId: v7,
  });
  const organisations = askedBy(made);
  return {
    organisations,
    mails,
    async person(username, address) {
      const id = v7();
      await system('accounts').insert({ id, username, state: 'active', person_key: randomBytes(93) });
      if (address !== undefined) {
        await system('account_emails').insert({
          id: v7(),
          account_id: id,
          sealed: randomBytes(40),
          address_index: addressIndex(address),
          verified_at: new Date(),
        });
      }
      return { account: { id, username }, sessionId: v7(), factorAtMs: clock.nowMs };
    },
    async acting(person, slug) {
      const found = (await organisations.membershipsOf(person.account.id)).find(
        ({ organisation }) => organisation.slug === slug,
      )!;
      const { account, sessionId, factorAtMs } = person;
      return { via: 'session', credentialId: sessionId, label: account.username, account, factorAtMs, ...found };
    },
    join: async ({ account }, organisationId, role) => {
      await system('memberships').insert({
        id: v7(),
        organisation_id: organisationId,
        account_id: account.id,
        role,
        created_at: new Date(clock.nowMs),
      });
    },
  };
}
