import { createHmac, generateKeyPairSync, sign } from 'node:crypto';
import { expect } from 'chai';
import jwt from 'jsonwebtoken';
import { refusalOf, type TestPeople, testPeople } from '../accounts/test-people.ts';
import type { Account } from '../contract.ts';

const DEVICE = { name: 'laptop', userAgent: 'Mozilla/5.0 (X11)', address: '192.0.2.1' };
const PLACE = { userAgent: 'Mozilla/5.0 (X11)', address: '192.0.2.2' };
const DAY_MS = 24 * 3_600_000;

describe('sessions', () => {
  let test: TestPeople;
  let ada: Account;
  before(async () => {
    test = await testPeople();
    ada = await test.person('ada');
  });
  after(() => test.database.close());
  beforeEach(() => {
    test.clock.nowMs += 3_600_000;
    test.events.length = 0;
  });
  const open = async () => test.sessions.open(await test.proven(ada), DEVICE);
  const codeOf = async (work: Promise<unknown>) => (await refusalOf(work)).code;
  const personOf = async (sessionId: string) => (await test.sessions.find(sessionId))!.person;

  describe('an access token', () => {
    const claimsOf = (token: string) => jwt.decode(token) as Record<string, unknown>;
    const partsOf = (token: string) => token.split('.') as [string, string, string];
    const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');

    it('names its session and account for ten minutes', async () => {
      const { accessToken, sessionId, accessExpiresAt } = await open();
      const read = await test.sessions.readAccessToken(accessToken);
      expect(read).to.deep.equal({ accountId: ada.id, sessionId, expiresAtMs: Date.parse(accessExpiresAt) });
      test.clock.nowMs = Date.parse(accessExpiresAt) - 1_000;
      expect(await test.sessions.readAccessToken(accessToken)).not.to.equal(null);
      test.clock.nowMs += 1_000;
      expect(await test.sessions.readAccessToken(accessToken)).to.equal(null);
    });

    it('is good on another host too, which has never seen its key', async () => {
      const { accessToken, sessionId } = await open();
      expect((await test.another().readAccessToken(accessToken))!.sessionId).to.equal(sessionId);
    });

    it('is nothing without a signature, whatever the header says of algorithms', async () => {
      const { accessToken } = await open();
      const [head, body, signature] = partsOf(accessToken);
      const { kid } = JSON.parse(Buffer.from(head, 'base64url').toString());
      const key = (await test.database.system('access_token_keys').where('id', kid).first()).public_key_pem;
      const confused = (alg: string, secret: string) => {
        const text = `${part({ alg, typ: 'at+jwt', kid })}.${body}`;
        return `${text}.${createHmac('sha256', secret).update(text).digest('base64url')}`;
      };
      const forged = [
        `${part({ alg: 'none', typ: 'at+jwt', kid })}.${body}.`,
        `${part({ alg: 'None', typ: 'at+jwt', kid })}.${body}.${signature}`,
        `${head}.${body}.`,
        // The public key as the secret of an HMAC: the classic confusion.
        confused('HS256', key),
        confused('HS256', key.trim()),
        confused('ES256', key),
        `${head}.${part({ ...claimsOf(accessToken), sub: test.events })}.${signature}`,
        `${part({ alg: 'ES256', typ: 'at+jwt', kid: null })}.${body}.${signature}`,
        `${part({ alg: 'ES256', typ: 'at+jwt', kid: "x' or '1'='1" })}.${body}.${signature}`,
        'a.b.c',
        '..',
        '',
        accessToken.slice(0, -4),
        `${accessToken}.x`,
      ];
      for (const token of forged) expect(await test.sessions.readAccessToken(token), token).to.equal(null);
      expect(await test.sessions.readAccessToken(accessToken)).not.to.equal(null);
    });

    it('is nothing by a key of somebody else, or where one claim is not ours', async () => {
      const { accessToken } = await open();
      const good = claimsOf(accessToken);
      const { header } = jwt.decode(accessToken, { complete: true })!;
      const foreign = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
      const text = `${part(header)}.${part(good)}`;
      const signature = sign('sha256', Buffer.from(text), { key: foreign, dsaEncoding: 'ieee-p1363' });
      expect(await test.sessions.readAccessToken(`${text}.${signature.toString('base64url')}`)).to.equal(null);

      // The same key, by whoever could make it sign something else.
      const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
      const keyId = '0199b7a0-5a3e-7c6b-8f7e-2f5d1c9f0a11';
      await test.database.system('access_token_keys').insert({
        id: keyId,
        sealed: Buffer.from('x'),
        public_key_pem: publicKey.export({ type: 'spki', format: 'pem' }),
        created_at: new Date(test.clock.nowMs),
      });
      const made = (claims: object, typ = 'at+jwt') =>
        jwt.sign({ ...good, ...claims }, privateKey, { algorithm: 'ES256', header: { alg: 'ES256', typ, kid: keyId } });
      const host = test.another();
      expect(await host.readAccessToken(made({})), 'a well-made one').not.to.equal(null);
      const now = Math.floor(test.clock.nowMs / 1_000);
      for (const [why, token] of Object.entries({
        issuer: made({ iss: 'https://evil.example' }),
        audience: made({ aud: 'somebody-else' }),
        type: made({}, 'JWT'),
        expired: made({ iat: now - 601, exp: now - 1 }),
        'far too long': made({ iat: now - 700, exp: now + 86_400 }),
        'not yet': made({ nbf: now + 60 }),
        'no session': made({ sid: undefined }),
        'odd session': made({ sid: { $ne: null } }),
      })) {
        expect(await host.readAccessToken(token), why).to.equal(null);
      }
      await test.database.system('access_token_keys').where('id', keyId).delete();
    });

    it('is signed by a new key after a month, and tokens of the one before stay good', async () => {
      test.clock.nowMs += 31 * DAY_MS;
      const kidOf = (token: string) => jwt.decode(token, { complete: true })!.header.kid;
      const first = await open();
      test.clock.nowMs += 30 * DAY_MS - 60_000;
      const last = await open();
      test.clock.nowMs += 60_000;
      const [next, again] = await Promise.all([open(), test.another().open(await test.proven(ada), DEVICE)]);
      expect(kidOf(last.accessToken)).to.equal(kidOf(first.accessToken));
      expect(kidOf(next.accessToken)).not.to.equal(kidOf(first.accessToken));
      expect(kidOf(again.accessToken)).to.equal(kidOf(next.accessToken));
      expect(await test.sessions.readAccessToken(last.accessToken)).not.to.equal(null);
      const [{ sealed }] = await test.database.system('access_token_keys');
      expect(sealed.toString('latin1')).not.to.include('PRIVATE KEY');
    });
  });

  describe('a refresh token', () => {
    it('works once, and its successor after it, for thirty days', async () => {
      const first = await open();
      const second = await test.sessions.refresh(first.refreshToken, PLACE);
      expect(second.sessionId).to.equal(first.sessionId);
      expect(second.refreshToken).not.to.equal(first.refreshToken);
      test.clock.nowMs += 30 * DAY_MS - 1;
      const third = await test.sessions.refresh(second.refreshToken, PLACE);
      test.clock.nowMs += 30 * DAY_MS;
      expect(await codeOf(test.sessions.refresh(third.refreshToken, PLACE))).to.equal('refresh-invalid');
    });

    it('ends with its session after ninety days, however often it was renewed', async () => {
      let tokens = await open();
      for (let at = 0; at < 4; at += 1) {
        test.clock.nowMs += 20 * DAY_MS;
        tokens = await test.sessions.refresh(tokens.refreshToken, PLACE);
      }
      // Those that are refused for their age alone are not kept.
      expect(await test.database.system('refresh_tokens').where('session_id', tokens.sessionId)).to.have.length(2);
      test.clock.nowMs += 10 * DAY_MS;
      expect(await test.sessions.find(tokens.sessionId)).to.equal(null);
      expect(await codeOf(test.sessions.refresh(tokens.refreshToken, PLACE))).to.equal('refresh-invalid');
    });

    it('gives the same successor to all who use it at once, on whatever host', async () => {
      const { refreshToken, sessionId } = await open();
      const hosts = [test.sessions, test.another(), test.another()];
      const answers = await Promise.all(
        Array.from({ length: 12 }, (_, at) => hosts[at % hosts.length]!.refresh(refreshToken, PLACE)),
      );
      expect(new Set(answers.map((each) => each.refreshToken)).size).to.equal(1);
      expect(await test.database.system('refresh_tokens').where('session_id', sessionId)).to.have.length(2);
      expect(test.events).to.deep.equal([]);
      await test.sessions.refresh(answers[0]!.refreshToken, PLACE);
    });

    it('ends the session of both where a thief uses one that its owner has used', async () => {
      for (const late of [true, false]) {
        const stolen = await open();
        const owners = await test.sessions.refresh(stolen.refreshToken, PLACE);
        // Not long ago, but its successor was used: two devices hold tokens of one family.
        if (late) test.clock.nowMs += 10_001;
        else await test.sessions.refresh(owners.refreshToken, PLACE);
        expect(await codeOf(test.sessions.refresh(stolen.refreshToken, PLACE))).to.equal('refresh-invalid');
        expect(await codeOf(test.sessions.refresh(owners.refreshToken, PLACE))).to.equal('refresh-invalid');
        expect(await test.sessions.find(stolen.sessionId)).to.equal(null);
        expect(test.events.map(({ kind, accountId }) => [kind, accountId])).to.deep.equal([['refresh-reused', ada.id]]);
        test.events.length = 0;
      }
    });

    it('is not stored, and nobody makes a successor from what is', async () => {
      const { refreshToken, sessionId } = await open();
      const next = await test.sessions.refresh(refreshToken, PLACE);
      const rows = await test.database.system('refresh_tokens').where('session_id', sessionId);
      const stored = rows.map((row) => [row.sha256, row.replaced_by].join()).join();
      for (const token of [refreshToken, next.refreshToken]) expect(stored).not.to.include(token);
      for (const guess of rows.map(({ sha256 }) => `ghr_${sha256.toString('base64url')}`)) {
        expect(await codeOf(test.sessions.refresh(guess, PLACE))).to.equal('refresh-invalid');
      }
    });

    it('is refused alike where it is malformed, unknown, or of a session or person that has ended', async () => {
      const bob = await test.person('bob');
      const of = await test.sessions.open(await test.proven(bob), DEVICE);
      await test.accounts.deactivate({ via: 'system' }, bob.id);
      const ended = await open();
      await test.sessions.end(await personOf(ended.sessionId), ended.sessionId);
      for (const token of ['', 'x', `ghr_${'A'.repeat(43)}`, "ghr_' or 1=1", of.refreshToken, ended.refreshToken]) {
        const { code, facts } = await refusalOf(test.sessions.refresh(token, PLACE));
        expect({ code, facts }, token).to.deep.equal({ code: 'refresh-invalid', facts: {} });
      }
    });
  });

  describe('a list', () => {
    it('shows each device of a person, where it was last, and nobody else', async () => {
      const cleo = await test.person('cleo');
      const one = await test.sessions.open(await test.proven(cleo), {
        name: '',
        userAgent: 'gate/0.1 node',
        address: '::1',
      });
      const two = await test.sessions.open(await test.proven(cleo), { ...DEVICE, name: 'a\0b'.repeat(200) });
      await test.sessions.refresh(one.refreshToken, PLACE);
      const listed = await test.sessions.list(await personOf(one.sessionId));
      expect(listed.map(({ id }) => id)).to.have.members([one.sessionId, two.sessionId]);
      const shown = listed.find(({ id }) => id === one.sessionId)!;
      expect(shown).to.include({ device: 'gate', address: PLACE.address, userAgent: PLACE.userAgent });
      expect(listed.find(({ id }) => id === two.sessionId)!.device).to.have.length(200);
    });

    it('loses one that is ended, or all, or all others', async () => {
      const dan = await test.person('dan');
      const sessions = [];
      for (let at = 0; at < 4; at += 1) sessions.push(await test.sessions.open(await test.proven(dan), DEVICE));
      const [own, second] = [sessions[0]!, sessions[1]!];
      const person = await personOf(own.sessionId);
      const foreign = await open();
      expect(await codeOf(test.sessions.end(person, foreign.sessionId))).to.equal('session-unknown');
      await test.sessions.end(person, second.sessionId);
      expect(await codeOf(test.sessions.end(person, second.sessionId))).to.equal('session-unknown');
      expect(await test.sessions.list(person)).to.have.length(3);
      await test.sessions.endAll(person, { others: true });
      expect((await test.sessions.list(person)).map(({ id }) => id)).to.deep.equal([own.sessionId]);
      await test.sessions.endAll(person, { others: false });
      expect(await test.sessions.find(own.sessionId)).to.equal(null);
      expect(await test.sessions.find(foreign.sessionId)).not.to.equal(null);
    });
  });

  describe('a login under way', () => {
    it('ends with all sessions, though not with another one', async () => {
      const eve = await test.person('eve');
      const own = await test.sessions.open(await test.proven(eve), DEVICE);
      const other = await test.sessions.open(await test.proven(eve), DEVICE);
      const person = await personOf(own.sessionId);
      const first = await test.proven(eve);
      await test.sessions.end(person, other.sessionId);
      await test.sessions.open(first, DEVICE);
      for (const others of [true, false]) {
        const proven = await test.proven(eve);
        await test.sessions.endAll(person, { others });
        expect(await codeOf(test.sessions.open(proven, DEVICE))).to.equal('login-outdated');
      }
      await test.sessions.open(await test.proven(eve), DEVICE);
    });

    it('leaves nothing of somebody who was erased meanwhile', async () => {
      const fay = await test.proven(await test.person('fay'));
      await test.database.system('accounts').where('id', fay.id).update({ state: 'erased', person_key: null });
      expect(await codeOf(test.sessions.open(fay, DEVICE))).to.equal('login-outdated');
      expect(await test.database.system('sessions').where('account_id', fay.id)).to.have.length(0);
    });
  });

  it('forgets sessions a month after their end', async () => {
    const { sessionId } = await open();
    await test.sessions.end(await personOf(sessionId), sessionId);
    const stored = () => test.database.system('sessions').where('id', sessionId);
    test.clock.nowMs += 30 * DAY_MS;
    await test.sessions.sweep();
    expect(await stored()).to.have.length(1);
    test.clock.nowMs += 1;
    await test.sessions.sweep();
    expect(await stored()).to.have.length(0);
  });
});
