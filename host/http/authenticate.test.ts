import { expect } from 'chai';
import type { Membership, OpenSession, Principal, Role } from '../../registry/index.ts';
import { HostRefusal } from '../errors.ts';
import { type Identity, identify, permit, type ShownCredentials } from './authenticate.ts';

const member = (slug: string, role: Role): Membership => ({
  organisation: { id: slug, slug, kind: 'publisher', name: slug },
  role,
});
const session = (...memberships: Membership[]): OpenSession => ({
  person: { account: { id: 'a', username: 'ada' }, sessionId: 's', factorAtMs: null },
  memberships,
});
const token = { via: 'token', role: 'publisher', organisation: member('acme', 'publisher').organisation } as Principal;

const looks: string[] = [];
const identifyIn = (open: OpenSession | null, shown: Partial<ShownCredentials>) => {
  looks.length = 0;
  const ports = {
    findPrincipal: (secret: string) => {
      looks.push(`token ${secret}`);
      return secret === 'gh_good' ? token : null;
    },
    findSession: (accessToken: string) => {
      looks.push(`session ${accessToken}`);
      return open;
    },
  };
  return identify(ports, { authorization: undefined, accessCookie: undefined, organisation: undefined, ...shown });
};
const codeOf = async (work: () => unknown): Promise<string> => {
  try {
    await work();
  } catch (error) {
    if (error instanceof HostRefusal) return error.code;
    throw error;
  }
  return 'none';
};

describe('identify', () => {
  const one = session(member('acme', 'publisher'));
  const two = session(member('acme', 'publisher'), member('other', 'publisher'));

  it('knows nobody where nothing is shown', async () => {
    expect(await identifyIn(one, {})).to.equal(null);
    expect(looks).to.deep.equal([]);
  });

  it('takes an API token for a program, never for a person', async () => {
    expect(await identifyIn(one, { authorization: 'Bearer gh_good' })).to.deep.equal({
      principal: token,
      person: null,
    });
    expect(looks).to.deep.equal(['token gh_good']);
  });

  it('takes a token with dots for an access token, and the cookie for nothing else', async () => {
    await identifyIn(one, { authorization: 'Bearer a.b.c' });
    await identifyIn(one, { accessCookie: 'gh_good' });
    expect(looks).to.deep.equal(['session gh_good']);
  });

  it('lets the Authorization header decide where there is a cookie too', async () => {
    expect((await identifyIn(one, { authorization: 'Bearer gh_good', accessCookie: 'a.b.c' }))!.person).to.equal(null);
    const bad = () => identifyIn(one, { authorization: 'Bearer gh_bad', accessCookie: 'a.b.c' });
    expect(await codeOf(bad)).to.equal('token-invalid');
  });

  it('refuses a session that has ended', async () => {
    expect(await codeOf(() => identifyIn(null, { accessCookie: 'a.b.c' }))).to.equal('token-invalid');
  });

  it('lets a person act for their only organisation without naming it, and for one of several only by name', async () => {
    const principal = (await identifyIn(one, { accessCookie: 'a.b.c' }))!.principal!;
    expect(principal).to.deep.include({ via: 'session', credentialId: 's', label: 'ada', role: 'publisher' });
    expect(principal.account).to.deep.equal({ id: 'a', username: 'ada' });
    expect((await identifyIn(two, { accessCookie: 'a.b.c' }))!.principal).to.equal(null);
    const named = await identifyIn(two, { accessCookie: 'a.b.c', organisation: 'other' });
    expect(named!.principal!.organisation.slug).to.equal('other');
  });

  it('refuses an organisation that the person is no member of, whether there is one or not', async () => {
    for (const organisation of ['foreign', '', '__proto__']) {
      const work = () => identifyIn(two, { accessCookie: 'a.b.c', organisation });
      expect(await codeOf(work)).to.equal('membership-missing');
    }
  });
});

describe('permit', () => {
  const person = session().person;
  const outcome = (identity: Identity | null, allow: Parameters<typeof permit>[1]) =>
    codeOf(() => permit(identity, allow));

  it('keeps API tokens from what is for people', async () => {
    expect(await outcome({ principal: token, person: null }, 'account')).to.equal('session-needed');
    expect(await outcome({ principal: null, person }, 'account')).to.equal('none');
  });

  it('keeps people without an organisation in play from what is for organisations', async () => {
    for (const allow of ['any-token', ['plugin:read']] as const) {
      expect(await outcome({ principal: null, person }, allow)).to.equal('organisation-needed');
    }
  });

  it('holds a person to the role of their membership', async () => {
    const identity = { principal: { ...token, via: 'session' as const }, person };
    expect(await outcome(identity, ['release:publish'])).to.equal('none');
    expect(await outcome(identity, ['release:review'])).to.equal('permission-denied');
  });
});
