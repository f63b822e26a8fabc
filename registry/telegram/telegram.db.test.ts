import { expect } from 'chai';
import { type TestFactors, testFactors } from '../factors/test-factors.ts';
import { refusalOf } from '../test-registry.ts';
import { BOT_ID, initDataOf, telegramKeys } from './test-init-data.ts';

describe('people from Telegram', () => {
  let test: TestFactors;
  let people = 1_000;
  before(async () => {
    test = await testFactors();
  });
  after(() => test.database.close());
  beforeEach(() => {
    people += 1;
  });
  const codeOf = async (work: Promise<unknown>) => (await refusalOf(work)).code;
  let opened = 0;
  /** Init data of the Mini App, opened anew. */
  const open = (id = people, more = {}) => {
    opened += 1;
    return initDataOf({ id, atMs: test.clock.nowMs, query_id: `AAH${opened}`, ...more });
  };
  const logIn = (initData = open()) => test.telegram.logIn({ initData, address: '192.0.2.1' });

  it('get an account without a password at first, and the same one ever after', async () => {
    const first = await logIn();
    expect(first.isNew).to.equal(true);
    expect(await logIn()).to.deep.equal({ account: first.account, isNew: false });
    const passwords = await test.database.knex('account_passwords').where('account_id', first.account.id);
    expect(passwords).to.deep.equal([]);
    expect((await logIn(open(people + 500_000))).account.id).not.to.equal(first.account.id);
  });

  it('get one account where they come twice at once', async () => {
    // The first round opens the connections that let the second one be at once.
    await Promise.all([1, 2, 3, 4].map((each) => logIn(open(people + each * 100_000))));
    const logins = await Promise.all([logIn(), logIn(), logIn(), logIn()]);
    expect(new Set(logins.map(({ account }) => account.id))).to.have.length(1);
    expect(logins.filter(({ isNew }) => isNew)).to.have.length(1);
  });

  it('are let in once by the same init data, however it is written', async () => {
    const initData = open();
    const outcomes = await Promise.allSettled([logIn(initData), logIn(initData.split('&').reverse().join('&'))]);
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).to.have.length(1);
    expect(await codeOf(logIn(initData))).to.equal('telegram-data-used');
    const person = await test.person();
    expect(await codeOf(test.telegram.link(person, { initData }))).to.equal('telegram-data-used');
    // Also after a sweep, for as long as it is fresh.
    test.clock.nowMs += 299_000;
    await test.telegram.sweep();
    expect(await codeOf(logIn(initData))).to.equal('telegram-data-used');
    test.clock.nowMs += 60_000;
    await test.telegram.sweep();
    expect(
      await test.database.knex('telegram_init_data').where('expires_at', '<', new Date(test.clock.nowMs)),
    ).to.have.length(0);
    expect(await codeOf(logIn(initData))).to.equal('telegram-data-stale');
  });

  it('are not let in by what is forged, stale or from the future', async () => {
    expect(await codeOf(logIn(open().replace('hash=', 'hash=0')))).to.equal('telegram-data-invalid');
    expect(await codeOf(logIn(initDataOf({ id: people, atMs: test.clock.nowMs }, { botToken: '1:other' })))).to.equal(
      'telegram-data-invalid',
    );
    expect(await codeOf(logIn(initDataOf({ id: people, atMs: test.clock.nowMs - 300_000 })))).to.equal(
      'telegram-data-stale',
    );
    expect(await codeOf(logIn(initDataOf({ id: people, atMs: test.clock.nowMs + 60_000 })))).to.equal(
      'telegram-data-stale',
    );
  });

  it('find no door where the host has no bot', async () => {
    const { telegram, database } = await testFactors({ proof: null });
    expect(await codeOf(telegram.logIn({ initData: open(), address: '192.0.2.1' }))).to.equal('telegram-unavailable');
    await database.close();
  });

  it('are proven by the public key of Telegram where the host knows only the number of its bot', async () => {
    const { privateKey, publicKeyHex } = telegramKeys();
    const proof = { form: 'ed25519' as const, botId: BOT_ID, publicKeyHex };
    const { telegram, database, clock } = await testFactors({ proof });
    const atMs = clock.nowMs;
    const logInBy = (key: typeof privateKey) =>
      telegram.logIn({ initData: initDataOf({ id: people, atMs }, { key }), address: '192.0.2.1' });
    expect((await logInBy(privateKey)).isNew).to.equal(true);
    expect(await codeOf(logInBy(telegramKeys().privateKey))).to.equal('telegram-data-invalid');
    await database.close();
  });

  it('stay out where their account may not log in', async () => {
    const { account } = await logIn();
    await test.database.knex('accounts').where('id', account.id).update({ state: 'deactivated' });
    expect(await codeOf(logIn())).to.equal('telegram-data-invalid');
  });

  it('stay out where their link is removed while they come', async () => {
    const person = await test.person();
    await test.telegram.link(person, { initData: open() });
    const codes: string[] = [];
    let login: Promise<unknown> = Promise.resolve();
    await test.database.knex.transaction(async (transaction) => {
      await transaction('telegram_identities').where('account_id', person.account.id).delete();
      login = codeOf(logIn()).then((code) => codes.push(code));
      await test.database.untilLocked();
    });
    await login;
    expect(codes).to.deep.equal(['telegram-data-invalid']);
  });

  it('can be linked to an account of before, by who has just confirmed who they are', async () => {
    const person = await test.person();
    const other = await test.session(person);
    await test.telegram.link(person, { initData: open() });
    expect((await logIn()).account).to.deep.equal(await test.proven(person));
    expect([await test.isOpen(person), await test.isOpen(other)]).to.deep.equal([true, false]);
    // Again is no fault.
    expect(await test.telegram.link(person, { initData: open() })).to.deep.equal(
      await test.telegram.status(person.account.id),
    );
    test.clock.nowMs += 600_000;
    expect(await codeOf(test.telegram.link(person, { initData: open() }))).to.equal('confirmation-needed');
  });

  it('are linked to one account, and it to one of them', async () => {
    const [ada, bob] = [await test.person(), await test.person()];
    await test.telegram.link(ada, { initData: open() });
    expect(await codeOf(test.telegram.link(bob, { initData: open() }))).to.equal('telegram-taken');
    expect(await codeOf(test.telegram.link(ada, { initData: open(people + 700_000) }))).to.equal('telegram-taken');
    await test.telegram.unlink(ada);
    expect(await codeOf(test.telegram.unlink(ada))).to.equal('telegram-unlinked');
    await test.telegram.link(bob, { initData: open() });
    expect((await logIn()).account).to.deep.equal(await test.proven(bob));
  });

  it('keep their link where it is the last way in', async () => {
    const { account } = await logIn();
    const person = await test.session({ account, sessionId: '', factorAtMs: null });
    expect(await codeOf(test.telegram.unlink(person))).to.equal('last-way-in');
    expect(await test.telegram.status(account.id)).not.to.equal(null);
  });
});
