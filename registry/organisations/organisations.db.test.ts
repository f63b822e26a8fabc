import { expect } from 'chai';
import { v7 } from 'uuid';
import type { Organisation, Person } from '../contract.ts';
import { refusalOf, type TestRegistry, testRegistry } from '../test-registry.ts';
import { type TestOrganisations, testOrganisations } from './test-organisations.ts';

describe('organisations and their members', () => {
  let test: TestRegistry;
  let people: TestOrganisations;
  before(async () => {
    test = await testRegistry();
    people = testOrganisations(test.database, test.clock);
  });
  after(() => test.database.close());

  let made = 0;
  /** An operator with one owner. */
  async function arcade(): Promise<{ owner: Person; organisation: Organisation }> {
    made += 1;
    const owner = await people.person(`owner_${made}`);
    const command = { id: v7(), slug: `arcade-${made}`, kind: 'operator', name: 'Arcade' } as const;
    return { owner, organisation: await people.organisations.registerOrganisation(owner, command) };
  }
  const codeOf = async (work: Promise<unknown>) => (await refusalOf(work)).code;
  const rolesIn = async (organisation: Organisation) =>
    (
      await test.database.system('memberships').where('organisation_id', organisation.id).orderBy(['created_at', 'id'])
    ).map(({ role }) => role);

  describe('registerOrganisation', () => {
    it('makes the person its owner, once, however often the same comes at once', async () => {
      const owner = await people.person('ada');
      const command = { id: v7(), slug: 'adas', kind: 'publisher', name: 'Ada' } as const;
      const all = await Promise.all(
        Array.from({ length: 4 }, () => people.organisations.registerOrganisation(owner, command)),
      );
      for (const each of all) expect(each).to.deep.equal(command);
      expect(await people.organisations.membershipsOf(owner.account.id)).to.deep.equal([
        { organisation: command, role: 'publisher' },
      ]);
    });

    it('gives nobody an organisation that is there already, with members or without', async () => {
      const stranger = await people.person('mallory');
      const { organisation } = await arcade();
      const empty = await test.organisation('no-members', 'operator', 'operator-owner');
      for (const wanted of [organisation, empty.organisation]) {
        const command = wanted as Organisation & { kind: 'operator' };
        expect(await codeOf(people.organisations.registerOrganisation(stranger, command))).to.equal('slug-taken');
        const other = { ...command, slug: `${wanted.slug}-x` };
        expect(await codeOf(people.organisations.registerOrganisation(stranger, other))).to.equal(
          'organisation-id-taken',
        );
      }
      expect(await people.organisations.membershipsOf(stranger.account.id)).to.deep.equal([]);
    });

    it('lets one person own so many and no more', async () => {
      const owner = await people.person('collector');
      const register = (at: number) =>
        people.organisations.registerOrganisation(owner, { id: v7(), slug: `c-${at}-x`, kind: 'operator', name: 'C' });
      // At once: each counts those that the others have made.
      const outcomes = await Promise.allSettled(Array.from({ length: 13 }, (_, at) => register(at)));
      expect(outcomes.filter(({ status }) => status === 'fulfilled')).to.have.length(10);
      expect(await codeOf(register(13))).to.equal('organisations-too-many');
    });
  });

  describe('invite', () => {
    it('makes a member of whoever has verified the address, and of nobody else', async () => {
      const { owner, organisation } = await arcade();
      const actor = await people.acting(owner, organisation.slug);
      const { invitation, secret } = await people.organisations.invite(actor, {
        role: 'operator-viewer',
        address: 'Grace@Example.com',
      });
      expect(secret).to.equal(null);
      expect(invitation.addressHint).to.equal('G…@Example.com');
      const mailed = people.mails.at(-1)!;
      expect(mailed.to).to.equal('Grace@Example.com');
      const stored = await test.database.system('invitations').where('id', invitation.id).first();
      expect(JSON.stringify(stored)).not.to.include('grace').and.not.to.include(mailed.secret);
      const thief = await people.person('thief', 'thief@example.com');
      expect(await codeOf(people.organisations.readInvitation(thief, mailed.secret))).to.equal(
        'invitation-for-another',
      );
      expect(await codeOf(people.organisations.acceptInvitation(thief, mailed.secret))).to.equal(
        'invitation-for-another',
      );
      const grace = await people.person('grace', 'grace@example.com');
      expect(await people.organisations.acceptInvitation(grace, mailed.secret)).to.deep.equal({
        organisation,
        role: 'operator-viewer',
      });
      expect(await codeOf(people.organisations.acceptInvitation(grace, mailed.secret))).to.equal('invitation-unknown');
    });

    it('gives a link that one person can use, once', async () => {
      const { owner, organisation } = await arcade();
      const actor = await people.acting(owner, organisation.slug);
      const { secret } = await people.organisations.invite(actor, { role: 'operator-viewer' });
      const guests = await Promise.all([1, 2, 3].map((at) => people.person(`guest_${made}_${at}`)));
      const outcomes = await Promise.allSettled(
        guests.map((guest) => people.organisations.acceptInvitation(guest, secret!)),
      );
      expect(outcomes.filter(({ status }) => status === 'fulfilled')).to.have.length(1);
      expect(await rolesIn(organisation)).to.deep.equal(['operator-owner', 'operator-viewer']);
    });

    it('is worth nothing once who sent it could not send it any more', async () => {
      const ends: [string, (owner: Person, sender: Person, slug: string) => Promise<unknown>][] = [
        [
          'removed',
          async (owner, sender, slug) =>
            people.organisations.removeMember(await people.acting(owner, slug), sender.account.id),
        ],
        [
          'demoted',
          async (owner, { account }, slug) =>
            people.organisations.changeRole(await people.acting(owner, slug), {
              accountId: account.id,
              role: 'operator-manager',
            }),
        ],
        [
          'closed',
          async (_, { account }) =>
            test.database.system('accounts').where('id', account.id).update({ state: 'deactivated' }),
        ],
      ];
      for (const [name, end] of ends) {
        const { owner, organisation } = await arcade();
        const sender = await people.person(`sender_${name}`);
        await people.join(sender, organisation.id, 'operator-owner');
        const wish = { role: 'operator-owner' } as const;
        const { secret } = await people.organisations.invite(await people.acting(sender, organisation.slug), wish);
        const back = await people.person(`back_${name}`);
        expect((await people.organisations.readInvitation(back, secret!)).role, name).to.equal('operator-owner');
        await end(owner, sender, organisation.slug);
        expect(await codeOf(people.organisations.acceptInvitation(back, secret!)), name).to.equal('invitation-unknown');
      }
    });

    it('ends with its time, by its withdrawal and by a refusal', async () => {
      const { owner, organisation } = await arcade();
      const actor = await people.acting(owner, organisation.slug);
      const guest = await people.person(`late_${made}`);
      const open = async () => people.organisations.invite(actor, { role: 'operator-viewer', expiresInSeconds: 3_600 });
      const [late, withdrawn, refused] = [await open(), await open(), await open()];
      await people.organisations.revokeInvitation(actor, withdrawn.invitation.id);
      await people.organisations.declineInvitation(guest, refused.secret!);
      for (const { secret } of [withdrawn, refused]) {
        expect(await codeOf(people.organisations.acceptInvitation(guest, secret!))).to.equal('invitation-unknown');
      }
      test.clock.nowMs += 3_600_000;
      expect(await codeOf(people.organisations.acceptInvitation(guest, late.secret!))).to.equal('invitation-unknown');
      const states = (await people.organisations.listInvitations(actor)).map(({ state }) => state);
      expect(states).to.deep.equal(['declined', 'revoked', 'expired']);
    });

    it('refuses to a manager what only an owner gives, and roles of other kinds to everybody', async () => {
      const { owner, organisation } = await arcade();
      const manager = await people.person(`manager_${made}`);
      await people.join(manager, organisation.id, 'operator-manager');
      const asManager = await people.acting(manager, organisation.slug);
      const asOwner = await people.acting(owner, organisation.slug);
      expect(await codeOf(people.organisations.invite(asManager, { role: 'operator-owner' }))).to.equal(
        'role-not-allowed',
      );
      for (const role of ['admin', 'moderator', 'publisher', 'finance-manager'] as const) {
        expect(await codeOf(people.organisations.invite(asOwner, { role })), role).to.equal('role-not-allowed');
      }
      expect((await people.organisations.invite(asManager, { role: 'operator-viewer' })).secret).to.be.a('string');
    });

    it('refuses an organisation of others to everybody but an admin', async () => {
      const { organisation } = await arcade();
      const { owner, organisation: own } = await arcade();
      const actor = await people.acting(owner, own.slug);
      const command = { organisation: organisation.slug, role: 'operator-owner' } as const;
      expect(await codeOf(people.organisations.invite(actor, command))).to.equal('organisation-foreign');
      expect((await people.organisations.invite(test.admin, command)).invitation.organisation).to.equal(
        organisation.slug,
      );
      const foreign = await people.organisations.invite(test.admin, command);
      expect(await codeOf(people.organisations.revokeInvitation(actor, foreign.invitation.id))).to.equal(
        'invitation-unknown',
      );
    });
  });

  describe('changeRole and removeMember', () => {
    it('refuse to a manager whatever concerns an owner', async () => {
      const { owner, organisation } = await arcade();
      const manager = await people.person(`m_${made}`);
      await people.join(manager, organisation.id, 'operator-manager');
      const actor = await people.acting(manager, organisation.slug);
      const up = people.organisations.changeRole(actor, { accountId: manager.account.id, role: 'operator-owner' });
      expect(await codeOf(up)).to.equal('role-not-allowed');
      const down = people.organisations.changeRole(actor, { accountId: owner.account.id, role: 'operator-viewer' });
      expect(await codeOf(down)).to.equal('role-not-allowed');
      expect(await codeOf(people.organisations.removeMember(actor, owner.account.id))).to.equal('role-not-allowed');
    });

    it('know nobody of another organisation', async () => {
      const [{ owner }, { owner: other, organisation }] = [await arcade(), await arcade()];
      const actor = await people.acting(other, organisation.slug);
      for (const accountId of [owner.account.id, v7(), 'nonsense']) {
        const change = people.organisations.changeRole(actor, { accountId, role: 'operator-viewer' });
        expect(await codeOf(change)).to.equal('member-unknown');
        expect(await codeOf(people.organisations.removeMember(actor, accountId))).to.equal('member-unknown');
      }
    });

    it('keep the last owner, also of two who go at once', async () => {
      for (let round = 0; round < 5; round += 1) {
        const { owner, organisation } = await arcade();
        const second = await people.person(`second_${made}`);
        await people.join(second, organisation.id, 'operator-owner');
        const asSecond = await people.acting(second, organisation.slug);
        const outcomes = await Promise.allSettled([
          people.organisations.leave(owner, organisation.slug),
          people.organisations.changeRole(asSecond, { accountId: second.account.id, role: 'operator-viewer' }),
        ]);
        expect(outcomes.filter(({ status }) => status === 'fulfilled')).to.have.length(1);
        expect((await rolesIn(organisation)).filter((role) => role === 'operator-owner')).to.have.length(1);
      }
    });

    it('own nothing while their account is closed, and can be removed then', async () => {
      const { owner, organisation } = await arcade();
      const closed = await people.person(`closed_${made}`);
      await people.join(closed, organisation.id, 'operator-owner');
      await test.database.system('accounts').where('id', closed.account.id).update({ state: 'deactivated' });
      expect(await codeOf(people.organisations.leave(owner, organisation.slug))).to.equal('last-owner');
      await people.organisations.removeMember(await people.acting(owner, organisation.slug), closed.account.id);
      expect(await rolesIn(organisation)).to.deep.equal(['operator-owner']);
    });

    it('go by themselves, where an owner stays', async () => {
      const { organisation } = await arcade();
      const second = await people.person(`goer_${made}`);
      await people.join(second, organisation.id, 'operator-owner');
      await people.organisations.leave(second, organisation.slug);
      expect(await codeOf(people.organisations.leave(second, organisation.slug))).to.equal('member-unknown');
      expect(await rolesIn(organisation)).to.deep.equal(['operator-owner']);
    });

    it('take the tokens along that the person answers for, and leave those of the organisation', async () => {
      const { owner, organisation } = await arcade();
      const leaver = await people.person(`leaver_${made}`);
      await people.join(leaver, organisation.id, 'operator-manager');
      const issue = async (person: Person) =>
        test.registry.issueToken(await people.acting(person, organisation.slug), {
          organisation: organisation.slug,
          role: 'caller',
          label: 'till',
        });
      const [theirs, adopted, owners] = [await issue(leaver), await issue(leaver), await issue(owner)];
      await test.registry.adoptToken(await people.acting(owner, organisation.slug), adopted.token.id);
      await people.organisations.removeMember(await people.acting(owner, organisation.slug), leaver.account.id);
      expect(await test.registry.authenticate(theirs.secret)).to.equal(null);
      for (const { secret } of [adopted, owners]) expect(await test.registry.authenticate(secret)).not.to.equal(null);
      // Coming back does not bring them back.
      await people.join(leaver, organisation.id, 'operator-manager');
      expect(await test.registry.authenticate(theirs.secret)).to.equal(null);
    });
  });

  describe('ownership', () => {
    it('changes hands when the other accepts, and the one takes their role', async () => {
      const { owner, organisation } = await arcade();
      const heir = await people.person(`heir_${made}`);
      await people.join(heir, organisation.id, 'operator-viewer');
      const actor = await people.acting(owner, organisation.slug);
      const offer = await people.organisations.offerOwnership(actor, heir.account.id);
      expect((await people.acting(heir, organisation.slug)).role).to.equal('operator-viewer');
      const again = people.organisations.offerOwnership(actor, heir.account.id);
      expect(await codeOf(again)).to.equal('ownership-offer-pending');
      const stranger = await people.person(`stranger_${made}`);
      for (const person of [stranger, owner]) {
        expect(await codeOf(people.organisations.acceptOwnership(person, offer.id))).to.equal(
          'ownership-offer-unknown',
        );
      }
      const outcomes = await Promise.allSettled([
        people.organisations.acceptOwnership(heir, offer.id),
        people.organisations.acceptOwnership(heir, offer.id),
      ]);
      expect(outcomes.filter(({ status }) => status === 'fulfilled')).to.have.length(1);
      expect((await people.acting(heir, organisation.slug)).role).to.equal('operator-owner');
      expect((await people.acting(owner, organisation.slug)).role).to.equal('operator-viewer');
    });

    it('stays where the offer is withdrawn, refused or old, or who offers owns nothing any more', async () => {
      const { owner, organisation } = await arcade();
      const heir = await people.person(`heirs_${made}`);
      await people.join(heir, organisation.id, 'operator-manager');
      const actor = await people.acting(owner, organisation.slug);
      const offer = () => people.organisations.offerOwnership(actor, heir.account.id);
      for (const person of [owner, heir]) {
        const { id } = await offer();
        await people.organisations.endOffer(person, id);
        expect(await codeOf(people.organisations.acceptOwnership(heir, id))).to.equal('ownership-offer-unknown');
      }
      const old = await offer();
      test.clock.nowMs += 8 * 86_400_000;
      expect(await codeOf(people.organisations.acceptOwnership(heir, old.id))).to.equal('ownership-offer-unknown');
      const late = await offer();
      const second = await people.person(`seconds_${made}`);
      await people.join(second, organisation.id, 'operator-owner');
      const asSecond = await people.acting(second, organisation.slug);
      await people.organisations.changeRole(asSecond, { accountId: owner.account.id, role: 'operator-viewer' });
      expect(await codeOf(people.organisations.acceptOwnership(heir, late.id))).to.equal('ownership-offer-unknown');
      // It does not keep another owner from an offer of their own either.
      const next = await people.organisations.offerOwnership(asSecond, heir.account.id);
      expect((await people.organisations.listOffers(heir)).map(({ id }) => id)).to.deep.equal([next.id]);
      expect((await people.organisations.acceptOwnership(heir, next.id)).role).to.equal('operator-owner');
    });

    it('can be offered by a person who owns it, to a member, and by no other', async () => {
      const { owner, organisation } = await arcade();
      const stranger = await people.person(`nobody_${made}`);
      const actor = await people.acting(owner, organisation.slug);
      for (const accountId of [stranger.account.id, owner.account.id, v7()]) {
        expect(await codeOf(people.organisations.offerOwnership(actor, accountId))).to.equal('member-unknown');
      }
      const byToken = { ...actor, account: null };
      expect(await codeOf(people.organisations.offerOwnership(byToken, stranger.account.id))).to.equal(
        'role-not-allowed',
      );
    });
  });

  describe('the trail', () => {
    it('says of what somebody else was quicker with that it changed nothing', async () => {
      const { owner, organisation } = await arcade();
      const heir = await people.person(`quick_${made}`);
      await people.join(heir, organisation.id, 'operator-viewer');
      const actor = await people.acting(owner, organisation.slug);
      const { invitation } = await people.organisations.invite(actor, { role: 'operator-viewer' });
      const offer = await people.organisations.offerOwnership(actor, heir.account.id);
      const { system } = test.database;
      const quicker = async <Result>(table: string, id: string, work: () => Promise<Result>) => {
        const first = await system.transaction();
        await first(table)
          .where({ id })
          .update({ state: 'accepted', ended_at: new Date(test.clock.nowMs) });
        const second = work();
        await test.database.untilLocked();
        await first.commit();
        return second;
      };
      const revoke = () => people.organisations.revokeInvitation(actor, invitation.id);
      expect((await quicker('invitations', invitation.id, revoke)).state).to.equal('accepted');
      const end = () => codeOf(people.organisations.endOffer(heir, offer.id));
      expect(await quicker('ownership_offers', offer.id, end)).to.equal('ownership-offer-unknown');
      const contents: string[] = await system('audit_entries').orderBy('id', 'desc').limit(2).pluck('content');
      const entries = contents.map((content) => JSON.parse(content));
      expect(entries.map(({ action, outcome }) => ({ action, outcome }))).to.deep.equal([
        { action: 'invitation.revoke', outcome: 'unchanged' },
        { action: 'organisation.offer', outcome: 'done' },
      ]);
    });

    it('has every change', async () => {
      const actions = (await test.database.system('audit_entries').select('content')).map(
        ({ content }) => JSON.parse(content).action,
      );
      expect([...new Set(actions)].sort()).to.include.members([
        'invitation.accept',
        'invitation.decline',
        'invitation.revoke',
        'member.change-role',
        'member.invite',
        'member.leave',
        'member.remove',
        'organisation.offer',
        'organisation.register',
        'organisation.transfer',
        'token.adopt',
      ]);
    });
  });
});
