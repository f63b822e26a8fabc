import { expect } from 'chai';
import type { Grant } from '../../../host/grants/contract.ts';
import { changeGrants, grantsText } from './grants.ts';

const ID = '0197c0de-0000-7000-8000-000000000000';
const grant = (changes: Partial<Grant>): Grant => ({
  capability: 'kv',
  purpose: 'Store.',
  reason: 'Keeps its greetings.',
  optional: false,
  granted: true,
  grantedAt: '2026-01-01T00:00:00.000Z',
  usedAt: null,
  unused: false,
  ...changes,
});

describe('gate grants', () => {
  const asked: string[] = [];
  const answer = (name: string) => async (_id: string, capability?: string) => {
    asked.push([name, capability].filter(Boolean).join(' '));
    return { items: [grant({})] };
  };
  const api = {
    listInstallations: async () => ({ items: [], nextCursor: null }),
    listGrants: answer('list'),
    grant: answer('grant'),
    revoke: answer('revoke'),
  };
  beforeEach(() => {
    asked.length = 0;
  });

  it('changes only what it is asked to, and takes before it gives', async () => {
    await changeGrants(api)(ID, {});
    await changeGrants(api)(ID, { revoke: 'kv' });
    await changeGrants(api)(ID, { grant: 'log', revoke: 'kv, notify' });
    expect(asked).to.deep.equal(['list', 'revoke kv', 'list', 'revoke kv', 'revoke notify', 'grant log', 'list']);
  });

  it('refuses names that no capability has, before it changes anything', async () => {
    const refused = await changeGrants(api)(ID, { revoke: 'kv', grant: 'constructor' }).catch((error) => error);
    expect(refused.code).to.equal('usage');
    expect(asked).to.deep.equal([]);
  });

  it('shows use and need, and says how to take away what is not used', () => {
    const text = grantsText((_style, words) => words, 'shop', [
      grant({ usedAt: '2026-02-01T00:00:00.000Z' }),
      grant({ capability: 'notify', unused: true, reason: null }),
      grant({ capability: 'log', granted: false, grantedAt: null }),
    ]);
    const lines = text.split('\n');
    expect(lines[1]).to.include('granted').and.include('2026-02-01T00:00:00.000Z').and.include('Keeps its greetings.');
    expect(lines[2]).to.include('never').and.include('does not ask for it');
    expect(lines[3]).to.include('not granted, needed');
    expect(lines[4]).to.include('gate grants shop --revoke notify');
  });
});
