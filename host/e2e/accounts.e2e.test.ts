import { expect } from 'chai';
import { sendRaw } from '../http/fake-ports.ts';
import type { SentMail } from '../mail/contract.ts';
import { startTestPlatform, type TestPlatform } from './test-platform.ts';

const PASSWORD = 'Correct-Horse-77-Battery';
const DEADLINE_MS = 20_000;

interface Grant {
  sessionId: string;
  accessToken: string;
  refreshToken: string;
}

describe('people', () => {
  let platform: TestPlatform;
  let url: string;
  let work = 0;
  before(async () => {
    const people = { bcryptCost: 4, onPasswordWork: () => void work++ };
    platform = await startTestPlatform({ GATEHOUSE_DEV_MAILBOX: 'true' }, { people });
    url = platform.host.url;
  });
  after(() => platform.close());

  const send = (path: string, { body, method = 'POST', token, headers = {}, at = url }: Sent = {}) =>
    fetch(at + path, {
      method,
      headers: {
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  interface Sent {
    body?: object;
    method?: string;
    token?: string;
    headers?: Record<string, string>;
    at?: string;
  }
  const get = (path: string, token: string, at = url) => send(path, { method: 'GET', token, at });
  const codeOf = async (answer: Response) => `${answer.status} ${((await answer.json()) as { code: string }).code}`;
  const mailTo = async (address: string): Promise<SentMail> => {
    for (const endsAt = Date.now() + DEADLINE_MS; ; ) {
      const { items } = (await (await fetch(`${url}/dev/mailbox`)).json()) as { items: SentMail[] };
      const found = items.find(({ to }) => to === address);
      if (found) return found;
      if (Date.now() > endsAt) throw new Error(`no mail to ${address}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  };
  const register = async (username: string, password = PASSWORD) => {
    const email = `${username}@example.com`;
    const registered = await send('/v1/accounts', { body: { username, password, email } });
    expect(registered.status, await registered.clone().text()).to.equal(202);
    const code = /^ {4}(\S+)$/m.exec((await mailTo(email)).text)![1]!;
    expect((await send('/v1/accounts/verification', { body: { code } })).status).to.equal(200);
  };
  const logIn = (login: string, more: object = {}, sent: Sent = {}) =>
    send('/v1/sessions', { body: { login, password: PASSWORD, ...more }, ...sent });
  const grantOf = async (login: string, more: object = {}): Promise<Grant> => {
    const answer = await logIn(login, more);
    expect(answer.status).to.equal(201);
    return (await answer.json()) as Grant;
  };
  const cookiesOf = (answer: Response) => answer.headers.getSetCookie().map((each) => each.split(';')[0]!);
  /** Retries what another host learns by a notification. */
  const until = async (check: () => Promise<boolean>) => {
    for (const endsAt = Date.now() + DEADLINE_MS; !(await check()); ) {
      if (Date.now() > endsAt) throw new Error('it never happened');
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  };

  it('register, read their mail, log in, look around and log out', async () => {
    await register('ada');
    const { accessToken, refreshToken } = await grantOf('ada', { device: 'desk' });
    expect(await (await get('/v1/account', accessToken)).json()).to.deep.include({
      username: 'ada',
      state: 'active',
      email: { address: 'ada@example.com', verified: true },
      memberships: [],
    });
    const { items } = (await (await get('/v1/sessions', accessToken)).json()) as { items: object[] };
    expect(items).to.have.length(1);
    expect(items[0]).to.include({ device: 'desk', address: '127.0.0.1', current: true });
    const fresh = (await (await send('/v1/sessions/refresh', { body: { refreshToken } })).json()) as Grant;
    expect((await send('/v1/sessions/current', { method: 'DELETE', token: fresh.accessToken })).status).to.equal(204);
    for (const token of [accessToken, fresh.accessToken]) {
      expect(await codeOf(await get('/v1/account', token))).to.equal('401 token-invalid');
    }
    const again = await send('/v1/sessions/refresh', { body: { refreshToken: fresh.refreshToken } });
    expect(await codeOf(again)).to.equal('401 refresh-invalid');
  });

  it('are nobody with an API token, and no organisation without one', async () => {
    await register('lone');
    const { accessToken } = await grantOf('lone');
    expect(await codeOf(await get('/v1/account', platform.credentials.publisher))).to.equal('403 session-needed');
    expect(await codeOf(await get('/v1/releases', accessToken))).to.equal('403 organisation-needed');
    const named = await send('/v1/releases', {
      method: 'GET',
      token: accessToken,
      headers: { 'gatehouse-organisation': 'acme-labs' },
    });
    expect(await codeOf(named)).to.equal('403 membership-missing');
  });

  it('are logged out of one device, or all, at once and on every host', async () => {
    await register('many');
    const another = await platform.startAnotherHost();
    const [one, two, three] = [await grantOf('many'), await grantOf('many'), await grantOf('many')];
    const openAt = async (at: string, { accessToken }: Grant) =>
      (await get('/v1/account', accessToken, at)).status === 200;
    // Both hosts have all of them in memory.
    for (const at of [url, another.url]) {
      for (const each of [one, two, three]) expect(await openAt(at, each)).to.equal(true);
    }
    await send(`/v1/sessions/${two.sessionId}`, { method: 'DELETE', token: one.accessToken });
    expect(await openAt(url, two)).to.equal(false);
    await until(async () => !(await openAt(another.url, two)));
    expect(await openAt(another.url, one)).to.equal(true);
    await send('/v1/sessions?others=true', { method: 'DELETE', token: one.accessToken, at: another.url });
    await until(async () => !(await openAt(url, three)));
    expect(await openAt(url, one)).to.equal(true);
    const foreign = await send(`/v1/sessions/${one.sessionId}`, {
      method: 'DELETE',
      token: (await grantOf('ada')).accessToken,
    });
    expect(await codeOf(foreign)).to.equal('404 session-unknown');
  });

  it('who change their password keep the session in use alone, and get mail', async () => {
    await register('changer');
    const [own, other] = [await grantOf('changer'), await grantOf('changer')];
    const change = (currentPassword: string, password: string) =>
      send('/v1/account/password', { method: 'PUT', token: own.accessToken, body: { currentPassword, password } });
    expect(await codeOf(await change('wrong', 'Another-Horse-88-Staple'))).to.equal('403 password-wrong');
    expect(await codeOf(await change(PASSWORD, 'weak'))).to.equal('422 account-invalid');
    expect((await change(PASSWORD, 'Another-Horse-88-Staple')).status).to.equal(204);
    expect((await get('/v1/account', own.accessToken)).status).to.equal(200);
    expect((await get('/v1/account', other.accessToken)).status).to.equal(401);
    expect((await mailTo('changer@example.com')).subject).to.match(/was changed/);
  });

  it('who deactivate their account are out, until an admin brings it back', async () => {
    await register('leaver');
    const { accessToken } = await grantOf('leaver');
    const leave = (password: string) => send('/v1/account/deactivation', { token: accessToken, body: { password } });
    expect(await codeOf(await leave('wrong'))).to.equal('401 credentials-invalid');
    expect((await leave(PASSWORD)).status).to.equal(204);
    expect((await get('/v1/account', accessToken)).status).to.equal(401);
    expect(await codeOf(await logIn('leaver'))).to.equal('401 credentials-invalid');
    const back = (token: string) => send('/v1/accounts/leaver/deactivation', { method: 'DELETE', token });
    expect(await codeOf(await back(platform.credentials.moderator))).to.equal('403 permission-denied');
    expect((await back(platform.credentials.admin)).status).to.equal(204);
    expect((await logIn('leaver')).status).to.equal(201);
  });

  it('who typed too often what is wrong wait, as Retry-After says, or ask an admin', async () => {
    await register('locked');
    for (let at = 0; at < 5; at += 1) await logIn('locked', { password: 'wrong' });
    const locked = await logIn('locked');
    expect(Number(locked.headers.get('retry-after'))).to.be.within(1, 30);
    expect(await codeOf(locked)).to.equal('429 login-locked');
    const unlock = (username: string) =>
      send(`/v1/accounts/${username}/lockout`, { method: 'DELETE', token: platform.credentials.admin });
    expect(await codeOf(await unlock('nobody'))).to.equal('404 account-unknown');
    expect((await unlock('locked')).status).to.equal(204);
    expect((await logIn('locked')).status).to.equal(201);
  });

  it('are told from nobody neither by the answer nor by the work', async () => {
    const answers = [];
    for (const login of ['ada', 'ada@example.com', 'nobody', 'nobody@example.com']) {
      const before = work;
      const answer = await logIn(login, { password: 'Wrong-Horse-77-Battery' });
      const { instance, ...problem } = (await answer.json()) as Record<string, unknown>;
      expect(instance).to.match(/^urn:request:/);
      const names = [...answer.headers.keys()].sort();
      answers.push({ status: answer.status, problem, names, work: work - before });
    }
    for (const each of answers) expect(each).to.deep.equal(answers[0]);
    expect(answers[0]!.work).to.equal(1);
    for (const path of ['/v1/accounts/password-resets', '/v1/accounts/verification-mails']) {
      const texts = [];
      for (const email of ['ada@example.com', 'nobody@example.com', 'nonsense']) {
        const answer = await send(path, { body: { email } });
        texts.push(`${answer.status} ${await answer.text()}`);
      }
      expect(new Set(texts)).to.deep.equal(new Set(['202 {"accepted":true}']));
    }
  });

  it('with passwords of 73 bytes and more, and of emoji, have all of it checked', async () => {
    const long = `${'Zwölf Boxkämpfer jagen Viktor '.repeat(2)}quer 42`;
    const emoji = 'Xy7🐎🔋📎🧷🪀🎏🧿🪗🎐🐊🦜🪕🧭🛟🪵🪶';
    for (const [username, password] of [
      ['long_one', long],
      ['emoji_one', emoji],
    ] as const) {
      expect(Buffer.byteLength(password)).to.be.above(65);
      await register(username, password);
      expect((await logIn(username, { password })).status, username).to.equal(201);
      // The last character counts.
      const shorter = [...password].slice(0, -1).join('');
      for (const wrong of [shorter, `${password}x`, `${shorter}y`]) {
        expect((await logIn(username, { password: wrong })).status, username).to.equal(401);
      }
      await send(`/v1/accounts/${username}/lockout`, { method: 'DELETE', token: platform.credentials.admin });
    }
  });

  it('cannot make themselves more than they are by what they send along', async () => {
    const more = { state: 'active', role: 'admin', verifiedAt: '2020-01-01T00:00:00Z', id: 'x', organisationId: 'x' };
    for (const [name, value] of Object.entries(more)) {
      const body = { username: 'massive', password: PASSWORD, email: 'massive@example.com', [name]: value };
      expect(await codeOf(await send('/v1/accounts', { body })), name).to.equal('422 body-invalid');
      expect(await codeOf(await logIn('ada', { [name]: value })), name).to.equal('422 body-invalid');
    }
    const polluted = '{"login":"ada","password":"x","__proto__":{"as":"cookies"}}';
    const answer = await fetch(`${url}/v1/sessions`, {
      method: 'POST',
      body: polluted,
      headers: { 'content-type': 'application/json' },
    });
    expect(await codeOf(answer)).to.be.oneOf(['422 body-invalid', '400 body-malformed']);
  });

  describe('in a browser', () => {
    const asPage = (more: Record<string, string> = {}) => ({ origin: url, 'sec-fetch-site': 'same-origin', ...more });

    it('have their tokens in cookies that no script reads, and stay logged in by them', async () => {
      const answer = await logIn('ada', { as: 'cookies' }, { headers: asPage() });
      expect(await answer.json()).to.deep.include({ accessToken: null, refreshToken: null });
      for (const cookie of answer.headers.getSetCookie()) {
        expect(cookie).to.match(/^gatehouse-(?:access|refresh)=.*; Path=\/; HttpOnly; SameSite=Strict$/);
      }
      const cookie = cookiesOf(answer).join('; ');
      expect((await fetch(`${url}/v1/account`, { headers: { cookie } })).status).to.equal(200);
      const refreshed = await send('/v1/sessions/refresh', { body: {}, headers: asPage({ cookie }) });
      expect(refreshed.status).to.equal(200);
      const newer = cookiesOf(refreshed).join('; ');
      expect(newer).not.to.equal(cookie);
      const out = await send('/v1/sessions/current', { method: 'DELETE', headers: asPage({ cookie: newer }) });
      expect(out.status).to.equal(204);
      expect(out.headers.getSetCookie().join()).to.match(/gatehouse-access=; Max-Age=0.*gatehouse-refresh=; Max-Age=0/);
      expect((await fetch(`${url}/v1/account`, { headers: { cookie: newer } })).status).to.equal(401);
    });

    it('do nothing that a page of another site asks for', async () => {
      const cookie = cookiesOf(await logIn('ada', { as: 'cookies' }, { headers: asPage() })).join('; ');
      const requests: Record<string, string>[] = [
        { 'sec-fetch-site': 'cross-site' },
        { 'sec-fetch-site': 'same-site' },
        { origin: 'https://evil.example' },
        { origin: 'null' },
      ];
      for (const foreign of requests) {
        for (const [method, path, body] of [
          ['DELETE', '/v1/sessions', undefined],
          ['PUT', '/v1/account/password', { currentPassword: PASSWORD, password: 'Another-Horse-88-Staple' }],
          // Logging somebody in as somebody else is an attack as well.
          ['POST', '/v1/sessions', { login: 'ada', password: PASSWORD, as: 'cookies' }],
        ] as const) {
          const answer = await send(path, { method, headers: { cookie, ...foreign }, ...(body && { body }) });
          expect(await codeOf(answer), `${method} ${JSON.stringify(foreign)}`).to.equal('403 request-cross-site');
        }
      }
      expect((await fetch(`${url}/v1/account`, { headers: { cookie } })).status).to.equal(200);
    });

    it('get a session of their own, whatever somebody planted before', async () => {
      const planted = await grantOf('ada');
      const cookie = `gatehouse-access=${planted.accessToken}; gatehouse-refresh=${planted.refreshToken}`;
      const answer = await logIn('many', { as: 'cookies' }, { headers: asPage({ cookie }) });
      const { sessionId } = (await answer.json()) as Grant;
      expect(sessionId).not.to.equal(planted.sessionId);
      // A cookie that is there twice is none: one of the two is somebody else's.
      const own = cookiesOf(answer).find((each) => each.startsWith('gatehouse-access='))!;
      const doubled = await fetch(`${url}/v1/account`, { headers: { cookie: `${own}; ${cookie}` } });
      expect(doubled.status).to.equal(401);
    });

    it('are not heard with a megabyte of cookies, and others go on', async () => {
      const head = `GET /v1/account HTTP/1.1\r\nHost: x\r\nCookie: gatehouse-access=${'a'.repeat(1_048_576)}\r\n\r\n`;
      expect(await sendRaw(Number(new URL(url).port), head)).to.match(/^HTTP\/1\.1 431 /);
      expect((await fetch(`${url}/healthz`)).status).to.equal(200);
    });
  });

  it('are nobody to plugins: what a browser sends by itself does not log in there', async () => {
    const installation = await platform.install({
      source: `import { definePlugin } from '@gatehouse/plugin-sdk';
export default definePlugin({ routes: { 'GET /who': (request, { caller }) => Response.json({ caller: caller ?? null, cookie: request.headers.get('cookie') }) } });`,
      manifest: { routes: [{ method: 'GET', path: '/who', access: 'public' }] },
    });
    const cookie = cookiesOf(await logIn('ada', { as: 'cookies' })).join('; ');
    const answer = await platform.call(installation, '/who', { token: null, headers: { cookie } });
    expect(await answer.json()).to.deep.equal({ caller: null, cookie: null });
    const { accessToken } = await grantOf('ada');
    expect(await codeOf(await platform.call(installation, '/who', { token: accessToken }))).to.equal(
      '401 token-invalid',
    );
  });

  it('read their mail in a browser where it is for development', async () => {
    const page = await fetch(`${url}/dev/mailbox`, { headers: { accept: 'text/html' } });
    expect(page.headers.get('content-type')).to.equal('text/html; charset=utf-8');
    expect(page.headers.get('cache-control')).to.equal('no-store');
    expect(await page.text()).to.include('Your code for Gatehouse');
  });
});
