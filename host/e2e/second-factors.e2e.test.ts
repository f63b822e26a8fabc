import { generateKeyPairSync } from 'node:crypto';
import { setTimeout as rest } from 'node:timers/promises';
import { expect } from 'chai';
import { Secret, TOTP } from 'otpauth';
import { v7 as uuidv7 } from 'uuid';
import { testAuthenticator } from '../../registry/factors/test-authenticator.ts';
import { BOT_TOKEN, initDataOf } from '../../registry/telegram/test-init-data.ts';
import { codeOf, startTestPlatform, type TestPlatform } from './test-platform.ts';

const PASSWORD = 'Correct-Horse-7-Battery';

describe('second factors of people', () => {
  let platform: TestPlatform;
  before(async () => {
    platform = await startTestPlatform({ GATEHOUSE_DEV_MAILBOX: 'true', GATEHOUSE_TELEGRAM_BOT_TOKEN: BOT_TOKEN });
  });
  after(() => platform.close());

  const send = (method: string, path: string, body?: object, token?: string) =>
    fetch(platform.host.url + path, {
      method,
      headers: {
        ...(body && { 'content-type': 'application/json' }),
        ...(token !== undefined && { authorization: `Bearer ${token}` }),
      },
      ...(body && { body: JSON.stringify(body) }),
    });
  /** The answer's JSON, which has this status. */
  const expecting = async <Body = Record<string, never>>(
    status: number,
    response: Promise<Response>,
  ): Promise<Body> => {
    const answered = await response;
    const text = await answered.text();
    expect(answered.status, text).to.equal(status);
    return (text === '' ? {} : JSON.parse(text)) as Body;
  };

  /** Registers as people do; gives the access token of their first login. */
  const newPerson = async (username: string) => {
    const email = `${username}@example.com`;
    const { id } = await expecting<{ id: string }>(
      202,
      send('POST', '/v1/accounts', { username, password: PASSWORD, email }),
    );
    const mailbox = () => expecting<{ items: { to: string; text: string }[] }>(200, send('GET', '/dev/mailbox'));
    const textOf = async () => (await mailbox()).items.find(({ to }) => to === email)?.text;
    let text = await textOf();
    for (; text === undefined; text = await textOf()) await rest(20);
    await expecting(200, send('POST', '/v1/accounts/verification', { code: codeIn(text) }));
    return { id, username, ...(await logIn(username)) };
  };
  const codeIn = (text: string): string =>
    text
      .split('\n')
      .find((line) => /^\s*[\w-]{20,}\s*$/.test(line))!
      .trim();
  const logIn = (login: string) =>
    expecting<{ accessToken: string; sessionId: string }>(
      201,
      send('POST', '/v1/sessions', { login, password: PASSWORD }),
    );
  /** Makes somebody a member of one of the seeded organisations. */
  const join = async (accountId: string, slug: string, role: string) => {
    const { knex } = platform.database;
    const organisation = await knex('organisations').where({ slug }).first('id');
    const row = { id: uuidv7(), organisation_id: organisation.id, account_id: accountId, role, created_at: new Date() };
    await knex('memberships').insert(row);
  };
  const newKey = () => {
    const publicKeyPem = generateKeyPairSync('ed25519').publicKey.export({ type: 'spki', format: 'pem' });
    return { publicKeyPem, label: 'laptop' };
  };
  const enrol = async (token: string) => {
    const { secret } = await expecting<{ secret: string; qrSvg: string }>(
      201,
      send('POST', '/v1/account/totp', {}, token),
    );
    const totp = new TOTP({ secret: Secret.fromBase32(secret) });
    const confirmation = { code: totp.generate() };
    const { recoveryCodes } = await expecting<{ recoveryCodes: string[] }>(
      200,
      send('POST', '/v1/account/totp/confirmation', confirmation, token),
    );
    // Of the step that comes next, which is good already.
    return { recoveryCodes, nextCode: () => totp.generate({ timestamp: Date.now() + 30_000 }) };
  };

  it('stand before what is dangerous, and before the second login', async () => {
    const ada = await newPerson('ada_factor');
    await join(ada.id, 'acme-labs', 'publisher');
    const token = (await logIn('ada_factor')).accessToken;
    expect(await codeOf(await send('POST', '/v1/keys', newKey(), token))).to.equal('factor-required');
    const { recoveryCodes, nextCode } = await enrol(token);
    await expecting(201, send('POST', '/v1/keys', newKey(), token));
    // The session of before the enrolment is over.
    expect(await codeOf(await send('GET', '/v1/account/factors', undefined, ada.accessToken))).to.equal(
      'token-invalid',
    );

    const long = new Date(Date.now() - 11 * 60_000);
    await platform.database.knex('sessions').where('account_id', ada.id).update({ factor_at: long });
    let code = '';
    for (; code !== 'step-up-required'; await rest(20)) code = await codeOf(await send('POST', '/v1/keys', {}, token));
    await expecting(200, send('POST', '/v1/sessions/current/step-up', { recoveryCode: recoveryCodes[0] }, token));
    await expecting(201, send('POST', '/v1/keys', newKey(), token));

    const login = { login: 'ada_factor', password: PASSWORD };
    const { challenge, methods } = await expecting<{ challenge: string; methods: string[] }>(
      202,
      send('POST', '/v1/sessions', login),
    );
    expect(methods).to.deep.equal(['totp', 'recovery-code']);
    const answer = (proof: object) => send('POST', '/v1/sessions/second-factor', { challenge, ...proof });
    expect(await codeOf(await answer({ recoveryCode: recoveryCodes[0] }))).to.equal('factor-invalid');
    expect(await codeOf(await answer({}))).to.equal('body-invalid');
    expect(await codeOf(await answer({ code: '123456', recoveryCode: 'x' }))).to.equal('body-invalid');
    const granted = await answer({ code: nextCode(), as: 'cookies' });
    expect(granted.status).to.equal(201);
    expect(granted.headers.getSetCookie()).to.have.length(2);
    expect(await codeOf(await answer({ recoveryCode: recoveryCodes[1] }))).to.equal('challenge-invalid');
  });

  it('stand before the archive of a person and before their erasure, which ends everything at once', async () => {
    const { accessToken: token } = await newPerson('eve_leaves');
    expect(await codeOf(await send('POST', '/v1/account/erasure', { username: 'eve_leaves' }, token))).to.equal(
      'factor-required',
    );
    await enrol(token);
    const { id } = await expecting<{ id: string }>(202, send('POST', '/v1/account/exports', undefined, token));
    const archive = () => send('GET', `/v1/account/exports/${id}/archive`, undefined, token);
    let answered = await archive();
    for (; answered.status === 404; answered = await archive()) await rest(20);
    const { account } = (await answered.json()) as { account: object };
    expect(account).to.deep.include({ addresses: ['eve_leaves@example.com'] });
    await expecting(422, send('POST', '/v1/account/erasure', { username: 'eve' }, token));
    await expecting(204, send('POST', '/v1/account/erasure', { username: 'eve_leaves' }, token));
    expect(await codeOf(await send('GET', '/v1/account/exports', undefined, token))).to.equal('token-invalid');
    const login = { login: 'eve_leaves', password: PASSWORD };
    expect(await codeOf(await send('POST', '/v1/sessions', login))).to.equal('credentials-invalid');
  });

  it('are the first thing that staff of the platform needs', async () => {
    const bob = await newPerson('bob_admin');
    await join(bob.id, 'gatehouse', 'admin');
    const { accessToken } = await logIn('bob_admin');
    const look = () => send('GET', '/v1/organisations/acme-labs', undefined, accessToken);
    expect(await codeOf(await look())).to.equal('factor-required');
    await enrol(accessToken);
    await expecting(200, look());
  });

  it('may be a passkey, which also logs in by itself', async () => {
    const eve = await newPerson('eve_passkey');
    const { port } = new URL(platform.host.url);
    const key = testAuthenticator({ domain: 'localhost', origin: `http://localhost:${port}` });
    type Challenge = { challenge: string };
    const { challenge } = await expecting<Challenge>(
      201,
      send('POST', '/v1/account/passkeys/challenge', undefined, eve.accessToken),
    );
    const passkey = key.create(challenge);
    await expecting(
      201,
      send('POST', '/v1/account/passkeys', { challenge, label: 'laptop', passkey }, eve.accessToken),
    );
    const login = await expecting<Challenge>(201, send('POST', '/v1/sessions/passkey/challenge'));
    const body = { challenge: login.challenge, passkey: key.get(login.challenge) };
    const { accessToken } = await expecting<{ accessToken: string }>(201, send('POST', '/v1/sessions/passkey', body));
    const { passkeys } = await expecting<{ passkeys: { id: string }[] }>(
      200,
      send('GET', '/v1/account/factors', undefined, accessToken),
    );
    await expecting(200, send('DELETE', `/v1/account/passkeys/${passkeys[0]!.id}`, undefined, accessToken));
  });

  it('let people in from Telegram, once by the same init data', async () => {
    const initData = initDataOf({ id: 77, atMs: Date.now() });
    const { accessToken } = await expecting<{ accessToken: string }>(
      201,
      send('POST', '/v1/sessions/telegram', { initData }),
    );
    expect(await codeOf(await send('POST', '/v1/sessions/telegram', { initData }))).to.equal('telegram-data-used');
    const { username } = await expecting<{ username: string }>(200, send('GET', '/v1/account', undefined, accessToken));
    expect(username).to.match(/^tg_/);
    expect(await codeOf(await send('DELETE', '/v1/account/telegram', undefined, accessToken))).to.equal('last-way-in');
    await enrol(accessToken);
    const again = { initData: initDataOf({ id: 77, atMs: Date.now(), query_id: 'other' }) };
    await expecting(202, send('POST', '/v1/sessions/telegram', again));
  });

  it('are taken by an admin from who has lost them', async () => {
    const fay = await newPerson('fay_lost');
    await enrol(fay.accessToken);
    const reset = await fetch(`${platform.host.url}/v1/accounts/fay_lost/factors`, {
      method: 'DELETE',
      headers: { authorization: `Bearer ${platform.credentials.admin}` },
    });
    expect(reset.status).to.equal(204);
    expect(await codeOf(await send('GET', '/v1/account/factors', undefined, fay.accessToken))).to.equal(
      'token-invalid',
    );
    await logIn('fay_lost');
  });
});
