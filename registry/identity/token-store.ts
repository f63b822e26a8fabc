import type { Knex } from 'knex';
import type { ApiToken, Organisation, Principal } from '../contract.ts';
import type { Role } from '../rules/permissions.ts';
import { TokenModel } from './token-model.ts';

const LIST_MAX = 1_000;

export interface NewToken {
  id: string;
  organisation: Organisation;
  role: Role;
  label: string;
  secretHash: Buffer;
  expiresAt: Date | null;
}

export interface TokenStore {
  insert(token: NewToken): Promise<ApiToken>;
  /** The owner of a token that is neither revoked nor expired at `now`. */
  findOwner(secretHash: Buffer, now: Date): Promise<Principal | null>;
  /** Newest first, at most 1000; null lists every organisation's. */
  list(organisationId: string | null): Promise<ApiToken[]>;
  /** Keeps the time of an earlier revocation. Null where there is no such token of the organisation (null: of any). */
  revoke(
    id: string,
    organisationId: string | null,
    now: Date,
  ): Promise<{ token: ApiToken; organisationId: string; changed: boolean } | null>;
}

type Row = TokenModel & { organisationSlug: string; organisationKind: Organisation['kind']; organisationName: string };

export function createTokenStore(database: Knex): TokenStore {
  const select = () =>
    TokenModel.query(database)
      .join('organisations', 'organisations.id', 'api_tokens.organisation_id')
      .select(
        'api_tokens.*',
        'organisations.slug as organisation_slug',
        'organisations.kind as organisation_kind',
        'organisations.name as organisation_name',
      )
      .castTo<Row[]>();
  return {
    async insert({ id, organisation, role, label, secretHash, expiresAt }) {
      const row = await TokenModel.query(database)
        .insert({ id, organisationId: organisation.id, role, label, secretSha256: secretHash, expiresAt })
        .returning('*');
      return tokenOf({ ...row, organisationSlug: organisation.slug } as Row);
    },
    async findOwner(secretHash, now) {
      const [row] = await select()
        .where('secret_sha256', secretHash)
        .whereNull('revoked_at')
        .where((either) => either.whereNull('expires_at').orWhere('expires_at', '>', now));
      return row ? principalOf(row) : null;
    },
    async list(organisationId) {
      const rows = await select()
        .modify((query) => {
          if (organisationId !== null) query.where('organisation_id', organisationId);
        })
        .orderBy('api_tokens.id', 'desc')
        .limit(LIST_MAX);
      return rows.map(tokenOf);
    },
    async revoke(id, organisationId, now) {
      const scope = organisationId === null ? { id } : { id, organisation_id: organisationId };
      // Only a change is written, so that caches are told once.
      const changed = await database('api_tokens').where(scope).whereNull('revoked_at').update({ revoked_at: now });
      const [row] = await select().where('api_tokens.id', id);
      if (!row || (organisationId !== null && row.organisationId !== organisationId)) return null;
      return { token: tokenOf(row), organisationId: row.organisationId, changed: changed > 0 };
    },
  };
}

const tokenOf = (row: Row): ApiToken => ({
  id: row.id,
  organisation: row.organisationSlug,
  role: row.role,
  label: row.label,
  createdAt: row.createdAt.toISOString(),
  expiresAt: row.expiresAt?.toISOString() ?? null,
  revokedAt: row.revokedAt?.toISOString() ?? null,
});

const principalOf = (row: Row): Principal => ({
  via: 'token',
  credentialId: row.id,
  label: row.label,
  role: row.role,
  account: null,
  factorAtMs: null,
  organisation: {
    id: row.organisationId,
    slug: row.organisationSlug,
    kind: row.organisationKind,
    name: row.organisationName,
  },
});
