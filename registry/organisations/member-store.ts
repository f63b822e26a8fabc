import type { Knex } from 'knex';
import type { Membership, Organisation } from '../contract.ts';
import type { MemberRole } from '../rules/permissions.ts';
import type { Member } from './contract.ts';

const LIST_MAX = 1_000;

export interface MemberStore {
  /** To be called first by whatever changes members: changes of one organisation take turns. Null where there is none. */
  lockOrganisation(id: string): Promise<Organisation | null>;
  /** To be called first by whatever counts what somebody owns. */
  lockOwner(accountId: string): Promise<void>;
  membershipsOf(accountId: string): Promise<Membership[]>;
  list(organisationId: string): Promise<Member[]>;
  find(organisationId: string, accountId: string): Promise<Member | null>;
  /** Members with this role other than one; without those whose account is closed. */
  countOthersWithRole(organisationId: string, role: MemberRole, accountId: string): Promise<number>;
  /** As what somebody acts there now, and as what for the platform; nothing while their account is closed. */
  rolesOf(
    accountId: string,
    organisationId: string,
  ): Promise<{ there: MemberRole | null; platform: MemberRole | null }>;
  insert(member: { id: string; organisationId: string; accountId: string; role: MemberRole; now: Date }): Promise<void>;
  setRole(organisationId: string, accountId: string, role: MemberRole): Promise<void>;
  remove(organisationId: string, accountId: string): Promise<void>;
  /** Ends the tokens for which the person answers there; says which. */
  revokeTokens(organisationId: string, accountId: string, now: Date): Promise<string[]>;
  rename(organisationId: string, name: string): Promise<void>;
}

interface MemberRow {
  account_id: string;
  username: string;
  role: MemberRole;
  created_at: Date;
}

export function createMemberStore(database: Knex): MemberStore {
  const members = () =>
    database('memberships')
      .join('accounts', 'accounts.id', 'memberships.account_id')
      .select('memberships.account_id', 'accounts.username', 'memberships.role', 'memberships.created_at');
  const ofOrganisation = (organisationId: string, accountId: string) => ({
    organisation_id: organisationId,
    account_id: accountId,
  });
  const count = async (query: Knex.QueryBuilder): Promise<number> => Number((await query.count())[0].count);
  return {
    async lockOrganisation(id) {
      const row = await database('organisations').where({ id }).forUpdate().first('id', 'slug', 'kind', 'name');
      return row ?? null;
    },
    lockOwner: async (accountId) =>
      void (await database.raw('select pg_advisory_xact_lock(hashtextextended(?, 0))', [`owner:${accountId}`])),
    async membershipsOf(accountId) {
      const rows = await database('memberships')
        .join('organisations', 'organisations.id', 'memberships.organisation_id')
        .where('memberships.account_id', accountId)
        .orderBy('organisations.slug')
        .limit(LIST_MAX)
        .select(
          'organisations.id',
          'organisations.slug',
          'organisations.kind',
          'organisations.name',
          'memberships.role',
        );
      return rows.map(({ role, ...organisation }) => ({ organisation, role }));
    },
    async list(organisationId) {
      const rows: MemberRow[] = await members()
        .where('memberships.organisation_id', organisationId)
        .orderBy('accounts.username')
        .limit(LIST_MAX);
      return rows.map(memberOf);
    },
    async find(organisationId, accountId) {
      const row: MemberRow | undefined = await members()
        .where({ 'memberships.organisation_id': organisationId, 'memberships.account_id': accountId })
        .first();
      return row ? memberOf(row) : null;
    },
    countOthersWithRole: (organisationId, role, accountId) =>
      count(
        members()
          .clearSelect()
          .where({ organisation_id: organisationId, role, 'accounts.state': 'active' })
          .whereNot('account_id', accountId),
      ),
    async rolesOf(accountId, organisationId) {
      const rows = await database('memberships')
        .join('accounts', 'accounts.id', 'memberships.account_id')
        .join('organisations', 'organisations.id', 'memberships.organisation_id')
        .where({ account_id: accountId, 'accounts.state': 'active' })
        .where((either) => either.where('organisation_id', organisationId).orWhere('kind', 'platform'))
        .select('organisation_id', 'kind', 'role');
      return {
        there: rows.find((row) => row.organisation_id === organisationId)?.role ?? null,
        platform: rows.find((row) => row.kind === 'platform')?.role ?? null,
      };
    },
    async insert({ id, organisationId, accountId, role, now }) {
      await database('memberships').insert({ id, ...ofOrganisation(organisationId, accountId), role, created_at: now });
    },
    async setRole(organisationId, accountId, role) {
      await database('memberships').where(ofOrganisation(organisationId, accountId)).update({ role });
    },
    async remove(organisationId, accountId) {
      await database('memberships').where(ofOrganisation(organisationId, accountId)).delete();
    },
    async revokeTokens(organisationId, accountId, now) {
      const rows = await database('api_tokens')
        .where(ofOrganisation(organisationId, accountId))
        .whereNull('revoked_at')
        .update({ revoked_at: now })
        .returning('id');
      return rows.map(({ id }) => id);
    },
    async rename(organisationId, name) {
      await database('organisations').where('id', organisationId).update({ name });
    },
  };
}

const memberOf = ({ account_id, username, role, created_at }: MemberRow): Member => ({
  accountId: account_id,
  username,
  role,
  since: created_at.toISOString(),
});
