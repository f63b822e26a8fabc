import { expect } from 'chai';
import fc from 'fast-check';
import { v7 } from 'uuid';
import type { Principal, TokenNarrowing } from '../contract.ts';
import { testOrganisations } from '../organisations/test-organisations.ts';
import { can, PERMISSIONS, ROLES_OF_KIND, type Role, type TokenRole } from '../rules/permissions.ts';
import { may, tokenRights } from '../rules/token-rights.ts';
import { refusalOf, sampleRelease, type TestPublisher, type TestRegistry, testRegistry } from '../test-registry.ts';

describe('tokenRights', () => {
  const roles = fc.constantFrom<TokenRole>(...Object.values(ROLES_OF_KIND).flat());
  const all = [...new Set(Object.values(PERMISSIONS).flat())];

  it('never give more than the role, the scopes and who answers for the token have', () => {
    const scopes = fc.option(fc.subarray(all));
    const holders = fc.option(fc.constantFrom<Role>(...(Object.keys(PERMISSIONS) as Role[])));
    fc.assert(
      fc.property(roles, scopes, holders, (role, chosen, holder) => {
        const { role: acting, permissions } = tokenRights({ role, scopes: chosen, holder });
        for (const permission of all) {
          const expected =
            can(role, permission) &&
            (chosen === null || chosen.includes(permission)) &&
            (holder === null || can(holder, permission));
          const restrictions = permissions && { permissions };
          expect(may({ role: acting, ...(restrictions && { restrictions }) }, permission)).to.equal(expected);
        }
        if (holder !== null && acting !== role) expect(acting).to.equal(holder);
      }),
    );
  });
});

