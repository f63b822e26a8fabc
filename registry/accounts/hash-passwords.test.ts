import { createHmac } from 'node:crypto';
import bcrypt from 'bcrypt';
import { expect } from 'chai';
import { RegistryRefusal } from '../errors.ts';
import { BCRYPT_COST, createPasswordHasher } from './hash-passwords.ts';

const [OLD, NEW] = [Buffer.alloc(32, 1), Buffer.alloc(32, 2)];
const hasher = (cost = 4, peppers = new Map([[1, OLD]])) => createPasswordHasher({ peppers, cost });

describe('createPasswordHasher', () => {
  it('hashes at cost 12 unless a test says otherwise: bcrypt of base64 of hmac-sha384, with the pepper', async () => {
    const { hash } = await createPasswordHasher({ peppers: new Map([[1, OLD]]) }).hash('Zwölf');
    expect(BCRYPT_COST).to.be.at.least(12);
    expect(hash).to.match(/^\$2b\$12\$/);
    const peppered = createHmac('sha384', OLD).update('Zwölf').digest('base64');
    expect(await bcrypt.compare(peppered, hash)).to.equal(true);
  });

  it('looks at every character, at those after the 72nd byte and after a zero byte too', async () => {
    const { hash, matches } = hasher();
    for (const [password, other] of [
      [`${'a'.repeat(72)}b`, `${'a'.repeat(72)}c`],
      ['🐎'.repeat(72), `${'🐎'.repeat(71)}🐴`],
      ['ab\0cd', 'ab\0ce'],
      ['', ' '],
    ] as const) {
      const stored = await hash(password);
      expect(await matches(password, stored)).to.equal(true);
      expect(await matches(other, stored)).to.equal(false);
    }
  });

  it('takes a letter for the same however it was composed', async () => {
    const { hash, matches } = hasher();
    expect(await matches('Cafe\u0301', await hash('Caf\u00e9'))).to.equal(true);
  });

  it('does the same work where there is nothing to compare with, and says no', async () => {
    let runs = 0;
    const { hash, matches } = createPasswordHasher({
      peppers: new Map([[1, OLD]]),
      cost: 4,
      onWork: () => void runs++,
    });
    const stored = await hash('x');
    runs = 0;
    expect(await matches('y', stored)).to.equal(false);
    expect(await matches('y', null)).to.equal(false);
    expect(runs).to.equal(2);
  });

  it('checks with the pepper that a hash was made with, and makes new ones with the newest', async () => {
    const stored = await hasher().hash('x');
    const both = hasher(
      4,
      new Map([
        [1, OLD],
        [2, NEW],
      ]),
    );
    expect(await both.matches('x', stored)).to.equal(true);
    expect(both.isOld(stored)).to.equal(true);
    const renewed = await both.hash('x');
    expect(renewed.pepperVersion).to.equal(2);
    expect(both.isOld(renewed)).to.equal(false);
    expect(hasher(5).isOld(stored)).to.equal(true);
    const other = await hasher(4, new Map([[1, NEW]])).matches('x', stored);
    expect(other).to.equal(false);
  });

  it('lets only so many wait, and refuses the others at once', async () => {
    const { hash } = hasher();
    const outcomes = await Promise.allSettled(Array.from({ length: 100 }, () => hash('x')));
    const refused = outcomes.filter((outcome) => outcome.status === 'rejected');
    expect(refused).to.have.length(100 - 2 - 64);
    for (const { reason } of refused) expect((reason as RegistryRefusal).code).to.equal('login-busy');
    expect(refused[0]!.reason).to.be.instanceOf(RegistryRefusal);
    await hash('x');
  });
});
