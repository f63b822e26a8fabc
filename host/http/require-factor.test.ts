import { expect } from 'chai';
import type { Principal, Role } from '../../registry/index.ts';
import type { HostRefusal } from '../errors.ts';
import type { Identity } from './authenticate.ts';
import { requireFactor } from './require-factor.ts';

const NOW_MS = 1_900_000_000_000;
const person = (role: Role, factorAtMs: number | null): Identity => ({
  person: { account: { id: 'a', username: 'ada' }, sessionId: 's', factorAtMs },
  principal: { via: 'session', role, factorAtMs } as Principal,
});
const codeOf = (...args: [Identity, Parameters<typeof requireFactor>[1]]): string => {
  try {
    requireFactor(...args, NOW_MS);
    return 'none';
  } catch (error) {
    return (error as HostRefusal).code;
  }
};
const plain = { allow: ['plugin:read'] } as const;
const dangerous = { ...plain, stepUp: true };

describe('requireFactor', () => {
  it('lets staff of the platform do nothing for it without a second factor', () => {
    for (const role of ['moderator', 'admin', 'finance-specialist', 'finance-manager', 'finance-auditor'] as const) {
      expect(codeOf(person(role, null), plain), role).to.equal('factor-required');
      expect(codeOf(person(role, 0), plain), role).to.equal('none');
    }
    for (const role of ['user', 'publisher', 'developer', 'operator-owner', 'operator-viewer', 'analyst'] as const) {
      expect(codeOf(person(role, null), plain), role).to.equal('none');
    }
  });

  it('lets them reach their own account, so that they can enrol one', () => {
    expect(codeOf(person('admin', null), { allow: 'account' })).to.equal('none');
    expect(codeOf(person('admin', null), { allow: 'any-token' })).to.equal('none');
  });

  it('lets them end no token without one, although every token may end itself', () => {
    const change = { allow: 'any-token', method: 'DELETE' } as const;
    expect(codeOf(person('admin', null), change)).to.equal('factor-required');
    expect(codeOf(person('admin', 0), change)).to.equal('none');
    expect(codeOf(person('operator-owner', null), change)).to.equal('none');
  });

  it('asks for a factor of less than ten minutes ago before something dangerous, whatever the role', () => {
    const at = (factorAtMs: number | null) => codeOf(person('operator-owner', factorAtMs), dangerous);
    expect(at(null)).to.equal('factor-required');
    expect(at(NOW_MS - 600_000)).to.equal('step-up-required');
    expect(at(NOW_MS - 599_999)).to.equal('none');
    expect(codeOf(person('user', null), { allow: 'account', stepUp: true })).to.equal('factor-required');
    expect(codeOf({ ...person('user', 0), principal: null }, { allow: 'account', stepUp: true })).to.equal(
      'step-up-required',
    );
  });

  it('asks programs for nothing', () => {
    const program: Identity = { person: null, principal: { via: 'token', role: 'admin' } as Principal };
    expect(codeOf(program, dangerous)).to.equal('none');
  });
});
