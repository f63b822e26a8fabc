import { expect } from 'chai';
import { v7 } from 'uuid';
import { type TestDatabase, testDatabase } from '../../migrations/test-database.ts';
import { FIRST_HASH, linkHash } from '../rules/audit-entry.ts';
import { createAuditIn } from './audit-store.ts';

describe('the audit trail', () => {
  let database: TestDatabase;
  const organisationId = v7();
  const entry = (action = 'token.issue') => ({
    action,
    actor: {
      via: 'token' as const,
      credentialId: v7(),
      role: 'admin',
      organisation: { id: organisationId },
      account: null,
    },
    organisationId,
    subject: { kind: 'token', id: v7() },
  });
  const auditIn = createAuditIn({
    nowMs: Date.now,
    newId: v7,
    origin: () => ({ requestId: 'r', address: '127.0.0.1' }),
  });

  beforeEach(async () => {
    database = await testDatabase();
  });
  afterEach(() => database.close());
  const links = () => database.knex('audit_links').orderBy('sequence');

  it('is one chain without gaps, whoever writes at once and whatever is rolled back', async () => {
    const works = Array.from({ length: 24 }, (_, index) =>
      database.knex
        .transaction(async (transaction) => {
          await auditIn(transaction)(entry());
          await transaction.raw('select pg_sleep(?)', [Math.random() / 100]);
          if (index % 3 === 0) throw new Error('undone');
          await auditIn(transaction)(entry('token.revoke'));
        })
        .catch(({ message }) => expect(message).to.equal('undone')),
    );
    await Promise.all(works);
    const chain = await links();
    expect(chain.map(({ sequence }) => Number(sequence))).to.deep.equal(Array.from({ length: 32 }, (_, at) => at + 1));
    let before: Buffer = FIRST_HASH;
    for (const { sequence, entry_id, hash } of chain) {
      const { content } = await database.knex('audit_entries').where('id', entry_id).first();
      expect(linkHash(before, BigInt(sequence), content).equals(hash)).to.equal(true);
      before = hash;
    }
  });

  it('takes no lock before the commit, so that nobody waits for the work of somebody else', async () => {
    await database.knex.transaction(async (slow) => {
      await auditIn(slow)(entry());
      await auditIn(database.knex)(entry());
      expect(await links()).to.have.length(1);
    });
    expect(await links()).to.have.length(2);
  });

  it('is never changed by the application, nor by the owner in passing', async () => {
    await auditIn(database.knex)(entry());
    const attempts = [
      `update audit_entries set content = '{}'`,
      'delete from audit_entries',
      'update audit_links set sequence = 9',
      'delete from audit_links',
      'truncate audit_entries, audit_links',
      `insert into audit_links values (2, '${v7()}', decode(repeat('00', 32), 'hex'))`,
      'update audit_chain set sequence = 0',
      'delete from audit_heads',
    ];
    for (const sql of attempts) {
      const code = await database.knex.raw(sql).then(
        () => 'accepted',
        (error) => error.code,
      );
      expect(code, sql).to.equal('42501');
    }
    for (const sql of [attempts[0]!, attempts[1]!, attempts[2]!, attempts[3]!, attempts[4]!, attempts[7]!]) {
      const code = await database
        .asOwner((owner) => owner.raw(sql))
        .then(
          () => 'accepted',
          (error) => error.code,
        );
      expect(code, sql).to.equal('23001');
    }
  });

  it('keeps columns for searching that say what the entry says, and nothing else', async () => {
    await auditIn(database.knex)(entry());
    const row = await database.knex('audit_entries').first();
    expect(row).to.include({
      action: 'token.issue',
      outcome: 'done',
      subject_kind: 'token',
      organisation_id: organisationId,
    });
    const forged = { id: v7(), at: new Date(), organisation_id: v7(), content: row.content };
    const code = await database
      .knex('audit_entries')
      .insert(forged)
      .then(
        () => 'accepted',
        (error) => error.code,
      );
    expect(code).to.equal('23514');
  });
});
