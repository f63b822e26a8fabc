import { expect } from 'chai';
import { v7 } from 'uuid';
import { type TestDatabase, testDatabase } from '../../migrations/test-database.ts';
import { checkPeppers } from './check-peppers.ts';
import { createEnvelope, type Envelope, type WrappingKeys } from './envelope.ts';
import { createPersonVault } from './person-vault.ts';

const key = (fill: number) => Buffer.alloc(32, fill);

describe('checkPeppers', () => {
  let database: TestDatabase;
  const envelope = createEnvelope(new Map([[1, key(1)]]));
  const first = key(2);
  before(async () => {
    database = await testDatabase();
  });
  after(() => database.close());

  async function person(username: string, pepper: Buffer): Promise<string> {
    const vault = createPersonVault(envelope, pepper);
    const [id, emailId] = [v7(), v7()];
    const account = { id, personKey: vault.newKey(id) };
    await database.system('accounts').insert({ id, username, state: 'active', person_key: account.personKey });
    const sealed = vault.seal(account, { table: 'account_emails', row: emailId, column: 'sealed' }, 'Ada@Example.com');
    const email = { id: emailId, account_id: id, sealed, address_index: vault.index('ada@example.com') };
    await database.system('account_emails').insert(email);
    return id;
  }
  const check = (peppers: WrappingKeys, sealedBy: Envelope = envelope) =>
    checkPeppers({ database: database.system, envelope: sealedBy, peppers })();

  it('finds nothing where nobody has registered', async () => {
    expect(await check(new Map([[1, key(9)]]))).to.deep.equal([]);
  });

  it('finds a pepper that is another than that of the first people, whatever a host with another has stored since', async () => {
    await person('ada_1', first);
    await person('eve_1', key(9));
    expect(await check(new Map([[1, first]]))).to.deep.equal([]);
    const faults = ['Version 1 is another than the one that addresses of mail are found by.'];
    expect(await check(new Map([[1, key(9)]]))).to.deep.equal(faults);
  });

  it('says nothing of peppers where the key of the seals is wrong', async () => {
    expect(await check(new Map([[1, key(9)]]), createEnvelope(new Map([[1, key(8)]])))).to.deep.equal([]);
  });

  it('finds a version that passwords are hashed with and that is lacking', async () => {
    const account_id = await person('bob_1', first);
    const hash = { account_id, hash: '$'.repeat(60), pepper_version: 2, changed_at: new Date() };
    await database.system('account_passwords').insert(hash);
    const both: WrappingKeys = new Map([
      [1, first],
      [2, key(3)],
    ]);
    expect(await check(both)).to.deep.equal([]);
    expect(await check(new Map([[1, first]]))).to.deep.equal([
      'Version 2, which passwords are hashed with, is lacking.',
    ]);
  });
});
