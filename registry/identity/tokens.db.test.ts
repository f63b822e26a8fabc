import { expect } from 'chai';
import { v7 } from 'uuid';
import type { Principal } from '../index.ts';
import { secretHash } from '../rules/token-secret.ts';
import { refusalOf, type TestRegistry, testRegistry } from '../test-registry.ts';

describe('identity', () => {
  let test: TestRegistry;
  let operator: Principal;
  before(async () => {
    test = await testRegistry();
    operator = await test.organisation('arcade', 'operator', 'operator-owner');
  });
  after(() => test.database.close());

  describe('createOrganisation', () => {
    it('gives the stored organisation when the same id comes again', async () => {
      const command = { id: v7(), slug: 'again', kind: 'publisher', name: 'Again' } as const;
      const first = await test.registry.createOrganisation(command);
      expect(await test.registry.createOrganisation(command)).to.deep.equal(first);
      expect(await test.registry.findOrganisation('again')).to.deep.equal(command);
    });

    it('refuses a slug that another organisation has', async () => {
      const command = { id: v7(), slug: 'arcade', kind: 'operator', name: 'Other' } as const;
      expect((await refusalOf(test.registry.createOrganisation(command))).code).to.equal('slug-taken');
    });

    it('refuses an id that was used for another organisation', async () => {
      const { id } = operator.organisation;
      const command = { id, slug: 'arcade-two', kind: 'operator', name: 'Other' } as const;
      expect((await refusalOf(test.registry.createOrganisation(command))).code).to.equal('organisation-id-taken');
    });

    it('lets exactly one of many that want the same slug at once have it', async () => {
      const outcomes = await Promise.allSettled(
        Array.from({ length: 8 }, () =>
          test.registry.createOrganisation({ id: v7(), slug: 'contested', kind: 'operator', name: 'C' }),
        ),
      );
      expect(outcomes.filter(({ status }) => status === 'fulfilled')).to.have.length(1);
      for (const outcome of outcomes)
        if (outcome.status === 'rejected') expect(outcome.reason.code).to.equal('slug-taken');
    });

    it('keeps a name without what the database cannot hold', async () => {
      const created = await test.registry.createOrganisation({ id: v7(), slug: 'nul', kind: 'operator', name: 'a\0b' });
      expect(created.name).to.equal('ab');
    });
  });

  it('finds no organisation by something that is not a slug', async () => {
    for (const slug of ['nobody', '', '\0', "' or 1=1"])
      expect(await test.registry.findOrganisation(slug)).to.equal(null);
  });

  describe('issueToken', () => {
    it('gives a secret that authenticates as its owner, and stores only its hash', async () => {
      const { token, secret } = await test.registry.issueToken(test.admin, {
        organisation: 'arcade',
        role: 'caller',
        label: 'till',
      });
      expect(await test.registry.authenticate(secret)).to.deep.equal({
        via: 'token',
        credentialId: token.id,
        label: 'till',
        account: null,
        factorAtMs: null,
        role: 'caller',
        organisation: operator.organisation,
      });
      const row = await test.database.knex('api_tokens').where('id', token.id).first();
      expect(row.secret_sha256).to.deep.equal(secretHash(secret));
      expect(JSON.stringify(Object.values(row))).not.to.contain(secret);
    });

    it('refuses an organisation that does not exist', async () => {
      const command = { organisation: 'nobody', role: 'caller', label: 'x' } as const;
      expect((await refusalOf(test.registry.issueToken(test.admin, command))).code).to.equal('organisation-unknown');
    });

    it('refuses a foreign organisation with one answer, whether it exists or not', async () => {
      for (const organisation of ['platform', 'nobody']) {
        const command = { organisation, role: 'caller', label: 'x' } as const;
        expect((await refusalOf(test.registry.issueToken(operator, command))).code).to.equal('organisation-foreign');
      }
    });

    it('refuses a role that an organisation of this kind cannot give', async () => {
      for (const role of ['admin', 'moderator', 'publisher'] as const) {
        const refusal = await refusalOf(
          test.registry.issueToken(operator, { organisation: 'arcade', role, label: 'x' }),
        );
        expect(refusal.code).to.equal('role-not-allowed');
        expect(refusal.facts.allowed).to.deep.equal([
          'operator-owner',
          'operator-manager',
          'operator-viewer',
          'caller',
        ]);
      }
    });

    it('refuses to a token that may not issue tokens', async () => {
      const caller: Principal = { ...operator, role: 'caller' };
      const command = { organisation: 'arcade', role: 'caller', label: 'x' } as const;
      expect((await refusalOf(test.registry.issueToken(caller, command))).code).to.equal('role-not-allowed');
    });
  });

  describe('authenticate', () => {
    it('knows nobody by a malformed or unknown secret', async () => {
      const { secret } = await test.registry.issueToken(operator, {
        organisation: 'arcade',
        role: 'operator-owner',
        label: 'x',
      });
      const swapped = `${secret.slice(0, -8)}${secret.slice(-8).split('').reverse().join('')}`;
      for (const bad of ['', 'gh_', `${secret}0`, secret.slice(1), swapped, 'x'.repeat(10_000), '\0']) {
        expect(await test.registry.authenticate(bad)).to.equal(null);
      }
    });

    it('stops at the moment of expiry', async () => {
      const expiresAt = new Date(test.clock.nowMs + 1_000).toISOString();
      const { token, secret } = await test.registry.issueToken(operator, {
        organisation: 'arcade',
        role: 'operator-owner',
        label: 'x',
        expiresAt,
      });
      expect(token.expiresAt).to.equal(expiresAt);
      expect(await test.registry.authenticate(secret)).not.to.equal(null);
      test.clock.nowMs += 1_000;
      expect(await test.registry.authenticate(secret)).to.equal(null);
    });
  });

  describe('revokeToken', () => {
    it('ends a token, and keeps the time of the first revocation', async () => {
      const { token, secret } = await test.registry.issueToken(operator, {
        organisation: 'arcade',
        role: 'operator-owner',
        label: 'x',
      });
      const revoked = await test.registry.revokeToken(operator, token.id);
      expect(revoked.revokedAt).to.equal(new Date(test.clock.nowMs).toISOString());
      expect(await test.registry.authenticate(secret)).to.equal(null);
      test.clock.nowMs += 5_000;
      expect(await test.registry.revokeToken(test.admin, token.id)).to.deep.equal(revoked);
    });

    it('refuses a token that does not exist, is foreign, or whose id is no id', async () => {
      const { token, secret } = await test.registry.issueToken(test.admin, {
        organisation: 'platform',
        role: 'moderator',
        label: 'x',
      });
      for (const id of [token.id, v7(), 'nonsense']) {
        expect((await refusalOf(test.registry.revokeToken(operator, id))).code).to.equal('token-unknown');
      }
      expect(await test.registry.authenticate(secret)).not.to.equal(null);
    });

    it('lets a token end itself and nothing else where its role may issue none', async () => {
      const issue = () => test.registry.issueToken(operator, { organisation: 'arcade', role: 'caller', label: 'x' });
      const [own, other] = [await issue(), await issue()];
      const caller = (await test.registry.authenticate(own.secret))!;
      expect((await refusalOf(test.registry.revokeToken(caller, other.token.id))).code).to.equal('token-unknown');
      expect((await test.registry.revokeToken(caller, own.token.id)).revokedAt).not.to.equal(null);
    });
  });

  it('audits who issued and who revoked a token, and never its secret', async () => {
    const { token, secret } = await test.registry.issueToken(operator, {
      organisation: 'arcade',
      role: 'caller',
      label: 'watched',
    });
    await test.registry.revokeToken(test.admin, token.id);
    await test.registry.revokeToken(operator, token.id);
    const entries = await test.database.knex('audit_entries').where('subject_id', token.id).orderBy('id');
    expect(entries.map(({ action, outcome }) => [action, outcome])).to.deep.equal([
      ['token.issue', 'done'],
      ['token.revoke', 'done'],
      ['token.revoke', 'unchanged'],
    ]);
    expect(entries.map(({ credential_id }) => credential_id)).to.deep.equal([
      operator.credentialId,
      test.admin.credentialId,
      operator.credentialId,
    ]);
    // The token's own organisation may read what an admin of the platform did to it.
    const ownIds = Array(3).fill(operator.organisation.id);
    expect(entries.map(({ organisation_id }) => organisation_id)).to.deep.equal(ownIds);
    expect(JSON.stringify(entries)).not.to.include(secret.slice(0, 20));
  });

  describe('listTokens', () => {
    it("lists an organisation's own tokens, and all of them to an admin", async () => {
      await test.registry.issueToken(operator, { organisation: 'arcade', role: 'caller', label: 'own' });
      await test.registry.issueToken(test.admin, { organisation: 'platform', role: 'admin', label: 'other' });
      const own = await test.registry.listTokens(operator);
      expect(new Set(own.map(({ organisation }) => organisation))).to.deep.equal(new Set(['arcade']));
      const all = await test.registry.listTokens(test.admin);
      expect(all.length).to.be.greaterThan(own.length);
      expect(all.map(({ id }) => id)).to.deep.equal(
        all
          .map(({ id }) => id)
          .sort()
          .reverse(),
      );
    });
  });
});
