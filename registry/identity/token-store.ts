import type { Knex } from 'knex';
import type { ApiToken, Organisation, Principal, TokenNarrowing } from '../contract.ts';
import type { Permission, Role, TokenRole } from '../rules/permissions.ts';
import { type Restrictions, tokenRights } from '../rules/token-rights.ts';
import { inRanges } from './address-ranges.ts';
import { TokenModel } from './token-model.ts';

const LIST_MAX = 1_000;

export interface NewToken {
  id: string;
  organisation: Organisation;
  role: TokenRole;
  label: string;
  secretHash: Buffer;
  expiresAt: Date | null;
  /** The member who answers for it. */
  accountId: string | null;
  narrowing: TokenNarrowing;
}

/** Which tokens: those of an organisation, of one member there, or all. */
/** `accountId` null: those for which no member answers. */
export type TokenScope = { organisationId: string; accountId?: string | null } | 'all';

/** A token with what a successor of it needs. */
export interface StoredToken {
  token: ApiToken;
  organisation: Organisation;
  role: TokenRole;
  accountId: string | null;
  narrowing: TokenNarrowing;
}

export interface TokenStore {
  insert(token: NewToken): Promise<ApiToken>;
  /** The owner of a token that is neither revoked nor expired at `now`, with what it may do now. */
  findOwner(secretHash: Buffer, now: Date): Promise<Principal | null>;
  /** Newest first, at most 1000. */
  list(scope: TokenScope): Promise<ApiToken[]>;
  /** Keeps the time of an earlier revocation. Null where there is no such token in the scope. */
  revoke(
    id: string,
    scope: TokenScope,
    now: Date,
  ): Promise<{ token: ApiToken; organisationId: string; changed: boolean } | null>;
  /** Locked until the transaction ends; null where there is none in the scope. */
  lock(id: string, scope: TokenScope): Promise<StoredToken | null>;
  /** From now on the successor stands for it, and it ends at `expiresAt`. */
  succeed(id: string, change: { successorId: string; expiresAt: Date }): Promise<void>;
  setAccount(id: string, accountId: string): Promise<void>;
  /** Writes times of use, by id; an earlier one than what is stored changes nothing. */
  markUsed(uses: ReadonlyMap<string, number>): Promise<void>;
}

type Row = TokenModel & {
  organisationSlug: string;
  organisationKind: Organisation['kind'];
  organisationName: string;
  username: string | null;
  accountState: string | null;
  holderRole: Role | null;
};

