import type { Knex } from 'knex';
import type { MemberRole, OrganisationKind } from '../rules/permissions.ts';
import type { Invitation, OwnershipOffer } from './contract.ts';

const LIST_MAX = 1_000;

export interface StoredInvitation extends Invitation {
  organisationId: string;
  /** Blind index of the address that it is for. */
  addressIndex: Buffer | null;
  kind: OrganisationKind;
  /** The account of who has sent it; null where a program of the organisation has. */
  invitedBy: string | null;
}

export interface InvitationStore {
  insert(invitation: {
    id: string;
    organisationId: string;
    role: MemberRole;
    secretHash: Buffer;
    addressIndex: Buffer | null;
    addressHint: string | null;
    invitedBy: string | null;
    now: Date;
    expiresAt: Date;
  }): Promise<void>;
  /** Open ones of an organisation. */
  countOpen(organisationId: string, now: Date): Promise<number>;
  list(organisationId: string, now: Date): Promise<Invitation[]>;
  find(id: string, now: Date): Promise<StoredInvitation | null>;
  /** Locked until the transaction ends. */
  lockBySecret(secretHash: Buffer, now: Date): Promise<StoredInvitation | null>;
  /** Only an open one changes; false for another. */
  end(
    id: string,
    change: { state: 'accepted' | 'declined' | 'revoked'; accountId: string | null; now: Date },
  ): Promise<boolean>;
}

export function createInvitationStore(database: Knex): InvitationStore {
  const select = () =>
    database('invitations')
      .join('organisations', 'organisations.id', 'invitations.organisation_id')
      .select('invitations.*', 'organisations.slug', 'organisations.kind');
  return {
    async insert({ id, organisationId, role, secretHash, addressIndex, addressHint, invitedBy, now, expiresAt }) {
      await database('invitations').insert({
        id,
        organisation_id: organisationId,
        role,
        secret_sha256: secretHash,
        address_index: addressIndex,
        address_hint: addressHint,
        invited_by: invitedBy,
        created_at: now,
        expires_at: expiresAt,
      });
    },
    async countOpen(organisationId, now) {
      const [row] = await database('invitations')
        .where({ organisation_id: organisationId, state: 'open' })
        .where('expires_at', '>', now)
        .count();
      return Number(row!.count);
    },
    async list(organisationId, now) {
      const rows = await select()
        .where('invitations.organisation_id', organisationId)
        .orderBy('invitations.id', 'desc')
        .limit(LIST_MAX);
      return rows.map((row) => shown(invitationOf(row, now)));
    },
    async find(id, now) {
      const row = await select().where('invitations.id', id).first();
      return row ? invitationOf(row, now) : null;
    },
    async lockBySecret(secretHash, now) {
      const row = await select().where('secret_sha256', secretHash).forUpdate('invitations').first();
      return row ? invitationOf(row, now) : null;
    },
    async end(id, { state, accountId, now }) {
      const change = { state, ended_at: now, ended_by: accountId };
      return (await database('invitations').where({ id, state: 'open' }).update(change)) === 1;
    },
  };
}

// biome-ignore lint/suspicious/noExplicitAny: rows of a join
function invitationOf(row: any, now: Date): StoredInvitation {
  return {
    id: row.id,
    organisationId: row.organisation_id,
    organisation: row.slug,
    role: row.role,
    addressIndex: row.address_index,
    kind: row.kind,
    invitedBy: row.invited_by,
    addressHint: row.address_hint,
    createdAt: row.created_at.toISOString(),
    expiresAt: row.expires_at.toISOString(),
    state: row.state === 'open' && row.expires_at <= now ? 'expired' : row.state,
  };
}

/** Without what is for this store alone. */
export const shown = (stored: StoredInvitation): Invitation => {
  const { organisationId: _, addressIndex: __, kind: ___, invitedBy: ____, ...invitation } = stored;
  return invitation;
};

export interface StoredOffer extends OwnershipOffer {
  organisationId: string;
}

export interface OfferStore {
  insert(offer: {
    id: string;
    organisationId: string;
    from: string;
    to: string;
    now: Date;
    expiresAt: Date;
  }): Promise<void>;
  /** The open one of an organisation. */
  findOpen(organisationId: string, now: Date): Promise<StoredOffer | null>;
  listOpen(accountId: string, now: Date): Promise<StoredOffer[]>;
  /** An open one. */
  find(id: string, now: Date): Promise<StoredOffer | null>;
  /** False where somebody else was quicker. */
  end(id: string, change: { state: 'accepted' | 'declined'; now: Date }): Promise<boolean>;
}

export function createOfferStore(database: Knex): OfferStore {
  const open = (now: Date) =>
    database('ownership_offers')
      .join('organisations', 'organisations.id', 'ownership_offers.organisation_id')
      .join('accounts as giver', 'giver.id', 'from_account_id')
      .join('accounts as taker', 'taker.id', 'to_account_id')
      .where('ownership_offers.state', 'open')
      .where('ownership_offers.expires_at', '>', now)
      .select(
        'ownership_offers.*',
        'organisations.slug',
        'giver.username as giver_name',
        'taker.username as taker_name',
      );
  return {
    async insert({ id, organisationId, from, to, now, expiresAt }) {
      await database('ownership_offers').insert({
        id,
        organisation_id: organisationId,
        from_account_id: from,
        to_account_id: to,
        created_at: now,
        expires_at: expiresAt,
      });
    },
    async findOpen(organisationId, now) {
      const row = await open(now).where('ownership_offers.organisation_id', organisationId).first();
      return row ? offerOf(row) : null;
    },
    async listOpen(accountId, now) {
      const rows = await open(now)
        .where((either) => either.where('from_account_id', accountId).orWhere('to_account_id', accountId))
        .orderBy('ownership_offers.id', 'desc')
        .limit(LIST_MAX);
      return rows.map(offerOf);
    },
    async find(id, now) {
      const row = await open(now).where('ownership_offers.id', id).first();
      return row ? offerOf(row) : null;
    },
    async end(id, { state, now }) {
      const ended = await database('ownership_offers').where({ id, state: 'open' }).update({ state, ended_at: now });
      return ended === 1;
    },
  };
}

// biome-ignore lint/suspicious/noExplicitAny: rows of a join
const offerOf = (row: any): StoredOffer => ({
  id: row.id,
  organisationId: row.organisation_id,
  organisation: row.slug,
  from: { accountId: row.from_account_id, username: row.giver_name },
  to: { accountId: row.to_account_id, username: row.taker_name },
  createdAt: row.created_at.toISOString(),
  expiresAt: row.expires_at.toISOString(),
});
