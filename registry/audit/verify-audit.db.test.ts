import { createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { expect } from 'chai';
import type { Knex } from 'knex';
import { v7 } from 'uuid';
import { type TestDatabase, testDatabase } from '../../migrations/test-database.ts';
import { keyIdOf, signKeyLink } from '../../plugins-sdk/contract/index.ts';
import { FIRST_HASH, linkHash } from '../rules/audit-entry.ts';
import { createAuditKeeper } from './audit-keeper-store.ts';
import type { AuditHead } from './audit-reader-store.ts';
import { createAuditIn } from './audit-store.ts';

/** Attacks by somebody who has the password of the tables' owner, and therefore every right in the database. */
describe('verifyAudit', () => {
  let database: TestDatabase;
  let head: AuditHead;
  const { privateKey: signingKey } = generateKeyPairSync('ed25519');
  const audit = async (count: number) => {
    const auditIn = createAuditIn({ nowMs: Date.now, newId: v7, origin: () => null });
    for (let each = 0; each < count; each += 1) {
      await auditIn(database.knex)({
        action: 'token.issue',
        actor: { via: 'system', part: 'test' },
        organisationId: null,
        subject: { kind: 'token', id: `t${each}` },
      });
    }
  };
  const keeper = () => createAuditKeeper({ database: database.knex, signingKey, nowMs: Date.now });

  /** As the owner, with every trigger out of the way. */
  const asThief = (work: (owner: Knex) => Promise<unknown>) =>
    database.asOwner(async (owner) => {
      for (const table of ['audit_entries', 'audit_links', 'audit_heads']) {
        await owner.raw('alter table ?? disable trigger user', [table]);
      }
      await work(owner);
    });
  const faults = async (keptHead: AuditHead | null = null) =>
    (await keeper().verify(keptHead)).faults.map(({ kind, sequence }) => `${kind} ${sequence}`);
  const idOf = async (owner: Knex, sequence: number): Promise<string> =>
    (await owner('audit_links').where({ sequence }).first()).entry_id;
  const editContent = (owner: Knex, id: string) =>
    owner.raw(`update audit_entries set content = replace(content, '"done"', '"refused"') where id = ?`, [id]);

  // Six entries under one head, two after it, under another.
  beforeEach(async () => {
    database = await testDatabase();
    await audit(6);
    await keeper().signHead();
    await audit(2);
    head = (await keeper().signHead())!;
  });
  afterEach(() => database.close());

  it('signs with a key as long as it is good, and takes its successor for as good', async () => {
    await audit(1);
    expect((await keeper().signHead())?.keyId).to.equal(keyIdOf(createPublicKey(signingKey as never)));
    const next = generateKeyPairSync('ed25519').privateKey;
    const now = new Date(Date.now() + 1_000).toISOString();
    const link = signKeyLink(signingKey, next, { at: new Date().toISOString(), retiresAt: now });
    const ids = [signingKey, next].map((key) => keyIdOf(createPublicKey(key as never)));
    await database
      .knex('registry_key_links')
      .insert({ from_key_id: ids[0], to_key_id: ids[1], link: JSON.stringify(link) });
    await audit(1);
    const later = (key: KeyObject) =>
      createAuditKeeper({ database: database.knex, signingKey: key, nowMs: () => Date.now() + 2_000 });
    expect(await later(signingKey).signHead(), 'retired').to.equal(null);
    expect((await later(next).signHead())?.keyId).to.equal(ids[1]);
    for (const key of [signingKey, next]) expect((await later(key).verify(null)).faults).to.deep.equal([]);
  });

  it('finds nothing where nothing was touched, and says how many entries no head has signed yet', async () => {
    await audit(3);
    expect(await keeper().verify(head)).to.deep.equal({ entries: 11, heads: 2, unsigned: 3, faults: [] });
    expect((await keeper().signHead())?.sequence).to.equal(11n);
    expect(await keeper().signHead()).to.equal(null);
  });

  it('names an entry that was edited', async () => {
    await asThief(async (owner) => editContent(owner, await idOf(owner, 3)));
    expect(await faults()).to.deep.equal(['edited 3']);
  });

  it('names an entry whose columns for searching were edited', async () => {
    await asThief(async (owner) => {
      await owner('audit_entries')
        .where('id', await idOf(owner, 2))
        .update({ at: '2001-01-01' });
      await owner.raw('alter table audit_entries alter column action drop expression');
      await owner('audit_entries')
        .where('id', await idOf(owner, 5))
        .update({ action: 'nothing.here' });
    });
    expect(await faults()).to.deep.equal(['edited 2', 'edited 5']);
  });

  it('names an entry that was removed, with and without its link', async () => {
    await asThief(async (owner) => {
      const [second, fourth] = [await idOf(owner, 2), await idOf(owner, 4)];
      await owner('audit_links').whereIn('sequence', [4, 5]).del();
      await owner('audit_entries').where('id', fourth).del();
      await owner.raw('alter table audit_links drop constraint audit_links_entry_id_fkey');
      await owner('audit_entries').where('id', second).del();
    });
    const found = await faults();
    expect(found.slice(0, 2)).to.deep.equal(['removed 2', 'removed 4']);
    // The entry of link 5 lost its link, and is found for that.
    expect(found.slice(2)).to.deep.equal(['inserted 8']);
  });

  it('names entries that changed places', async () => {
    await asThief(async (owner) => {
      const [third, fourth] = [await idOf(owner, 3), await idOf(owner, 4)];
      await owner.raw('alter table audit_links drop constraint audit_links_entry_id_key');
      await owner('audit_links').where('sequence', 3).update({ entry_id: fourth });
      await owner('audit_links').where('sequence', 4).update({ entry_id: third });
    });
    expect(await faults()).to.deep.equal(['edited 3', 'edited 4']);
  });

  it('names an entry that was put in past the chain', async () => {
    await asThief(async (owner) => {
      const { content } = await owner('audit_entries').first();
      const id = v7();
      const forged = JSON.stringify({ ...JSON.parse(content), id });
      await owner('audit_entries').insert({ id, at: new Date(), content: forged });
    });
    expect(await faults()).to.deep.equal(['inserted 8']);
  });

  it('names the range within which a chain was rewritten with all its hashes', async () => {
    await asThief(async (owner) => {
      await editContent(owner, await idOf(owner, 7));
      await rehash(owner);
    });
    expect(await faults()).to.deep.equal(['head-mismatch 8']);
    const { faults: found } = await keeper().verify(null);
    expect(found[0]?.message).to.include('between 7 and 8');
  });

  it('names a head that somebody else signed', async () => {
    await asThief(async (owner) => {
      await editContent(owner, await idOf(owner, 7));
      await rehash(owner);
      await owner('audit_heads').where('sequence', 8).del();
      const { privateKey } = generateKeyPairSync('ed25519');
      await createAuditKeeper({ database: owner, signingKey: privateKey, nowMs: Date.now }).signHead();
    });
    expect(await faults()).to.deep.equal(['head-forged 8']);
  });

  it('names a tail that was removed, by the last signed head', async () => {
    await asThief((owner) => removeTail(owner, 5, false));
    expect(await faults()).to.deep.equal(['tail-removed 6']);
  });

  it('names a tail that was removed together with its heads, by a head that was kept elsewhere', async () => {
    await asThief((owner) => removeTail(owner, 6, true));
    expect(await faults(), 'the database alone cannot tell').to.deep.equal([]);
    expect(await faults(head)).to.deep.equal(['tail-removed 7']);
    // Grown again with something else: long enough, but not what was signed.
    await asThief((owner) => owner.raw('alter table audit_entries enable trigger user'));
    await audit(2);
    expect(await faults(head)).to.deep.equal(['head-mismatch 8']);
  });

  async function rehash(owner: Knex) {
    let before: Buffer = FIRST_HASH;
    for (const { sequence, entry_id } of await owner('audit_links').orderBy('sequence')) {
      const { content } = await owner('audit_entries').where('id', entry_id).first();
      before = linkHash(before, BigInt(sequence), content);
      await owner('audit_links').where({ sequence }).update({ hash: before });
    }
    await owner('audit_chain').update({ hash: before });
  }

  async function removeTail(owner: Knex, last: number, withHeads: boolean) {
    const gone = await owner('audit_links').where('sequence', '>', last).pluck('entry_id');
    await owner('audit_links').where('sequence', '>', last).del();
    await owner('audit_entries').whereIn('id', gone).del();
    const { hash } = await owner('audit_links').where('sequence', last).first();
    await owner('audit_chain').update({ sequence: last, hash });
    if (withHeads) await owner('audit_heads').where('sequence', '>', last).del();
  }
});
