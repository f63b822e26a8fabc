import { expect } from 'chai';
import type { ApiToken } from '../../../registry/index.ts';
import { findMember } from './members.ts';
import { createToken, type NewTokenOptions, tokenText } from './tokens.ts';

describe('gate tokens', () => {
  const sent: unknown[] = [];
  const api = {
    whoami: async () => ({ organisation: { slug: 'acme' } }) as never,
    issueToken: async (wish: unknown) => {
      sent.push(wish);
      return {} as never;
    },
  };
  const create = async (options: Partial<NewTokenOptions>) => {
    await createToken(api, () => 0)({ role: 'caller', label: 'till', ...options });
    return sent.at(-1);
  };

  it('create sends what was asked for and nothing else', async () => {
    expect(await create({})).to.deep.equal({ organisation: 'acme', role: 'caller', label: 'till' });
    const narrow = { scopes: ['log:read,plugin:read'], installations: ['i'], addresses: ['10.0.0.0/8'], plugin: 'a/b' };
    expect(await create({ organisation: 'other', days: 2, ...narrow })).to.deep.equal({
      organisation: 'other',
      role: 'caller',
      label: 'till',
      expiresAt: '1970-01-03T00:00:00.000Z',
      scopes: ['log:read', 'plugin:read'],
      installationIds: ['i'],
      addressRanges: ['10.0.0.0/8'],
      plugin: 'a/b',
    });
  });

  it('create refuses days that are no number', async () => {
    for (const days of [0, -1, Number.NaN]) {
      const refused = await create({ days }).then(
        () => null,
        (error) => error.code,
      );
      expect(refused, String(days)).to.equal('usage');
    }
  });

  it('list says what narrows a token, and cleans what others have named it', () => {
    const token = {
      id: 'i',
      label: 'till\u001b[2J',
      role: 'caller',
      account: { id: 'a', username: 'ada' },
      expiresAt: null,
      lastUsedAt: null,
      revokedAt: null,
      successorId: null,
      scopes: ['log:read'],
      installationIds: null,
      plugin: null,
      addressRanges: ['10.0.0.0/8'],
    } as unknown as ApiToken;
    const text = tokenText((_, shown) => shown, token);
    expect(text).to.include('of ada').and.include('only scopes log:read; addresses 10.0.0.0/8');
    expect(text).not.to.include('\u001b');
  });
});

describe('gate members', () => {
  const ada = { accountId: 'a-1', username: 'Ada', role: 'developer', since: '' } as const;
  const find = findMember({ listMembers: async () => ({ items: [ada], nextCursor: null }) });

  it('knows a member by name in any case, and by id', async () => {
    for (const wanted of ['ada', 'ADA', 'a-1']) expect(await find(wanted)).to.equal(ada);
  });

  it('names the members where it knows none by this name', async () => {
    const refused = await find('bob').then(
      () => null,
      (error) => error.message,
    );
    expect(refused).to.include('Ada');
  });
});