describe('narrowed tokens', () => {
  let test: TestRegistry;
  let owner: Principal;
  let publisher: TestPublisher;
  before(async () => {
    test = await testRegistry();
    owner = await test.organisation('arcade', 'operator', 'operator-owner');
    publisher = await test.publisher('acme');
  });
  after(() => test.database.close());

  const issue = (actor: Principal, role: TokenRole, narrowing: TokenNarrowing & { expiresAt?: string } = {}) =>
    test.registry.issueToken(actor, { organisation: actor.organisation.slug, role, label: 'x', ...narrowing });
  const principalOf = async (secret: string) => (await test.registry.authenticate(secret))!;
  const faultsOf = async (work: Promise<unknown>) => {
    const refusal = await refusalOf(work);
    expect(refusal.code).to.equal('token-restriction-invalid');
    return (refusal.facts.faults as { pointer: string }[]).map(({ pointer }) => pointer);
  };

  it('carry what narrows them, in the list and when they act', async () => {
    const installationIds = [v7()];
    const addressRanges = ['203.0.113.0/24', '2001:db8::1'];
    const { token, secret } = await issue(owner, 'operator-owner', {
      scopes: ['installation:read', 'log:read'],
      installationIds,
      addressRanges,
    });
    expect(token).to.deep.include({ scopes: ['installation:read', 'log:read'], installationIds, addressRanges });
    const principal = await principalOf(secret);
    expect(may(principal, 'log:read')).to.equal(true);
    expect(may(principal, 'installation:update')).to.equal(false);
    expect(principal.restrictions).to.deep.include({ installationIds, addressRanges });
    const allows = principal.restrictions!.allowsAddress!;
    for (const inside of ['203.0.113.0', '203.0.113.255', '2001:db8::1']) expect(allows(inside), inside).to.equal(true);
    for (const outside of ['203.0.112.255', '203.0.114.0', '2001:db8::2', '::1', '', 'nonsense', '::ffff:1.2.3.4'])
      expect(allows(outside), outside).to.equal(false);
  });

  it('refuse what cannot be bitten by, all faults at once', async () => {
    const wrong = issue(owner, 'caller', {
      scopes: ['installation:invoke', 'log:read'],
      installationIds: ['x'],
      plugin: 'acme/hello',
      addressRanges: ['10.0.0.0/8', '10.0.0.0/33', '1.2.3', 'fe80::/129', "' or 1=1", '0x7f.1'],
    });
    expect(await faultsOf(wrong)).to.deep.equal([
      '/scopes/1',
      '/installationIds/0',
      '/plugin',
      '/plugin',
      '/addressRanges/1',
      '/addressRanges/2',
      '/addressRanges/3',
      '/addressRanges/4',
      '/addressRanges/5',
    ]);
    expect(await faultsOf(issue(publisher.principal, 'publisher', { installationIds: [v7()] }))).to.deep.equal([
      '/installationIds',
    ]);
    expect(await faultsOf(issue(publisher.principal, 'publisher', { plugin: 'other/greeter' }))).to.deep.equal([
      '/plugin',
    ]);
  });

  it('publish the plugin that they are for, and no other of the publisher', async () => {
    const { secret } = await issue(publisher.principal, 'publisher', {
      plugin: 'acme/greeter',
      scopes: ['release:publish'],
    });
    const ci = { ...publisher, principal: await principalOf(secret) };
    const other = await test.registry.publishRelease(ci.principal, await sampleRelease(ci)).then(
      ({ plugin }) => plugin,
      (error) => error.code,
    );
    expect(other).to.equal('acme/greeter');
    const foreign = test.registry.publishRelease(ci.principal, await sampleRelease(ci, { name: 'other' }));
    expect((await refusalOf(foreign)).code).to.equal('token-restricted');
  });

  it('issue no tokens, and end none but themselves, where they are confined to something', async () => {
    const narrowings: TokenNarrowing[] = [{ installationIds: [v7()] }, { addressRanges: ['10.0.0.0/8'] }];
    for (const narrowing of narrowings) {
      const { token, secret } = await issue(owner, 'operator-owner', narrowing);
      const principal = await principalOf(secret);
      expect((await refusalOf(issue(principal, 'caller'))).code).to.equal('token-restricted');
      const other = await issue(owner, 'caller');
      expect((await refusalOf(test.registry.revokeToken(principal, other.token.id))).code).to.equal('token-unknown');
      const rotate = test.registry.rotateToken(principal, other.token.id, { overlapSeconds: 0 });
      expect((await refusalOf(rotate)).code).to.equal('token-unknown');
      expect((await test.registry.revokeToken(principal, token.id)).revokedAt).not.to.equal(null);
    }
  });

  it('issue only what they may do themselves, and nothing that outlives them', async () => {
    const expiresAt = new Date(test.clock.nowMs + 60_000).toISOString();
    const { secret } = await issue(owner, 'operator-owner', { scopes: ['token:issue', 'log:read'], expiresAt });
    const narrow = await principalOf(secret);
    const whole = await refusalOf(issue(narrow, 'caller'));
    expect(whole.code).to.equal('role-not-allowed');
    expect(whole.facts.missing).to.deep.equal(['installation:invoke', 'hook:deliver']);
    const child = await issue(narrow, 'operator-owner', { scopes: ['log:read'] });
    expect(child.token.expiresAt).to.equal(expiresAt);
    const later = new Date(test.clock.nowMs + 61_000).toISOString();
    expect(await faultsOf(issue(narrow, 'operator-owner', { scopes: ['log:read'], expiresAt: later }))).to.deep.equal([
      '/expiresAt',
    ]);
    const manager: Principal = { ...owner, role: 'operator-manager' };
    expect((await refusalOf(issue(manager, 'operator-owner'))).code).to.equal('role-not-allowed');
  });

  it('shrink with who answers for them, at once, and grow back with them', async () => {
    const people = testOrganisations(test.database, test.clock);
    const ada = await people.person('ada');
    await people.join(ada, owner.organisation.id, 'operator-owner');
    const second = await people.person('grace');
    await people.join(second, owner.organisation.id, 'operator-owner');
    const acting = await people.acting(ada, 'arcade');
    const [mine, caller] = [await issue(acting, 'operator-owner'), await issue(acting, 'caller')];
    expect(mine.token.account).to.deep.equal(ada.account);
    const actor = await people.acting(second, 'arcade');
    await people.organisations.changeRole(actor, { accountId: ada.account.id, role: 'operator-viewer' });
    const shrunk = await principalOf(mine.secret);
    expect(shrunk.role).to.equal('operator-viewer');
    expect(may(shrunk, 'installation:read')).to.equal(true);
    expect(may(shrunk, 'installation:update')).to.equal(false);
    expect(may(await principalOf(caller.secret), 'installation:invoke')).to.equal(false);
    await people.organisations.changeRole(actor, { accountId: ada.account.id, role: 'operator-manager' });
    expect(may(await principalOf(caller.secret), 'installation:invoke')).to.equal(true);
    await test.database.system('accounts').where('id', ada.account.id).update({ state: 'deactivated' });
    expect(await test.registry.authenticate(mine.secret)).to.equal(null);
  });

  it('are seen and ended by those who manage tokens, and else by who answers for them', async () => {
    const people = testOrganisations(test.database, test.clock);
    const manager = await people.person('manny');
    await people.join(manager, owner.organisation.id, 'operator-manager');
    const acting = await people.acting(manager, 'arcade');
    const own = await issue(acting, 'caller');
    const others = await issue(owner, 'caller');
    expect((await test.registry.listTokens(acting)).map(({ id }) => id)).to.deep.equal([own.token.id]);
    expect((await refusalOf(test.registry.revokeToken(acting, others.token.id))).code).to.equal('token-unknown');
    // A token of the organisation itself, without token:manage: neither those of people nor those that may do more.
    const program = await principalOf((await issue(owner, 'operator-manager')).secret);
    const above = await issue(owner, 'operator-owner');
    const listed = (await test.registry.listTokens(program)).map(({ id }) => id);
    expect(listed).to.include(others.token.id).and.not.to.include(own.token.id);
    for (const { token } of [own, above]) {
      expect((await refusalOf(test.registry.revokeToken(program, token.id))).code).to.equal('token-unknown');
    }
    expect((await test.registry.listTokens(owner)).map(({ id }) => id)).to.include.members([
      own.token.id,
      others.token.id,
    ]);
  });

  describe('rotateToken', () => {
    it('gives one successor that does the same, and lets the old one work for the overlap', async () => {
      const narrowing = { scopes: ['installation:invoke' as const], addressRanges: ['10.0.0.0/8'] };
      const old = await issue(owner, 'caller', narrowing);
      const itself = await principalOf(old.secret);
      const outcomes = await Promise.allSettled(
        [1, 2, 3].map(() => test.registry.rotateToken(itself, old.token.id, { overlapSeconds: 60 })),
      );
      const made = outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []));
      expect(made).to.have.length(1);
      for (const each of outcomes) if (each.status === 'rejected') expect(each.reason.code).to.equal('token-rotated');
      expect(made[0]!.token).to.deep.include({ ...narrowing, role: 'caller', expiresAt: null });
      const { secret } = made[0]!;
      expect(await test.registry.authenticate(old.secret)).not.to.equal(null);
      test.clock.nowMs += 60_000;
      expect(await test.registry.authenticate(old.secret)).to.equal(null);
      expect(await test.registry.authenticate(secret)).not.to.equal(null);
    });

    it('moves no end, and brings back nothing that has ended', async () => {
      const expiresAt = new Date(test.clock.nowMs + 10_000).toISOString();
      const old = await issue(owner, 'caller', { expiresAt });
      const { token } = await test.registry.rotateToken(owner, old.token.id, { overlapSeconds: 3_600 });
      expect(token.expiresAt).to.equal(expiresAt);
      const listed = (await test.registry.listTokens(owner)).find(({ id }) => id === old.token.id)!;
      expect(listed).to.deep.include({ expiresAt, successorId: token.id });
      test.clock.nowMs += 10_000;
      const late = test.registry.rotateToken(owner, token.id, { overlapSeconds: 0 });
      expect((await refusalOf(late)).code).to.equal('token-unknown');
      const revoked = await issue(owner, 'caller');
      await test.registry.revokeToken(owner, revoked.token.id);
      const again = test.registry.rotateToken(owner, revoked.token.id, { overlapSeconds: 0 });
      expect((await refusalOf(again)).code).to.equal('token-unknown');
    });

    it('gives to a token that ends no successor that would not', async () => {
      const endless = await issue(owner, 'caller');
      const brief = await issue(owner, 'operator-owner', {
        expiresAt: new Date(test.clock.nowMs + 60_000).toISOString(),
      });
      const actor = await principalOf(brief.secret);
      const { code } = await refusalOf(test.registry.rotateToken(actor, endless.token.id, { overlapSeconds: 0 }));
      expect(code).to.equal('role-not-allowed');
      // Itself it may replace: the successor ends when it would have.
      const { token } = await test.registry.rotateToken(actor, brief.token.id, { overlapSeconds: 0 });
      expect(token.expiresAt).to.equal(brief.token.expiresAt);
    });

    it('refuses to a manager the token of an owner, and to strangers every token', async () => {
      const { token } = await issue(owner, 'operator-owner');
      const manager: Principal = { ...owner, role: 'operator-manager', credentialId: v7() };
      const up = test.registry.rotateToken(manager, token.id, { overlapSeconds: 0 });
      expect((await refusalOf(up)).code).to.equal('role-not-allowed');
      const stranger = test.registry.rotateToken(publisher.principal, token.id, { overlapSeconds: 0 });
      expect((await refusalOf(stranger)).code).to.equal('token-unknown');
    });
  });

  it('know when they were used, and forget no later use', async () => {
    const { token } = await issue(owner, 'caller');
    const usedAt = async () => (await test.registry.listTokens(owner)).find(({ id }) => id === token.id)!.lastUsedAt;
    expect(await usedAt()).to.equal(null);
    await test.registry.markTokensUsed(new Map([[token.id, 2_000]]));
    await test.registry.markTokensUsed(new Map([[token.id, 1_000]]));
    expect(await usedAt()).to.equal(new Date(2_000).toISOString());
  });
});
