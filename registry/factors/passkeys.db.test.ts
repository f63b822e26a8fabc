import { expect } from 'chai';
import { refusalOf } from '../test-registry.ts';
import { testAuthenticator } from './test-authenticator.ts';
import { CLIENT, PLACE, type TestFactors, testFactors } from './test-factors.ts';

const authenticator = () => testAuthenticator({ domain: PLACE.domain, origin: PLACE.origins[0]! });

describe('passkeys', () => {
  let test: TestFactors;
  before(async () => {
    test = await testFactors();
  });
  after(() => test.database.close());
  const codeOf = async (work: Promise<unknown>) => (await refusalOf(work)).code;

  const withPasskey = async (person?: Awaited<ReturnType<TestFactors['person']>>) => {
    const owner = person ?? (await test.person());
    const key = authenticator();
    const { challenge } = await test.factors.startPasskey(owner);
    const { status, recoveryCodes } = await test.factors.addPasskey(owner, {
      challenge,
      label: 'laptop',
      passkey: key.create(challenge),
    });
    return { key, person: await test.again(owner), status, recoveryCodes };
  };

  it('are registered with a session that is fresh, and bring recovery codes', async () => {
    const person = await test.person();
    const { passkeyOptions, challenge } = await test.factors.startPasskey(person);
    expect(passkeyOptions).to.deep.include({
      challenge,
      rp: { name: 'Gatehouse', id: PLACE.domain },
      attestation: 'none',
    });
    const other = await test.session(person);
    const { status, recoveryCodes, person: confirmed } = await withPasskey(person);
    expect(status.passkeys.map(({ label, lastUsedAt }) => [label, lastUsedAt])).to.deep.equal([['laptop', null]]);
    expect(recoveryCodes).to.have.length(10);
    expect(confirmed.factorAtMs).to.equal(test.clock.nowMs);
    expect(await test.isOpen(other)).to.equal(false);
  });

  it('log in by themselves where they have verified their user', async () => {
    const { key, person } = await withPasskey();
    const logIn = async (wishes = {}) => {
      const { challenge, passkeyOptions } = await test.factors.startPasskeyLogin();
      expect(passkeyOptions).to.include({ userVerification: 'required', rpId: PLACE.domain });
      return test.factors.logInByPasskey({ challenge, passkey: key.get(challenge, wishes) }, CLIENT);
    };
    expect(await logIn()).to.deep.equal(await test.proven(person));
    expect(await codeOf(logIn({ verified: false }))).to.equal('factor-invalid');
    await test.database.knex('accounts').where('id', person.account.id).update({ state: 'deactivated' });
    expect(await codeOf(logIn())).to.equal('factor-invalid');
  });

  it('are a second factor after the password, and to step up', async () => {
    const { key, person } = await withPasskey();
    const login = (await test.factors.challengeFor(await test.proven(person), CLIENT))!;
    expect(login.methods).to.deep.equal(['passkey', 'recovery-code']);
    const proof = { passkey: key.get(login.challenge, { verified: false }) };
    const answer = { challenge: login.challenge, proof };
    expect(await test.factors.answerChallenge(answer, CLIENT)).to.deep.equal(await test.proven(person));
    test.clock.nowMs += 3_600_000;
    const { challenge } = await test.factors.startStepUp(person);
    const stepUp = () => test.factors.stepUp(person, { challenge, proof: { passkey: key.get(challenge) } }, CLIENT);
    expect(await stepUp()).to.equal(test.clock.nowMs);
    expect(await codeOf(stepUp())).to.equal('challenge-invalid');
    const without = test.factors.stepUp(person, { proof: { passkey: key.get('x') } }, CLIENT);
    expect(await codeOf(without)).to.equal('challenge-invalid');
  });

  it('of another page, another domain, another purpose or another challenge are refused', async () => {
    const { key, person } = await withPasskey();
    const lies = [
      { origin: 'https://evil.example' },
      { origin: 'http://gate.example' },
      { origin: 'https://gate.example.evil.example' },
      { domain: 'evil.example' },
      { type: 'webauthn.create' },
    ];
    for (const lie of lies) {
      const registration = await test.factors.startPasskey(person);
      const created = authenticator().create(registration.challenge, 'type' in lie ? { type: 'webauthn.get' } : lie);
      const add = test.factors.addPasskey(person, { ...registration, label: 'x', passkey: created });
      expect(await codeOf(add), `registration ${JSON.stringify(lie)}`).to.equal('factor-invalid');
      const { challenge } = await test.factors.startPasskeyLogin();
      const logIn = test.factors.logInByPasskey(
        { challenge, passkey: key.get(challenge, lie) },
        { ...CLIENT, address: JSON.stringify(lie) },
      );
      expect(await codeOf(logIn), `login ${JSON.stringify(lie)}`).to.equal('factor-invalid');
      // Forgives what was tried, for the next lie.
      await test.database.knex('login_throttles').delete();
    }
    const [one, two] = [await test.factors.startPasskeyLogin(), await test.factors.startPasskeyLogin()];
    const swapped = { challenge: one.challenge, passkey: key.get(two.challenge) };
    expect(await codeOf(test.factors.logInByPasskey(swapped, CLIENT))).to.equal('factor-invalid');
  });

  it('cannot be replayed, nor used by a key that nobody registered', async () => {
    const { key } = await withPasskey();
    const { challenge } = await test.factors.startPasskeyLogin();
    const passkey = key.get(challenge);
    const outcomes = await Promise.allSettled(
      [0, 1, 2].map(() => test.factors.logInByPasskey({ challenge, passkey }, CLIENT)),
    );
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).to.have.length(1);
    expect(await codeOf(test.factors.logInByPasskey({ challenge, passkey }, CLIENT))).to.equal('challenge-invalid');
    const next = await test.factors.startPasskeyLogin();
    const stranger = authenticator().get(next.challenge);
    const work = test.factors.logInByPasskey({ challenge: next.challenge, passkey: stranger }, CLIENT);
    expect(await codeOf(work)).to.equal('factor-invalid');
    const again = await test.factors.startPasskeyLogin();
    const forged = { ...authenticator().get(again.challenge), id: passkey.id, rawId: passkey.rawId };
    expect(await codeOf(test.factors.logInByPasskey({ challenge: again.challenge, passkey: forged }, CLIENT))).to.equal(
      'factor-invalid',
    );
  });

  it('whose counter goes back are refused, and somebody hears of it', async () => {
    const { key, person } = await withPasskey();
    const logIn = async (counter: number) => {
      const { challenge } = await test.factors.startPasskeyLogin();
      return test.factors.logInByPasskey({ challenge, passkey: key.get(challenge, { counter }) }, CLIENT);
    };
    await logIn(9);
    for (const counter of [9, 8, 0]) expect(await codeOf(logIn(counter))).to.equal('factor-invalid');
    const heard = test.events.filter(
      ({ kind, accountId }) => kind === 'passkey-copied' && accountId === person.account.id,
    );
    expect(heard).to.have.length(3);
    await logIn(10);
  });

  it('that do not count are good as often as they sign', async () => {
    const person = await test.person();
    const key = authenticator();
    const { challenge } = await test.factors.startPasskey(person);
    await test.factors.addPasskey(person, { challenge, label: 'x', passkey: key.create(challenge, { counter: 0 }) });
    for (let at = 0; at < 2; at += 1) {
      const login = await test.factors.startPasskeyLogin();
      const passkey = key.get(login.challenge, { counter: 0 });
      expect(await test.factors.logInByPasskey({ challenge: login.challenge, passkey }, CLIENT)).to.deep.equal(
        await test.proven(person),
      );
    }
  });

  it('belong to one account, and answer no challenge of another', async () => {
    const ada = await withPasskey();
    const bob = await withPasskey();
    const { challenge } = await test.factors.startPasskey(bob.person);
    const taken = { challenge, label: 'x', passkey: ada.key.create(challenge) };
    expect(await codeOf(test.factors.addPasskey(bob.person, taken))).to.equal('passkey-taken');
    const login = (await test.factors.challengeFor(await test.proven(bob.person), CLIENT))!;
    const proof = { passkey: ada.key.get(login.challenge) };
    expect(await codeOf(test.factors.answerChallenge({ challenge: login.challenge, proof }, CLIENT))).to.equal(
      'factor-invalid',
    );
    const id = (await test.factors.status(ada.person.account.id)).passkeys[0]!.id;
    expect(await codeOf(test.factors.removePasskey(bob.person, id))).to.equal('factor-unknown');
    const mine = await test.factors.startPasskey(ada.person);
    const stolen = { challenge: mine.challenge, label: 'x', passkey: authenticator().create(mine.challenge) };
    expect(await codeOf(test.factors.addPasskey(bob.person, stolen))).to.equal('challenge-invalid');
  });

  it('stay where they are the last way in, also when two are taken away at once', async () => {
    const { person } = await withPasskey(await test.person({ password: false }));
    const { status } = await withPasskey(person);
    const [one, two] = status.passkeys.map(({ id }) => id) as [string, string];
    const outcomes = await Promise.allSettled([one, two].map((id) => test.factors.removePasskey(person, id)));
    expect(outcomes.filter(({ status: each }) => each === 'fulfilled')).to.have.length(1);
    const [left] = (await test.factors.status(person.account.id)).passkeys;
    expect(await codeOf(test.factors.removePasskey(person, left!.id))).to.equal('last-way-in');
    expect(await codeOf(test.factors.reset({ via: 'system' }, person.account.id))).to.equal('last-way-in');
  });

  it('are ten at most', async () => {
    const { person, key } = await withPasskey();
    const [row] = await test.database.knex('passkeys').where('account_id', person.account.id);
    for (let at = 1; at < 10; at += 1) {
      const id = row.id.replace(/.$/, String(at % 10)).replace(/^.{8}/, `0000000${at}`);
      await test.database
        .knex('passkeys')
        .insert({ ...row, id, credential_id: Buffer.concat([key.credentialId, Buffer.from([at])]) });
    }
    expect(await codeOf(test.factors.startPasskey(person))).to.equal('passkeys-full');
  });
});