export function createTokenStore(database: Knex): TokenStore {
  const select = () =>
    TokenModel.query(database)
      .join('organisations', 'organisations.id', 'api_tokens.organisation_id')
      .leftJoin('accounts', 'accounts.id', 'api_tokens.account_id')
      .leftJoin('memberships', (on) =>
        on
          .on('memberships.account_id', 'api_tokens.account_id')
          .andOn('memberships.organisation_id', 'api_tokens.organisation_id'),
      )
      .select(
        'api_tokens.*',
        'organisations.slug as organisation_slug',
        'organisations.kind as organisation_kind',
        'organisations.name as organisation_name',
        'accounts.username as username',
        'accounts.state as account_state',
        'memberships.role as holder_role',
      )
      .castTo<Row[]>();
  const within = (scope: TokenScope) => (query: { where(column: string, value: string | null): unknown }) => {
    if (scope === 'all') return;
    query.where('api_tokens.organisation_id', scope.organisationId);
    if (scope.accountId !== undefined) query.where('api_tokens.account_id', scope.accountId);
  };
  const find = async (id: string, scope: TokenScope): Promise<Row | undefined> =>
    (await select().where('api_tokens.id', id).modify(within(scope)))[0];
  return {
    async insert({ id, organisation, role, label, secretHash, expiresAt, accountId, narrowing }) {
      await TokenModel.query(database).insert({
        id,
        organisationId: organisation.id,
        role,
        label,
        secretSha256: secretHash,
        expiresAt,
        accountId,
        scopes: (narrowing.scopes as string[] | undefined) ?? null,
        installationIds: narrowing.installationIds ?? null,
        plugin: narrowing.plugin ?? null,
        addressRanges: narrowing.addressRanges ?? null,
      });
      return tokenOf((await find(id, 'all'))!);
    },
    async findOwner(secretHash, now) {
      const [row] = await select()
        .where('secret_sha256', secretHash)
        .whereNull('revoked_at')
        .where((either) => either.whereNull('expires_at').orWhere('expires_at', '>', now));
      return row ? principalOf(row) : null;
    },
    async list(scope) {
      const rows = await select().modify(within(scope)).orderBy('api_tokens.id', 'desc').limit(LIST_MAX);
      return rows.map(tokenOf);
    },
    async revoke(id, scope, now) {
      const found = await find(id, scope);
      if (!found) return null;
      // Only a change is written, so that caches are told once.
      const changed = await database('api_tokens').where({ id }).whereNull('revoked_at').update({ revoked_at: now });
      const row = (await find(id, scope))!;
      return { token: tokenOf(row), organisationId: row.organisationId, changed: changed > 0 };
    },
    async lock(id, scope) {
      const found = await database('api_tokens').where({ id }).forUpdate().first('id');
      const row = found && (await find(id, scope));
      if (!row) return null;
      return {
        token: tokenOf(row),
        organisation: organisationOf(row),
        role: row.role,
        accountId: row.accountId,
        narrowing: narrowingOf(row),
      };
    },
    async succeed(id, { successorId, expiresAt }) {
      await database('api_tokens').where({ id }).update({ successor_id: successorId, expires_at: expiresAt });
    },
    async setAccount(id, accountId) {
      await database('api_tokens').where({ id }).update({ account_id: accountId });
    },
    async markUsed(uses) {
      if (uses.size === 0) return;
      await database.raw(
        `update api_tokens set last_used_at = used.at
         from unnest(?::uuid[], ?::timestamptz[]) as used (id, at)
         where api_tokens.id = used.id and (last_used_at is null or last_used_at < used.at)`,
        [[...uses.keys()], [...uses.values()].map((atMs) => new Date(atMs).toISOString())],
      );
    },
  };
}

const tokenOf = (row: Row): ApiToken => ({
  id: row.id,
  organisation: row.organisationSlug,
  role: row.role,
  label: row.label,
  account: row.accountId === null ? null : { id: row.accountId, username: row.username ?? '' },
  scopes: row.scopes as Permission[] | null,
  installationIds: row.installationIds,
  plugin: row.plugin,
  addressRanges: row.addressRanges,
  createdAt: row.createdAt.toISOString(),
  expiresAt: row.expiresAt?.toISOString() ?? null,
  lastUsedAt: row.lastUsedAt?.toISOString() ?? null,
  revokedAt: row.revokedAt?.toISOString() ?? null,
  successorId: row.successorId,
});

const narrowingOf = ({ scopes, installationIds, plugin, addressRanges }: Row): TokenNarrowing => ({
  ...(scopes && { scopes: scopes as Permission[] }),
  ...(installationIds && { installationIds }),
  ...(plugin !== null && { plugin }),
  ...(addressRanges && { addressRanges }),
});

const organisationOf = (row: Row): Organisation => ({
  id: row.organisationId,
  slug: row.organisationSlug,
  kind: row.organisationKind,
  name: row.organisationName,
});

/** Null where the member who answers for the token is none any more, or their account is closed. */
function principalOf(row: Row): Principal | null {
  if (row.accountId !== null && (row.holderRole === null || row.accountState !== 'active')) return null;
  const { role, permissions } = tokenRights({ role: row.role, scopes: row.scopes, holder: row.holderRole });
  const restrictions = restrictionsOf(row, permissions);
  return {
    via: 'token',
    credentialId: row.id,
    label: row.label,
    role,
    account: row.accountId === null ? null : { id: row.accountId, username: row.username! },
    factorAtMs: null,
    organisation: organisationOf(row),
    ...(row.expiresAt && { expiresAtMs: row.expiresAt.getTime() }),
    ...(restrictions && { restrictions }),
  };
}

function restrictionsOf(row: Row, permissions: readonly Permission[] | undefined): Restrictions | null {
  const { installationIds, plugin, addressRanges } = row;
  const restrictions: Restrictions = {
    ...(permissions && { permissions }),
    ...(installationIds && { installationIds }),
    ...(plugin !== null && { plugin }),
    ...(addressRanges && { addressRanges, allowsAddress: inRanges(addressRanges) }),
  };
  return Object.keys(restrictions).length === 0 ? null : restrictions;
}
