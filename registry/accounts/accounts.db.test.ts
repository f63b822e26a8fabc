import { randomUUID } from 'node:crypto';
import { expect } from 'chai';
import { RegistryRefusal } from '../errors.ts';
import { createPasswordHasher } from './hash-passwords.ts';
import { PASSWORD, PEPPER, refusalOf, type TestPeople, testPeople } from './test-people.ts';

const ADDRESS = '192.0.2.1';
const OTHER = 'Another-Horse-88-Staple';

describe('accounts', () => {
  let test: TestPeople;
  before(async () => {
    test = await testPeople();
  });
  after(() => test.database.close());
  beforeEach(async () => {
    test.clock.nowMs += 48 * 3_600_000;
    test.events.length = 0;
    test.mails.length = 0;
  });
  const logIn = (login: string, password = PASSWORD, address = ADDRESS) =>
    test.accounts.checkPassword({ login, password, address });
  const codeOf = async (work: Promise<unknown>) => (await refusalOf(work)).code;

  describe('register', () => {
    const register = (changes: object) =>
      test.accounts.register({ username: 'valid_1', password: PASSWORD, email: 'v@example.com', ...changes });

    it('names all faults at once', async () => {
      const { code, facts } = await refusalOf(
        register({ username: 'a!', password: 'abc', email: 'nobody', phone: { country: 'CN', number: '12345678901' } }),
      );
      expect(code).to.equal('account-invalid');
      const pointers = (facts.faults as { pointer: string }[]).map(({ pointer }) => pointer);
      expect([...new Set(pointers)]).to.deep.equal(['/username', '/email', '/password', '/phone']);
      expect(pointers.filter((pointer) => pointer === '/password')).to.have.length.above(2);
    });

    it('refuses passwords that leaked, that say the name, and that are outside of the bounds', async () => {
      const faulty = [
        'Password1',
        'P@ssw0rd',
        'Valid_1valid_1',
        'Aa1'.repeat(25),
        'alllowercase9x',
        'ALLUPPERCASE9X',
        'NoDigitsHere',
      ];
      for (const password of faulty) expect(await codeOf(register({ password })), password).to.equal('account-invalid');
    });

    it('takes telephone numbers of their country only', async () => {
      const phones: [string, string, boolean][] = [
        ['CN', '13812345678', true],
        ['CN', '+8613812345678', true],
        ['CN', '12812345678', false],
        ['CN', '01062345678', false],
        ['DE', '030 901820', true],
        ['US', '13812345678', false],
        ['XX', '1', false],
        ['__proto__', '1', false],
      ];
      for (const [at, [country, number, good]] of phones.entries()) {
        const work = register({ username: `phone_${at}`, email: `phone${at}@example.com`, phone: { country, number } });
        if (!good) expect(await codeOf(work), `${country} ${number}`).to.equal('account-invalid');
        else expect((await test.accounts.profile((await work).id)).phone).to.match(/^\+/);
      }
      await test.accounts.settled();
    });

    it('lets exactly one of many have a name, in whatever case they want it', async () => {
      const outcomes = await Promise.allSettled(
        ['contested', 'CONTESTED', 'Contested', 'cOntested', 'contesteD', 'conTested'].map((username, at) =>
          register({ username, email: `contested${at}@example.com` }),
        ),
      );
      await test.accounts.settled();
      expect(outcomes.filter(({ status }) => status === 'fulfilled')).to.have.length(1);
      for (const outcome of outcomes)
        if (outcome.status === 'rejected') expect(outcome.reason.code).to.equal('username-taken');
      // One mail: whoever lost got none.
      expect(test.mails).to.have.length(1);
    });

    it('stores neither the address nor the number nor the password', async () => {
      const email = 'Sealed.Person@example.com';
      const phone = { country: 'CN', number: '13987654321' };
      const { id } = await register({ username: 'sealed', email, phone });
      await test.accounts.settled();
      const tables = ['accounts', 'account_emails', 'account_passwords', 'account_codes', 'audit_entries'];
      const rows = await Promise.all(tables.map((table) => test.database.system(table)));
      const stored = rows.flat().map((row) => JSON.stringify(Object.values(row).map((value) => String(value))));
      for (const text of stored) expect(text).not.to.match(/13987654321|sealed\.person|Correct-Horse/i);
      expect(await test.accounts.profile(id)).to.deep.include({
        email: { address: email, verified: false },
        phone: '+8613987654321',
      });
    });

    it('answers the same whether somebody has the address or not, and tells only its owner', async () => {
      await test.person('owner_1');
      test.mails.length = 0;
      const before = test.work.count;
      const fresh = await register({ username: 'fresh_1', email: 'fresh@example.com' });
      const freshWork = test.work.count - before;
      const known = await register({ username: 'copy_1', email: 'OWNER_1@example.com' });
      expect(test.work.count - before).to.equal(2 * freshWork);
      await test.accounts.settled();
      expect(Object.keys(known)).to.deep.equal(Object.keys(fresh));
      const [toFresh, toOwner] = test.mails;
      expect(toFresh!.subject).to.match(/code/);
      expect(toOwner).to.deep.include({ to: 'OWNER_1@example.com', subject: 'You have an account at Gatehouse' });
      expect(toOwner!.text).not.to.match(/^ {4}\S/m);
      // Neither may log in, and both say the same of it. A second registration meets the name in both cases.
      for (const username of ['fresh_1', 'copy_1']) {
        expect(await codeOf(logIn(username))).to.equal('email-unverified');
        expect(await codeOf(register({ username, email: 'x@example.com' }))).to.equal('username-taken');
      }
    });

    it('lets strangers have five mails an hour sent to an address, and does not say when it was enough', async () => {
      const email = 'flooded@example.com';
      for (let at = 0; at < 8; at += 1) await register({ username: `flood_${at}`, email });
      await test.accounts.settled();
      expect(test.mails.filter(({ to }) => to === email)).to.have.length.within(1, 5);
      test.clock.nowMs += 3_600_000;
      test.mails.length = 0;
      await register({ username: 'flood_late', email });
      await test.accounts.settled();
      expect(test.mails).to.have.length(1);
    });

    it('forgets who never verified the address, after a week', async () => {
      await register({ username: 'gone_1', email: 'gone@example.com' });
      await test.accounts.settled();
      test.clock.nowMs += 6 * 24 * 3_600_000;
      await test.accounts.sweep();
      expect(await codeOf(logIn('gone_1'))).to.equal('email-unverified');
      test.clock.nowMs += 2 * 24 * 3_600_000;
      await test.accounts.sweep();
      expect(await codeOf(logIn('gone_1'))).to.equal('credentials-invalid');
    });
  });

  describe('a code', () => {
    it('verifies once, for a day', async () => {
      await test.accounts.register({ username: 'coded', password: PASSWORD, email: 'coded@example.com' });
      await test.accounts.settled();
      const code = test.codeFor('coded@example.com');
      for (const bad of ['', 'x', `${code}x`, code.toLowerCase(), '\0', code.slice(0, -1)]) {
        expect(await codeOf(test.accounts.verifyEmail(bad)), bad).to.equal('code-invalid');
      }
      test.clock.nowMs += 24 * 3_600_000;
      expect(await codeOf(test.accounts.verifyEmail(code))).to.equal('code-invalid');
      test.accounts.resendVerification('CODED@example.com');
      await test.accounts.settled();
      const again = test.codeFor('coded@example.com');
      const outcomes = await Promise.allSettled(Array.from({ length: 5 }, () => test.accounts.verifyEmail(again)));
      expect(outcomes.filter(({ status }) => status === 'fulfilled')).to.have.length(1);
      expect((await logIn('coded@EXAMPLE.com')).username).to.equal('coded');
    });

    it('of two accounts that claim one address goes to the first that has it', async () => {
      const email = 'claimed@example.com';
      for (const username of ['claim_1', 'claim_2']) {
        await test.accounts.register({ username, password: PASSWORD, email });
        await test.accounts.settled();
      }
      const codes = test.mails.map(({ text }) => /^ {4}(\S+)$/m.exec(text)![1]!);
      const outcomes = await Promise.allSettled(codes.map((code) => test.accounts.verifyEmail(code)));
      expect(outcomes.map(({ status }) => status).sort()).to.deep.equal(['fulfilled', 'rejected']);
    });

    it('is sent three times an hour and not more, with no word about it', async () => {
      await test.person('eager');
      test.mails.length = 0;
      for (let at = 0; at < 6; at += 1) test.accounts.requestPasswordReset('eager@example.com');
      test.accounts.requestPasswordReset('nobody@example.com');
      await test.accounts.settled();
      expect(test.mails).to.have.length(3);
      for (const { to } of test.mails) expect(to).to.equal('eager@example.com');
    });
  });

  describe('checkPassword', () => {
    before(() => test.person('ada'));

    it('refuses all that is wrong alike, after the same work', async () => {
      await test.person('off_1').then(({ id }) => test.accounts.deactivate({ via: 'system' }, id));
      const refusals = [];
      for (const [login, password] of [
        ['ada', OTHER],
        ['nobody', PASSWORD],
        ['nobody@example.com', PASSWORD],
        ['off_1', PASSWORD],
        ["ada' or '1'='1", PASSWORD],
        ['ada\0', OTHER],
        ['\u{10ffff}', PASSWORD],
      ] as const) {
        const before = test.work.count;
        const { code, message, facts } = await refusalOf(logIn(login, password, `10.0.0.${refusals.length}`));
        refusals.push({ code, message, facts, work: test.work.count - before });
      }
      for (const refusal of refusals) expect(refusal).to.deep.equal(refusals[0]);
      expect(refusals[0]).to.include({ code: 'credentials-invalid', work: 1 });
    });

    it('locks a login after five wrong attempts, longer each time, whether there is such an account or not', async () => {
      for (const login of ['ada', 'nobody_2']) {
        const waits: number[] = [];
        for (let at = 0; at < 5; at += 1) {
          expect(await codeOf(logIn(login, OTHER, `10.1.0.${at}`))).to.equal('credentials-invalid');
        }
        for (let round = 0; round < 3; round += 1) {
          const { code, facts } = await refusalOf(logIn(login, PASSWORD, `10.2.0.${round}`));
          expect(code).to.equal('login-locked');
          waits.push(facts.retryAfterMs as number);
          test.clock.nowMs += facts.retryAfterMs as number;
          expect(await codeOf(logIn(login, OTHER, `10.3.0.${round}`))).to.equal('credentials-invalid');
        }
        expect(waits, login).to.deep.equal([30_000, 60_000, 120_000]);
      }
      test.clock.nowMs += 3_600_000;
      expect((await logIn('ada')).username).to.equal('ada');
      // Forgiven by the right password: five more are free.
      for (let at = 0; at < 4; at += 1) expect(await codeOf(logIn('ada', OTHER))).to.equal('credentials-invalid');
      expect((await logIn('ada')).username).to.equal('ada');
    });

    it('finds nobody by a spelling that is counted as another login', async () => {
      const { id } = await test.person('irina_k');
      expect((await logIn('IRINA_K')).id).to.equal(id);
      // The database's lower() makes an i of the dotted capital I.
      for (const login of ['\u0130rina_k', 'ir\u0130na_k', 'irina_k\0']) {
        expect(await codeOf(logIn(login, PASSWORD, '10.7.0.1')), login).to.equal('credentials-invalid');
      }
    });

    it('does not end the lock of an address by a login there that was right all along', async () => {
      const address = '198.51.100.9';
      await test.person('inside_1');
      for (let at = 0; at < 18; at += 1) await refusalOf(logIn(`probe_${at}`, OTHER, address));
      // The nineteenth begins, the twentieth fails and locks, and only then the nineteenth ends well.
      const nineteenth = await test.accounts.attempts.begin({ key: 'account:inside_1', address, accountId: null });
      expect(await codeOf(logIn('probe_x', OTHER, address))).to.equal('credentials-invalid');
      await nineteenth.succeeded();
      expect(await codeOf(logIn('probe_y', OTHER, address))).to.equal('login-locked');
    });

    it('counts attempts that come at once, and tells somebody of the lock', async () => {
      const before = test.work.count;
      const outcomes = await Promise.allSettled(
        Array.from({ length: 30 }, (_, at) => logIn('ada', OTHER, `10.4.0.${at}`)),
      );
      const codes = outcomes.map((outcome) => (outcome.status === 'rejected' ? outcome.reason.code : 'let in'));
      expect(codes.filter((code) => code === 'credentials-invalid')).to.have.length(5);
      expect(codes.filter((code) => code === 'login-locked')).to.have.length(25);
      expect(test.work.count - before).to.equal(5);
      expect(test.events.map(({ kind }) => kind)).to.deep.equal(['login-locked']);
      expect(test.events[0]!.facts).to.include({ by: 'login' });
    });

    it('locks an address after twenty, and not the accounts that it tries from then on', async () => {
      const address = '198.51.100.7';
      for (let at = 0; at < 20; at += 1) {
        expect(await codeOf(logIn(`guess_${at}`, OTHER, address))).to.equal('credentials-invalid');
      }
      for (let at = 0; at < 10; at += 1) expect(await codeOf(logIn('ada', OTHER, address))).to.equal('login-locked');
      expect((await logIn('ada', PASSWORD, '198.51.100.8')).username).to.equal('ada');
    });

    it('counts nothing where the host was too busy to look, neither for a login nor for an address', async () => {
      await test.person('busy_1');
      const busy = async () => {
        throw new RegistryRefusal('login-busy');
      };
      for (let at = 0; at < 25; at += 1) {
        test.work.meanwhile = busy;
        expect(await codeOf(logIn('busy_1', PASSWORD, '198.51.100.1'))).to.equal('login-busy');
      }
      for (let at = 0; at < 4; at += 1) await refusalOf(logIn('busy_1', OTHER, '198.51.100.1'));
      test.work.meanwhile = busy;
      expect(await codeOf(logIn('busy_1', PASSWORD, '198.51.100.1'))).to.equal('login-busy');
      // What was wrong before still counts.
      await refusalOf(logIn('busy_1', OTHER, '198.51.100.1'));
      expect(await codeOf(logIn('busy_1', PASSWORD, '198.51.100.1'))).to.equal('login-locked');
      expect(test.events).to.have.length(1);
    });

    it('is open again once an admin has unlocked the account, by name and by address', async () => {
      const { id } = await test.person('locked_1');
      for (const login of ['locked_1', 'locked_1@example.com']) {
        for (let at = 0; at < 5; at += 1) await refusalOf(logIn(login, OTHER, `10.5.0.${at}`));
        expect(await codeOf(logIn(login))).to.equal('login-locked');
      }
      await test.accounts.unlock({ via: 'system', part: 'test' }, id);
      for (const login of ['locked_1', 'locked_1@example.com']) expect((await logIn(login)).id).to.equal(id);
    });

    it('brings a deactivated account back without the tokens that it answered for', async () => {
      const { id } = await test.person('tokened');
      const { system } = test.database;
      const organisation = { id: randomUUID(), slug: 'tokened', kind: 'operator', name: 'T' };
      await system('organisations').insert(organisation);
      const token = { id: randomUUID(), organisation_id: organisation.id, role: 'caller', label: 'x', account_id: id };
      await system('api_tokens').insert({ ...token, secret_sha256: Buffer.alloc(32, 3) });
      await test.accounts.deactivate({ via: 'system' }, id);
      await test.accounts.reactivate({ via: 'system' }, id);
      expect((await system('api_tokens').where('id', token.id).first()).revoked_at).not.to.equal(null);
    });

    it('brings a deactivated account back as it was', async () => {
      const { id } = await test.person('back_1');
      await test.accounts.deactivate({ via: 'system' }, id);
      await test.accounts.deactivate({ via: 'system' }, id);
      expect(await codeOf(logIn('back_1'))).to.equal('credentials-invalid');
      await test.accounts.reactivate({ via: 'system' }, id);
      expect((await logIn('back_1')).id).to.equal(id);
      expect(test.events.filter(({ kind }) => kind === 'account-deactivated')).to.have.length(1);
    });
  });

  describe('a password', () => {
    const change = (id: string, currentPassword: string, password: string, sessionId: string) =>
      test.accounts.changePassword({ id, username: 'x' }, { currentPassword, password, address: ADDRESS, sessionId });

    it('is changed by whoever knows it, ends the other sessions, and tells its owner', async () => {
      const { id } = await test.person('changer');
      const device = { name: 'laptop', userAgent: 'x', address: ADDRESS };
      const [own, other] = [
        await test.sessions.open({ id, username: 'changer', sessionEpoch: 0 }, device),
        await test.sessions.open({ id, username: 'changer', sessionEpoch: 0 }, device),
      ];
      expect(await codeOf(change(id, OTHER, OTHER, own.sessionId))).to.equal('password-wrong');
      expect(await codeOf(change(id, PASSWORD, 'weak', own.sessionId))).to.equal('account-invalid');
      await change(id, PASSWORD, OTHER, own.sessionId);
      expect(await test.sessions.find(own.sessionId)).not.to.equal(null);
      expect(await test.sessions.find(other.sessionId)).to.equal(null);
      expect(test.mails.at(-1)!.subject).to.match(/was changed/);
      expect(await codeOf(logIn('changer'))).to.equal('credentials-invalid');
      expect((await logIn('changer', OTHER)).id).to.equal(id);
    });

    it('forgives, when it is changed, nothing that was guessed of a second factor', async () => {
      const { id } = await test.person('guesser');
      const own = await test.sessions.open(await logIn('guesser'), { name: '', userAgent: 'x', address: ADDRESS });
      const guess = () => test.accounts.attempts.begin({ key: `account:${id}`, address: '10.8.0.1', accountId: id });
      for (let at = 0; at < 4; at += 1) await guess();
      await change(id, PASSWORD, OTHER, own.sessionId);
      await guess();
      expect(await codeOf(guess())).to.equal('login-locked');
    });

    it('is set anew by a code from the mail, once, which ends lockouts and every session', async () => {
      const { id } = await test.person('forgot');
      const { sessionId } = await test.sessions.open(await logIn('forgot'), { name: '', userAgent: '', address: '' });
      for (let at = 0; at < 5; at += 1) await refusalOf(logIn('forgot', OTHER, `10.6.0.${at}`));
      test.accounts.requestPasswordReset('forgot@example.com');
      await test.accounts.settled();
      const code = test.codeFor('forgot@example.com');
      const before = test.work.count;
      expect(await codeOf(test.accounts.resetPassword({ code: `${code}x`, password: OTHER }))).to.equal('code-invalid');
      expect(test.work.count).to.equal(before);
      expect(await codeOf(test.accounts.resetPassword({ code, password: 'weak' }))).to.equal('account-invalid');
      await test.accounts.resetPassword({ code, password: OTHER });
      expect(await codeOf(test.accounts.resetPassword({ code, password: OTHER }))).to.equal('code-invalid');
      expect(await test.sessions.find(sessionId)).to.equal(null);
      expect((await logIn('forgot', OTHER)).id).to.equal(id);
    });

    const reset = async (username: string, password: string) => {
      test.accounts.requestPasswordReset(`${username}@example.com`);
      await test.accounts.settled();
      await test.accounts.resetPassword({ code: test.codeFor(`${username}@example.com`), password });
    };
    const THIRD = 'Thief-Chose-This-93-One';
    const DEVICE = { name: '', userAgent: 'x', address: ADDRESS };

    it('forgives, when it is set anew, nothing that was guessed of a second factor', async () => {
      const { id } = await test.person('mailbox');
      const guess = () => test.accounts.attempts.begin({ key: `account:${id}`, address: '10.8.0.2', accountId: id });
      for (let at = 0; at < 5; at += 1) await guess();
      await reset('mailbox', OTHER);
      expect(await codeOf(guess())).to.equal('login-locked');
      await test.accounts.unlock({ via: 'anonymous' }, id);
      await guess();
    });

    it('that is set anew is not overwritten by a change under way', async () => {
      const { id } = await test.person('renewed');
      const { sessionId } = await test.sessions.open(await logIn('renewed'), DEVICE);
      test.work.meanwhile = () => reset('renewed', OTHER);
      expect(await codeOf(change(id, PASSWORD, THIRD, sessionId))).to.equal('password-wrong');
      expect(await codeOf(logIn('renewed', THIRD))).to.equal('credentials-invalid');
      expect((await logIn('renewed', OTHER)).id).to.equal(id);
    });

    it('that is set anew is not overwritten by a login under way that hashes the old one again', async () => {
      const { id } = await test.person('rehashed');
      const older = createPasswordHasher({ peppers: new Map([[1, PEPPER]]), cost: 4 });
      const { hash, pepperVersion } = await older.hash(PASSWORD);
      const stored = () => test.database.system('account_passwords').where('account_id', id);
      await stored().update({ hash, pepper_version: pepperVersion });
      await logIn('rehashed');
      expect((await stored().first()).pepper_version).to.equal(2);
      await stored().update({ hash, pepper_version: pepperVersion });
      test.work.meanwhile = () => reset('rehashed', OTHER);
      const proven = await logIn('rehashed');
      expect(await codeOf(logIn('rehashed', PASSWORD))).to.equal('credentials-invalid');
      expect((await logIn('rehashed', OTHER)).id).to.equal(id);
      // And nobody is logged in by it.
      expect(await codeOf(test.sessions.open(proven, DEVICE))).to.equal('login-outdated');
    });

    it('is nothing that a reset within half an hour is not', async () => {
      await test.person('slow_1');
      test.accounts.requestPasswordReset('slow_1@example.com');
      await test.accounts.settled();
      const code = test.codeFor('slow_1@example.com');
      test.clock.nowMs += 30 * 60_000;
      expect(await codeOf(test.accounts.resetPassword({ code, password: OTHER }))).to.equal('code-invalid');
    });
  });
});
