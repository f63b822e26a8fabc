import { expect } from 'chai';
import { v7 as uuidv7 } from 'uuid';
import { createApiClient } from '../../plugins-sdk/cli/api-client.ts';
import { loginByDevice } from '../../plugins-sdk/cli/commands/login.ts';
import { revokeOwn } from '../../plugins-sdk/cli/commands/logout.ts';
import type { TestPlatform } from './test-platform.ts';

/** Sends one request; `code` is the problem's, or ok. */
export type Send = (
  method: string,
  path: string,
  sent?: { token?: string; body?: unknown; from?: string },
) => Promise<{ status: number; code: string; problem: Record<string, unknown> | null; text: string }>;

/** What people do with organisations, on a platform that runs already. */
export function membersSuite(platform: () => TestPlatform, send: Send): void {
  const newPerson = async (username: string) => {
    const account = { id: uuidv7(), username };
    const row = { ...account, state: 'active', person_key: Buffer.alloc(93, 1) };
    await platform().database.system('accounts').insert(row);
    const device = { name: 'test', userAgent: '', address: '127.0.0.1' };
    const { accessToken } = await platform().host.people.sessions.open({ ...account, sessionEpoch: 0 }, device, {
      factorAtMs: Date.now(),
    });
    return { account, token: accessToken };
  };
  const becomes = async (what: () => Promise<string>, wanted: string) => {
    const deadlineMs = Date.now() + 20_000;
    for (;;) {
      const now = await what();
      if (now === wanted) return;
      if (Date.now() > deadlineMs) expect(now).to.equal(wanted);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  };

  it('own an organisation, invite somebody, and remove them from every host and every token at once', async () => {
    const [ada, grace] = [await newPerson('ada'), await newPerson('grace')];
    const own = { id: uuidv7(), slug: 'ada-arcade', kind: 'operator', name: 'Ada' };
    expect((await send('POST', '/v1/account/organisations', { token: ada.token, body: own })).status).to.equal(201);
    await becomes(async () => (await send('GET', '/v1/members', { token: ada.token })).code, 'ok');
    const invited = await send('POST', '/v1/invitations', { token: ada.token, body: { role: 'operator-manager' } });
    expect(invited.status, invited.text).to.equal(201);
    const { secret } = JSON.parse(invited.text);
    expect((await send('GET', '/v1/members', { token: grace.token })).code).to.equal('organisation-needed');
    await send('POST', '/v1/invitations/acceptance', { token: grace.token, body: { secret } });
    await becomes(async () => (await send('GET', '/v1/members', { token: grace.token })).code, 'ok');
    const body = { organisation: 'ada-arcade', role: 'caller', label: 'till' };
    const issued = await send('POST', '/v1/tokens', { token: grace.token, body });
    expect(issued.status, issued.text).to.equal(201);
    const program = JSON.parse(issued.text).secret;

    const second = await platform().startAnotherHost();
    const elsewhere = async (token: string) =>
      (await fetch(`${second.url}/v1/whoami`, { headers: { authorization: `Bearer ${token}` } })).status;
    expect([await elsewhere(grace.token), await elsewhere(program)]).to.deep.equal([200, 200]);
    const removed = await send('DELETE', `/v1/members/${grace.account.id}`, { token: ada.token });
    expect(removed.status, removed.text).to.equal(204);
    await becomes(async () => String(await elsewhere(grace.token)), '403');
    await becomes(async () => String(await elsewhere(program)), '401');
    await becomes(async () => (await send('GET', '/v1/members', { token: grace.token })).code, 'organisation-needed');
    expect((await send('GET', '/v1/whoami', { token: program })).code).to.equal('token-invalid');
    const last = await send('DELETE', '/v1/memberships/ada-arcade', { token: ada.token });
    expect(last.code).to.equal('last-owner');
  });

  it('give nobody a role of the platform, nor one above their own', async () => {
    const mallory = await newPerson('mallory');
    const own = { id: uuidv7(), slug: 'mallory-arcade', kind: 'operator', name: 'M' };
    await send('POST', '/v1/account/organisations', { token: mallory.token, body: own });
    const platformOne = { ...own, id: uuidv7(), slug: 'fake-platform', kind: 'platform' };
    const { token } = mallory;
    expect((await send('POST', '/v1/account/organisations', { token, body: platformOne })).code).to.equal(
      'body-invalid',
    );
    await becomes(async () => (await send('GET', '/v1/members', { token })).code, 'ok');
    for (const role of ['admin', 'moderator', 'finance-manager', 'publisher']) {
      expect((await send('POST', '/v1/invitations', { token, body: { role } })).code, role).to.equal(
        'role-not-allowed',
      );
      const change = await send('PATCH', `/v1/members/${mallory.account.id}`, { token, body: { role } });
      expect(change.code, role).to.equal('role-not-allowed');
      const body = { organisation: 'mallory-arcade', role, label: 'x' };
      expect((await send('POST', '/v1/tokens', { token, body })).code, role).to.equal('role-not-allowed');
    }
    const elsewhere = { organisation: 'gatehouse', role: 'admin' };
    expect((await send('POST', '/v1/invitations', { token, body: elsewhere })).code).to.equal('organisation-foreign');
  });

  it('log in a program by a code, which acts as they do until it is logged out', async () => {
    const ada = await newPerson('ada_device');
    const own = { id: uuidv7(), slug: 'device-arcade', kind: 'operator', name: 'Ada' };
    await send('POST', '/v1/account/organisations', { token: ada.token, body: own });
    const api = createApiClient({ url: platform().host.url, token: null });
    let polls = 0;
    const shown: string[] = [];
    const secret = await loginByDevice({
      api,
      // Instead of waiting: a person approves, and the host forgets when it was asked last.
      sleep: async () => {
        const approval = { userCode: shown.at(-1)!, organisation: 'device-arcade' };
        if (polls > 0) {
          const answer = await send('POST', '/v1/device-codes/approval', { token: ada.token, body: approval });
          expect(answer.status, answer.text).to.equal(200);
        }
        polls += 1;
        await platform().database.system('device_codes').update({ polled_at: null });
      },
      show: ({ userCode }) => void shown.push(userCode),
    })('gate on a test');
    const client = createApiClient({ url: platform().host.url, token: secret });
    const owner = await client.whoami();
    expect(owner).to.deep.include({ role: 'operator-owner', account: ada.account });
    expect((await client.listTokens()).items.find(({ id }) => id === owner.credentialId)!.label).to.equal(
      'gate on a test',
    );
    expect((await revokeOwn(client)()).revoked).to.equal(true);
    await becomes(async () => (await send('GET', '/v1/whoami', { token: secret })).code, 'token-invalid');
    expect((await revokeOwn(client)()).revoked).to.equal(false);
  });
}
