import { expect } from 'chai';
import { Secret, TOTP } from 'otpauth';
import { initDataOf } from '../telegram/test-init-data.ts';
import { refusalOf } from '../test-registry.ts';
import type { FactorChallenge } from './contract.ts';
import { CLIENT, type TestFactors, testFactors } from './test-factors.ts';

const MINUTE_MS = 60_000;

describe('codes of apps', () => {
  let test: TestFactors;
  before(async () => {
    test = await testFactors();
  });
  after(() => test.database.close());
  const codeOf = async (work: Promise<unknown>) => (await refusalOf(work)).code;
  /** To a step whose codes nobody has seen. */
  const nextStep = () => {
    test.clock.nowMs += 30_000;
  };

  it('count once the app has shown one, and bring ten recovery codes', async () => {
    const person = await test.person();
    const { secret, uri, qrSvg } = await test.factors.startTotp(person, { label: 'phone' });
    expect(uri).to.include(secret).and.include(`:${person.account.username}?`);
    expect(qrSvg).to.match(/^<svg/);
    expect((await test.factors.status(person.account.id)).totp).to.equal(null);
    expect(await codeOf(test.factors.confirmTotp(person, { code: '000000' }, CLIENT))).to.equal('factor-invalid');
    const { recoveryCodes } = await test.withApp(person);
    expect(new Set(recoveryCodes)).to.have.length(10);
    const status = await test.factors.status(person.account.id);
    expect(status).to.deep.include({ recoveryCodesLeft: 10, passkeys: [] });
    expect(status.totp?.label).to.equal('phone');
  });

  it('leave neither secret nor recovery code in the database', async () => {
    const person = await test.person();
    const { secret } = await test.factors.startTotp(person, { label: 'phone' });
    const { recoveryCodes } = await test.withApp(person);
    const rows = [await test.database.knex('totp_factors'), await test.database.knex('recovery_codes')];
    const stored = JSON.stringify(rows, (_, value) =>
      value?.type === 'Buffer' ? Buffer.from(value.data).toString('latin1') : value,
    );
    for (const each of [secret, ...recoveryCodes, ...recoveryCodes.map((code) => code.replaceAll('-', ''))]) {
      expect(stored).not.to.include(each);
    }
  });

  it('confirm the session that enrolled them, and end every other one at once', async () => {
    const person = await test.person();
    const other = await test.session(person);
    const { person: confirmed } = await test.withApp(person);
    expect(confirmed.factorAtMs).to.equal(test.clock.nowMs);
    expect([await test.isOpen(person), await test.isOpen(other)]).to.deep.equal([true, false]);
  });

  it('are enrolled and taken away only by who has just shown who they are', async () => {
    const person = await test.person();
    test.clock.nowMs += 10 * MINUTE_MS;
    expect(await codeOf(test.factors.startTotp(person, { label: 'x' }))).to.equal('confirmation-needed');
    const { person: enrolled } = await test.withApp(await test.session(person));
    test.clock.nowMs += 10 * MINUTE_MS;
    for (const work of [
      () => test.factors.startTotp(enrolled, { label: 'x' }),
      () => test.factors.removeTotp(enrolled),
      () => test.factors.renewRecoveryCodes(enrolled),
      () => test.factors.startPasskey(enrolled),
      () => test.telegram.unlink(enrolled),
    ]) {
      expect(await codeOf(work())).to.equal('confirmation-needed');
    }
    // Not even a fresh login is enough where there is a factor.
    expect(await codeOf(test.factors.removeTotp(await test.session(person)))).to.equal('confirmation-needed');
    expect((await test.factors.status(person.account.id)).totp).not.to.equal(null);
  });

  it('wait ten minutes for the first one, and no longer', async () => {
    const person = await test.person();
    await test.factors.startTotp(person, { label: 'phone' });
    test.clock.nowMs += 10 * MINUTE_MS;
    expect(await codeOf(test.factors.confirmTotp(person, { code: '000000' }, CLIENT))).to.equal('factor-unknown');
  });

  it('of a new app take the place of those of the old one once it is confirmed', async () => {
    const { person, codeAt: old } = await test.withApp(await test.person());
    nextStep();
    await test.factors.startTotp(person, { label: 'new' });
    await test.factors.stepUp(person, { proof: { code: old() } }, CLIENT);
    nextStep();
    const { codeAt: fresh, recoveryCodes } = await test.withApp(await test.again(person));
    expect(recoveryCodes).to.equal(null);
    nextStep();
    expect(await codeOf(test.factors.stepUp(person, { proof: { code: old() } }, CLIENT))).to.equal('factor-invalid');
    await test.factors.stepUp(person, { proof: { code: fresh() } }, CLIENT);
  });

  it('leave nothing behind when they are taken away', async () => {
    const { person } = await test.withApp(await test.person());
    const other = await test.session(person);
    const status = await test.factors.removeTotp(person);
    expect(status).to.deep.equal({ totp: null, passkeys: [], recoveryCodesLeft: 0 });
    expect((await test.again(person)).factorAtMs).to.equal(null);
    expect(await test.isOpen(other)).to.equal(false);
    expect(await test.factors.challengeFor(await test.proven(person), CLIENT)).to.equal(null);
  });

  it('begun twice at once are those of the last secret', async () => {
    const person = await test.person();
    const { system } = test.database;
    const start = () => test.factors.startTotp(person, { label: 'phone' });
    await start();
    // Keeps both from what they replace until both wait.
    const holder = await system.transaction();
    await holder('totp_factors').where('account_id', person.account.id).forUpdate();
    const both = [start(), start()];
    const waiting = system('pg_stat_activity').whereRaw("wait_event_type = 'Lock' and datname = current_database()");
    while ((await waiting.clone().select('pid')).length < 2);
    await holder.commit();
    const outcomes: string[] = [];
    for (const { secret } of await Promise.all(both)) {
      const code = new TOTP({ secret: Secret.fromBase32(secret) }).generate({ timestamp: test.clock.nowMs });
      const confirmed = test.factors.confirmTotp(person, { code }, CLIENT).then(() => null);
      outcomes.push((await confirmed.catch((error) => error))?.code ?? 'confirmed');
    }
    expect(outcomes.filter((outcome) => outcome === 'confirmed')).to.have.length(1);
  });

  describe('to step up', () => {
    it('make the session as good as one that was confirmed just now', async () => {
      const { person, codeAt } = await test.withApp(await test.person());
      test.clock.nowMs += 60 * MINUTE_MS;
      expect(await test.factors.stepUp(person, { proof: { code: codeAt() } }, CLIENT)).to.equal(test.clock.nowMs);
      expect((await test.again(person)).factorAtMs).to.equal(test.clock.nowMs);
    });

    it('are good once: not again, not an older one, and of many at once one', async () => {
      const { person, codeAt } = await test.withApp(await test.person());
      expect(await codeOf(test.factors.stepUp(person, { proof: { code: codeAt() } }, CLIENT))).to.equal(
        'factor-invalid',
      );
      nextStep();
      const step = (code: string) => test.factors.stepUp(person, { proof: { code } }, CLIENT);
      const outcomes = await Promise.allSettled(Array.from({ length: 4 }, () => step(codeAt())));
      expect(outcomes.filter(({ status }) => status === 'fulfilled')).to.have.length(1);
      expect(await codeOf(step(codeAt(test.clock.nowMs - 30_000)))).to.equal('factor-invalid');
      // A clock that goes a little fast: the next step is good already, and this one is then over.
      test.clock.nowMs += 60 * MINUTE_MS;
      await step(codeAt(test.clock.nowMs + 30_000));
      expect(await codeOf(step(codeAt()))).to.equal('factor-invalid');
    });

    it("of somebody else's app confirm nobody", async () => {
      const { codeAt } = await test.withApp(await test.person());
      const { person } = await test.withApp(await test.person());
      nextStep();
      expect(await codeOf(test.factors.stepUp(person, { proof: { code: codeAt() } }, CLIENT))).to.equal(
        'factor-invalid',
      );
    });

    it('lock the account when they are guessed, and a right one does not help then', async () => {
      const { person, codeAt } = await test.withApp(await test.person());
      nextStep();
      const wrong = codeAt() === '000000' ? '000001' : '000000';
      const outcomes: string[] = [];
      for (let at = 0; at < 8; at += 1) {
        outcomes.push(
          await codeOf(
            test.factors.stepUp(person, { proof: { code: wrong } }, { ...CLIENT, address: `198.51.100.${at}` }),
          ),
        );
      }
      expect(outcomes[0]).to.equal('factor-invalid');
      expect(outcomes.at(-1)).to.equal('login-locked');
      expect(await codeOf(test.factors.stepUp(person, { proof: { code: codeAt() } }, CLIENT))).to.equal('login-locked');
    });
  });

  describe('to log in', () => {
    const begin = async (client = CLIENT) => {
      const app = await test.withApp(await test.person());
      nextStep();
      const challenge = (await test.factors.challengeFor(await test.proven(app.person), client))!;
      const answer = (proof: Parameters<typeof test.factors.answerChallenge>[0]['proof'], from = client) =>
        test.factors.answerChallenge({ challenge: challenge.challenge, proof }, from);
      return { ...app, challenge, answer };
    };

    it('are asked for after the password of who has them, and of nobody else', async () => {
      const { challenge, answer, codeAt, person } = await begin();
      expect(challenge.methods).to.deep.equal(['totp', 'recovery-code']);
      expect(await answer({ code: codeAt() })).to.deep.equal(await test.proven(person));
      expect(await test.factors.challengeFor(await test.proven(await test.person()), CLIENT)).to.equal(null);
    });

    it('answer a challenge once, also when two answers come at once, and use up nothing in vain', async () => {
      const { answer, codeAt, recoveryCodes, person } = await begin();
      const proofs = [{ code: codeAt() }, { recoveryCode: recoveryCodes[0]! }, { recoveryCode: recoveryCodes[1]! }];
      const outcomes = await Promise.allSettled(proofs.map((proof) => answer(proof)));
      expect(outcomes.filter(({ status }) => status === 'fulfilled')).to.have.length(1);
      const { recoveryCodesLeft } = await test.factors.status(person.account.id);
      expect(recoveryCodesLeft).to.equal(outcomes[0]!.status === 'fulfilled' ? 10 : 9);
      nextStep();
      expect(await codeOf(answer({ code: codeAt() }))).to.equal('challenge-invalid');
    });

    it('must come from the client that began, within five minutes, to a challenge that exists', async () => {
      const { answer, codeAt } = await begin();
      expect(await codeOf(answer({ code: codeAt() }, { ...CLIENT, userAgent: 'thief/1' }))).to.equal(
        'challenge-invalid',
      );
      test.clock.nowMs += 5 * MINUTE_MS;
      expect(await codeOf(answer({ code: codeAt() }))).to.equal('challenge-invalid');
      for (const challenge of ['', 'x', '\0', 'A'.repeat(43)]) {
        const work = test.factors.answerChallenge({ challenge, proof: { code: codeAt() } }, CLIENT);
        expect(await codeOf(work), challenge).to.equal('challenge-invalid');
      }
    });

    it('do not answer a challenge from before all sessions were ended', async () => {
      const { answer, codeAt, recoveryCodes, person } = await begin();
      const initData = initDataOf({ id: 77_001, atMs: test.clock.nowMs });
      await test.telegram.link(person, { initData });
      expect(await codeOf(answer({ recoveryCode: recoveryCodes[0]! }))).to.equal('challenge-invalid');
      expect(await codeOf(answer({ code: codeAt() }))).to.equal('challenge-invalid');
      expect((await test.factors.status(person.account.id)).recoveryCodesLeft).to.equal(10);
    });

    it('of another account do not answer, and neither does a challenge that was made for something else', async () => {
      const [ada, bob] = [await begin(), await begin()];
      expect(await codeOf(ada.answer({ code: bob.codeAt() }))).to.equal('factor-invalid');
      expect(await codeOf(ada.answer({ recoveryCode: bob.recoveryCodes[0]! }))).to.equal('factor-invalid');
      const { challenge } = (await test.factors.startStepUp(bob.person)) as FactorChallenge;
      const work = test.factors.answerChallenge({ challenge, proof: { code: bob.codeAt() } }, CLIENT);
      expect(await codeOf(work)).to.equal('challenge-invalid');
    });

    it('wear a challenge out after five wrong ones', async () => {
      const { answer, codeAt } = await begin();
      const wrong = codeAt() === '000000' ? '000001' : '000000';
      for (let at = 0; at < 5; at += 1) expect(await codeOf(answer({ code: wrong }))).to.equal('factor-invalid');
      expect(await codeOf(answer({ code: codeAt() }))).to.equal('challenge-invalid');
    });

    it('are of no use to an account that was deactivated meanwhile', async () => {
      const { answer, codeAt, person } = await begin();
      await test.database.knex('accounts').where('id', person.account.id).update({ state: 'deactivated' });
      expect(await codeOf(answer({ code: codeAt() }))).to.equal('challenge-invalid');
    });
  });

  describe('for recovery', () => {
    it('work once each, also when one comes twice at once, and tell their owner', async () => {
      const { person, recoveryCodes } = await test.withApp(await test.person());
      const proof = { recoveryCode: recoveryCodes[3]!.toUpperCase() };
      const use = () => test.factors.stepUp(person, { proof }, CLIENT);
      const outcomes = await Promise.allSettled([use(), use(), use()]);
      expect(outcomes.filter(({ status }) => status === 'fulfilled')).to.have.length(1);
      expect((await test.factors.status(person.account.id)).recoveryCodesLeft).to.equal(9);
      expect(
        test.events.filter(({ accountId, kind }) => accountId === person.account.id && kind === 'recovery-code-used'),
      ).to.deep.equal([{ kind: 'recovery-code-used', accountId: person.account.id, facts: { left: 9 } }]);
    });

    it('are void once there are new ones', async () => {
      const { person, recoveryCodes } = await test.withApp(await test.person());
      const renewed = await test.factors.renewRecoveryCodes(person);
      const use = (recoveryCode: string) => test.factors.stepUp(person, { proof: { recoveryCode } }, CLIENT);
      expect(await codeOf(use(recoveryCodes[0]!))).to.equal('factor-invalid');
      await use(renewed[0]!);
    });
  });

  it('are taken by the platform from who has lost everything, with every session', async () => {
    const { person } = await test.withApp(await test.person());
    await test.factors.reset({ via: 'system', part: 'test' }, person.account.id);
    expect(await test.factors.status(person.account.id)).to.deep.equal({
      totp: null,
      passkeys: [],
      recoveryCodesLeft: 0,
    });
    expect(await test.isOpen(person)).to.equal(false);
    expect(await codeOf(test.factors.reset({ via: 'system' }, 'nonsense'))).to.equal('factor-unknown');
  });

  it('leave an entry in the audit trail whenever they change, and none of their secrets', async () => {
    const { person, recoveryCodes } = await test.withApp(await test.person());
    await test.factors.stepUp(person, { proof: { recoveryCode: recoveryCodes[0]! } }, CLIENT);
    await test.factors.renewRecoveryCodes(person);
    await test.factors.removeTotp(person);
    const rows = await test.database.asOwner((owner) =>
      owner('audit_entries').where('account_id', person.account.id).orderBy('id').select('action', 'content'),
    );
    const actions = rows.map(({ action }) => action);
    expect(actions).to.deep.equal(['totp.enrol', 'session.step-up', 'recovery-codes.renew', 'totp.remove']);
    expect(JSON.stringify(rows)).not.to.include(recoveryCodes[0]!);
  });

  it('forget challenges that nobody answered', async () => {
    const { person } = await test.withApp(await test.person());
    await test.factors.challengeFor(await test.proven(person), CLIENT);
    const left = () => test.database.knex('factor_challenges').where('account_id', person.account.id);
    await test.factors.sweep();
    expect(await left()).to.have.length(1);
    test.clock.nowMs += 5 * MINUTE_MS;
    await test.factors.sweep();
    expect(await left()).to.have.length(0);
  });
});
