import { createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { expect } from 'chai';
import type { Knex } from 'knex';
import { v7 } from 'uuid';
import { up as createTables } from '../../migrations/0021-create-transparency.ts';
import {
  checkReleaseProof,
  isExtensionOf,
  isInLog,
  isTreeHeadOf,
  keyIdOf,
  type SignedTreeHead,
  signKeyLink,
  signTreeHead,
  statementDigest,
  trustedKeys,
} from '../../plugins-sdk/contract/index.ts';
import { createAuditIn, createRegistry } from '../index.ts';
import { rotateRegistryKey } from '../key-chain.ts';
import { canonicalJson } from '../rules/audit-entry.ts';
import { grantDigest } from '../rules/log-event.ts';
import { refusalOf, sampleRelease, type TestPublisher, type TestRegistry, testRegistry } from '../test-registry.ts';
import { createTransparency } from './compose.ts';
import type { Transparency } from './contract.ts';
import { createLogIn } from './log-event-store.ts';
import { createLogReaderStore } from './log-reader-store.ts';
import { HEAD_AGE_MS_MAX } from './sign-tree-head.ts';

const TABLES = ['transparency_entries', 'transparency_leaves', 'transparency_nodes', 'transparency_heads'];

/** A registry with its log. */
describe('the transparency log', () => {
  let test: TestRegistry;
  let log: Transparency;
  let acme: TestPublisher;
  let kept: SignedTreeHead | null;
  const open = (signingKey = test.signingKey) =>
    createTransparency({
      system: test.database.system,
      signingKey,
      nowMs: () => test.clock.nowMs,
      keptHead: async () => kept,
      keepHead: async (head) => {
        kept = head;
      },
    });
  beforeEach(async () => {
    test = await testRegistry();
    kept = null;
    log = open();
    acme = await test.publisher('acme');
  });
  afterEach(() => test.database.close());

  const logIn = () => createLogIn({ nowMs: () => test.clock.nowMs, newId: v7 });
  let keys = 0;
  /** `count` more entries, a transaction each. */
  const grow = async (count: number) => {
    for (let each = 0; each < count; each += 1) {
      keys += 1;
      const keyId = `${keys}`.padStart(64, '0');
      await logIn()(test.database.system)({ event: 'key.register', publisher: 'acme', keyId });
    }
  };
  const entries = async () => (await log.entries({})).items.map(({ entry }) => JSON.parse(entry));
  /** As the owner, with every trigger out of the way. */
  const asThief = (work: (owner: Knex) => Promise<unknown>) =>
    test.database.asOwner(async (owner) => {
      for (const table of TABLES) await owner.raw('alter table ?? disable trigger user', [table]);
      await work(owner);
    });
  const faults = async () => (await log.verify(kept)).faults.map(({ kind, index }) => `${kind} ${index}`);
  const codeOf = async (work: Promise<unknown>) => (await refusalOf(work)).code;

  const rotate = (to: KeyObject, overlapMs: number) =>
    test.database.system.transaction((transaction) =>
      rotateRegistryKey({
        transaction,
        audit: createAuditIn({ nowMs: () => test.clock.nowMs, newId: v7, origin: () => null })(transaction),
        logEvent: logIn()(transaction),
      })({ from: test.signingKey, to }, { atMs: test.clock.nowMs, retiresAtMs: test.clock.nowMs + overlapMs }),
    );

  it('is signed by a host whose clock is behind the beginning of its key, and goes on', async () => {
    await log.head();
    const next = generateKeyPairSync('ed25519').privateKey;
    const { at } = await rotate(next, 60_000);
    test.clock.nowMs -= 1_000;
    const early = await open(next).head();
    expect(early).to.include({ signedAt: at, keyId: keyIdOf(createPublicKey(next as never)) });
    test.clock.nowMs += 2_000;
    await grow(1);
    for (const key of [next, test.signingKey]) expect((await open(key).head()).size).to.equal(early.size + 1);
  });

  it('goes on after a head that was signed as its key retired', async () => {
    const next = generateKeyPairSync('ed25519').privateKey;
    await rotate(next, 1_000);
    test.clock.nowMs += 1_000;
    const { size, root } = await open(next).head();
    // As a host did whose signature took a moment.
    const late = signTreeHead({ size, root, signedAt: new Date(test.clock.nowMs + 1).toISOString() }, test.signingKey);
    await createLogReaderStore(test.database.system).addHead(late);
    kept = late;
    await grow(1);
    expect((await open(next).head()).size).to.equal(size + 1);
  });

  it('is signed anew when the key of its newest head has retired, before an auditor takes that for a theft', async () => {
    const next = generateKeyPairSync('ed25519').privateKey;
    await rotate(next, 1_000);
    const { size } = await log.head();
    test.clock.nowMs += 1_000;
    const head = await open(next).head();
    expect(head).to.include({ size, keyId: keyIdOf(createPublicKey(next as never)) });
  });

  it('goes on under another key: what was signed before stays good, and the old key signs until it retires', async () => {
    const release = await test.published(acme, { name: 'rotated' });
    const before = await log.head();
    const next = generateKeyPairSync('ed25519').privateKey;
    const link = await rotate(next, 1_000);
    expect(await rotate(generateKeyPairSync('ed25519').privateKey, 9), 'one successor').to.deep.equal(link);
    expect((await entries()).filter(({ event }) => event === 'registry-key.rotate')).to.have.length(1);
    // Both sign in the overlap, each other's heads included.
    const [mine, theirs] = [await log.head(), await open(next).head()];
    expect(theirs).to.deep.equal(mine);
    expect(mine.keyId).to.equal(before.keyId);
    await grow(1);
    const head = await open(next).head();
    expect(head.keyId).to.equal(keyIdOf(createPublicKey(next as never)));
    expect(await log.head()).to.deep.equal(head);
    test.clock.nowMs += 1_000;
    await grow(1);
    expect(await codeOf(log.head()), 'retired').to.equal('signing-key-retired');
    const newest = open(next);
    const proof = await newest.proveRelease(release.digest);
    const { publisher, name } = { publisher: 'acme', name: 'rotated' };
    const found = { publisher, name, version: release.version, digest: release.digest };
    for (const trusted of [test.signingKey, next]) {
      const keys = trustedKeys(createPublicKey(trusted as never), proof.keys);
      expect(checkReleaseProof(found, proof, keys).filter(({ passed }) => !passed)).to.deep.equal([]);
      expect((await open(trusted).verify(kept)).faults).to.deep.equal([]);
    }
    const alone = checkReleaseProof(found, proof, createPublicKey(next as never));
    expect(alone.filter(({ passed }) => !passed).map(({ step }) => step)).to.deep.equal(['countersignature']);
    const { loadBundle } = createRegistry({
      database: test.database.system,
      system: test.database.system,
      signingKey: next,
      nowMs: () => test.clock.nowMs,
      newId: v7,
    });
    await loadBundle(release.bundleDigest);
  });

  it('does not believe a link between keys that the database alone holds', async () => {
    await log.head();
    const thief = generateKeyPairSync('ed25519').privateKey;
    const at = new Date(test.clock.nowMs).toISOString();
    const link = {
      ...signKeyLink(thief, generateKeyPairSync('ed25519').privateKey, { at, retiresAt: at }),
      to: createPublicKey(test.signingKey as never).export({ type: 'spki', format: 'pem' }),
    };
    const ids = { from_key_id: '1'.repeat(64), to_key_id: '2'.repeat(64) };
    await test.database.knex('registry_key_links').insert({ ...ids, link: JSON.stringify(link) });
    await grow(1);
    await asThief((owner) => owner('transparency_heads').delete());
    expect(
      (
        await open(thief)
          .head()
          .catch((error) => error)
      ).code,
    ).to.equal('log-inconsistent');
    expect((await log.verify(kept)).faults).to.deep.equal([]);
    expect((await open(thief).verify(kept)).faults.map(({ kind }) => kind)).to.include('head-forged');
  });

  it('tells of keys, publications, approvals and rejections in their order, each as canonical JSON', async () => {
    const release = await test.published(acme, { name: 'shown' });
    const refused = await test.registry.publishRelease(
      acme.principal,
      await sampleRelease(acme, { name: 'secret-plan' }),
    );
    await test.registry.rejectRelease(test.moderator, refused.id, ['It reads mail.']);
    const told = await entries();
    const [key] = await test.registry.listKeys(acme.principal);
    const statement = { publisher: 'acme', name: 'shown', version: '1.0.0', digest: release.digest };
    const at = new Date(test.clock.nowMs).toISOString();
    expect(told.slice(0, 3)).to.deep.equal([
      { v: 1, at, event: 'key.register', publisher: 'acme', keyId: key!.keyId },
      { v: 1, at, event: 'release.publish', publisher: 'acme', keyId: key!.keyId, release: statementDigest(statement) },
      {
        v: 1,
        at,
        event: 'release.approve',
        plugin: 'acme/shown',
        version: '1.0.0',
        digest: release.digest,
        release: statementDigest(statement),
      },
    ]);
    expect(told.slice(3).map(({ event }) => event)).to.deep.equal(['release.publish', 'release.reject']);
    for (const { entry } of (await log.entries({})).items) expect(canonicalJson(JSON.parse(entry))).to.equal(entry);
  });

  it('names no release that nobody approved, and no reason why not', async () => {
    const { id } = await test.registry.publishRelease(
      acme.principal,
      await sampleRelease(acme, { name: 'secret-plan' }),
    );
    await test.registry.rejectRelease(test.moderator, id, ['It reads mail.']);
    const text = (await log.entries({})).items.map(({ entry }) => entry).join();
    expect(text).to.contain('release.reject').and.not.contain('secret-plan').and.not.contain('mail');
  });

  it('tells of a grant by a digest that its two sides can compute, and nobody else', async () => {
    const grant = { installationId: v7(), operatorId: v7(), releaseId: v7(), capabilities: ['kv', 'fetch'] };
    await logIn()(test.database.system)({ event: 'grant.change', grant });
    const [, told] = await entries();
    expect(Object.keys(told)).to.have.members(['v', 'at', 'event', 'grant']);
    expect(told.grant).to.equal(grantDigest({ ...grant, capabilities: ['fetch', 'kv'] }));
    expect(told.grant).to.not.equal(grantDigest({ ...grant, capabilities: ['kv'] }));
  });

  it('keeps nothing of a transaction that is undone', async () => {
    const undone = test.database.system.transaction(async (transaction) => {
      await logIn()(transaction)({ event: 'key.register', publisher: 'acme', keyId: 'a'.repeat(64) });
      throw new Error('undone');
    });
    expect(await undone.catch(({ message }) => message)).to.equal('undone');
    expect((await log.head()).size).to.equal(1);
  });

  it('gives every entry a place of its own when many are written at once', async () => {
    await Promise.all(Array.from({ length: 8 }, () => grow(5)));
    expect((await log.head()).size).to.equal(41);
    expect(await log.verify(kept)).to.deep.equal({ entries: 41, heads: 1, faults: [] });
  });

  it('does not dead-lock with the audit trail, in whatever order a transaction writes the two', async () => {
    const publishing = Array.from({ length: 6 }, async (_, each) => test.published(acme, { name: `plugin-${each}` }));
    await Promise.all([...publishing, grow(10)]);
    expect(await faults()).to.deep.equal([]);
  });

  it('proves every entry and every earlier size, under a head that the registry signed', async () => {
    const heads: SignedTreeHead[] = [];
    for (let round = 0; round < 11; round += 1) {
      heads.push(await log.head());
      await grow(1);
    }
    const newest = await log.head();
    expect(isTreeHeadOf(newest, createPublicKey(log.publicKey.publicKeyPem))).to.equal(true);
    for (let index = 0; index < newest.size; index += 1) {
      const { head, ...proof } = await log.inclusion({ index });
      expect(isInLog(proof, head!), `entry ${index}`).to.equal(true);
      const before = await log.inclusion({ index, size: index + 1 });
      expect(before.head).to.equal(null);
      if (heads[index]) expect(isInLog(before, heads[index]!)).to.equal(true);
    }
    for (const head of heads) {
      const { path } = await log.consistency({ from: head.size });
      expect(isExtensionOf(head, newest, path), `from ${head.size}`).to.equal(true);
    }
    const proof = await log.inclusion({ index: 4 });
    expect(isInLog({ ...proof, index: 5 }, newest), 'for the wrong leaf').to.equal(false);
    expect(isInLog({ ...proof, path: proof.path.slice(1) }, newest), 'truncated').to.equal(false);
  });

  it('refuses proofs beyond the end of the log', async () => {
    await grow(3);
    expect(await codeOf(log.inclusion({ index: 4 }))).to.equal('log-entry-unknown');
    expect(await codeOf(log.inclusion({ index: 2, size: 2 }))).to.equal('log-entry-unknown');
    expect(await codeOf(log.inclusion({ index: 0, size: 99 }))).to.equal('log-entry-unknown');
    expect(await codeOf(log.consistency({ from: 5 }))).to.equal('log-entry-unknown');
    expect(await codeOf(log.consistency({ from: 2, to: 99 }))).to.equal('log-entry-unknown');
    expect(await codeOf(log.consistency({ from: 3, to: 2 }))).to.equal('log-entry-unknown');
  });

  it('reads the entries in pages', async () => {
    await grow(6);
    const first = await log.entries({ limit: 4 });
    const rest = await log.entries({ limit: 4, cursor: first.nextCursor! });
    expect([...first.items, ...rest.items].map(({ index }) => index)).to.deep.equal([0, 1, 2, 3, 4, 5, 6]);
    expect(rest.nextCursor).to.equal(null);
    expect(await codeOf(log.entries({ cursor: 'bm9uc2Vuc2U' }))).to.equal('cursor-invalid');
  });

  it('signs one size once, and again after an hour, so that a frozen log shows', async () => {
    const first = await log.head();
    test.clock.nowMs += HEAD_AGE_MS_MAX / 2;
    expect(await log.head()).to.deep.equal(first);
    test.clock.nowMs += HEAD_AGE_MS_MAX;
    const later = await log.head();
    expect(later).to.deep.include({ size: first.size, root: first.root });
    expect(later.signedAt).to.not.equal(first.signedAt);
    expect(await log.verify(null)).to.deep.include({ heads: 2, faults: [] });
  });

  it('proves a release by the digest of its archive, once it is approved', async () => {
    const { id, digest } = await test.registry.publishRelease(acme.principal, await sampleRelease(acme, {}));
    expect(await codeOf(log.proveRelease(digest))).to.equal('release-unknown');
    expect(await codeOf(log.proveRelease('nonsense'))).to.equal('release-unknown');
    const statement = { publisher: 'acme', name: 'greeter', version: '1.0.0', digest };
    expect(await codeOf(log.requireLogged(statement))).to.equal('release-not-logged');
    await test.registry.approveRelease(test.moderator, id);
    const { approval, publisherKey, head, envelope } = await log.proveRelease(digest);
    expect(isInLog(approval, head) && isInLog(publisherKey.proof, head)).to.equal(true);
    expect(JSON.parse(publisherKey.proof.entry).keyId).to.equal(envelope.signatures[0]!.keyid);
    await log.requireLogged(statement);
    expect(await codeOf(log.requireLogged({ ...statement, version: '1.0.1' }))).to.equal('release-not-logged');
    await test.database
      .knex('releases')
      .where({ id })
      .update({ blocked: JSON.stringify({ at: 'x', reason: 'stolen key' }) });
    expect(await codeOf(log.proveRelease(digest)), 'blocked').to.equal('release-unknown');
  });

  it('verifies a release once: what was in the log stays in it', async () => {
    const { digest } = await test.published(acme);
    const statement = { publisher: 'acme', name: 'greeter', version: '1.0.0', digest };
    await log.requireLogged(statement);
    let asked = 0;
    test.database.system.on('query', () => {
      asked += 1;
    });
    await log.requireLogged(statement);
    expect(asked).to.equal(0);
  });

  describe('against somebody with every right in the database', () => {
    beforeEach(() => grow(9));
    const edit = (owner: Knex) =>
      owner.raw(`update transparency_entries set content = replace(content, 'acme', 'evil')
        where id = (select entry_id from transparency_leaves where position = 3)`);
    /** All hashes anew over what the entries say now, as the database would have computed them. */
    const rebuild = async (owner: Knex, { heads = true } = {}) => {
      const contents: string[] = await owner('transparency_leaves as l')
        .join('transparency_entries as e', 'e.id', 'l.entry_id')
        .orderBy('l.position')
        .pluck('e.content');
      if (heads) await owner('transparency_heads').delete();
      await owner('transparency_nodes').delete();
      await owner('transparency_leaves').delete();
      await owner('transparency_entries').delete();
      await owner('transparency_tree').update({ size: 0, peaks: [] });
      await owner.raw('alter table transparency_entries enable trigger user');
      for (const content of contents) await owner('transparency_entries').insert({ id: v7(), content });
    };

    it('finds an entry that was edited, and one that was taken out', async () => {
      await asThief(edit);
      expect(await faults()).to.include('edited 3');
      await asThief(async (owner) => {
        await owner('transparency_leaves').where('position', 5).delete();
      });
      expect(await faults()).to.include('removed 5');
    });

    it('finds an inner node that was edited, whose proofs are wrong, and an edge that was', async () => {
      await asThief((owner) =>
        owner('transparency_nodes')
          .where({ level: 1, position: 1 })
          .update({ hash: Buffer.alloc(32) }),
      );
      expect(await faults()).to.deep.equal(['node-edited 2']);
      const { head, ...proof } = await log.inclusion({ index: 0 });
      expect(isInLog(proof, head!)).to.equal(false);
      await asThief((owner) => owner('transparency_tree').update({ peaks: [Buffer.alloc(32), Buffer.alloc(32)] }));
      expect(await faults()).to.deep.equal(['node-edited 2', 'node-edited 10']);
    });

    it('finds a log that was rewritten with all its hashes, by the heads that were signed', async () => {
      await log.head();
      await asThief(async (owner) => {
        await edit(owner);
        await rebuild(owner, { heads: false });
      });
      expect(await faults()).to.include('head-mismatch 10');
    });

    it('finds one that was rewritten with its heads, by the head that was kept elsewhere', async () => {
      await log.head();
      await asThief(async (owner) => {
        await edit(owner);
        await rebuild(owner);
      });
      expect(await faults()).to.deep.equal(['head-mismatch 10']);
    });

    it('never signs a log that does not extend what it signed before', async () => {
      await log.head();
      await asThief(async (owner) => {
        await edit(owner);
        await rebuild(owner);
      });
      await grow(1);
      expect(await codeOf(log.head())).to.equal('log-inconsistent');
      expect(await codeOf(log.proveRelease('a'.repeat(64)))).to.equal('release-unknown');
    });

    it('finds a tail that was cut off with its heads, and does not sign the shorter log', async () => {
      await log.head();
      await asThief(async (owner) => {
        await owner('transparency_leaves').where('position', '>=', 8).delete();
        await rebuild(owner);
      });
      expect(await faults()).to.include('tail-removed 8');
      expect(await codeOf(log.head())).to.equal('log-inconsistent');
    });

    it('finds a head that another key signed, and neither shows nor extends it', async () => {
      const { privateKey } = generateKeyPairSync('ed25519');
      const forged = signTreeHead({ size: 10, root: 'a'.repeat(64), signedAt: '2031-01-01T00:00:00.000Z' }, privateKey);
      await asThief((owner) =>
        owner('transparency_heads').insert({
          size: forged.size,
          root: Buffer.from(forged.root, 'hex'),
          signed_at: forged.signedAt,
          key_id: forged.keyId,
          signature: Buffer.from(forged.signature, 'base64'),
        }),
      );
      expect(await faults()).to.deep.equal(['head-forged 10']);
      expect(await codeOf(log.head())).to.equal('log-inconsistent');
    });

    it('finds a release that was published past the log', async () => {
      const { id } = await test.registry.publishRelease(acme.principal, await sampleRelease(acme, {}));
      await test.database.asOwner(async (owner) => {
        await owner.raw('alter table releases disable trigger user');
        await owner('releases').where({ id }).update({ state: 'published', reviewed_at: new Date() });
      });
      const { faults: found } = await log.verify(kept);
      expect(found.map(({ kind, message }) => [kind, message])).to.deep.equal([
        ['unlogged', 'acme/greeter@1.0.0 is published, but its approval is not in the log.'],
      ]);
    });

    it('finds an entry that was put in past the tree', async () => {
      await asThief((owner) =>
        owner('transparency_entries').insert({ id: v7(), content: '{"event":"key.register","v":1}' }),
      );
      expect(await faults()).to.deep.equal(['inserted 10']);
    });
  });

  it('begins with what was registered and approved before there was a log', async () => {
    const { digest } = await test.published(acme, { name: 'older' });
    await test.registry.publishRelease(acme.principal, await sampleRelease(acme, { name: 'in-review' }));
    await test.database.asOwner((owner) =>
      owner.transaction(async (transaction) => {
        for (const table of [...TABLES.toReversed(), 'transparency_tree'])
          await transaction.raw('drop table ??', [table]);
        await transaction.raw('drop function append_transparency_entry(), keep_transparency()');
        await createTables(transaction);
        for (const table of TABLES) await transaction.raw('grant select, insert on ?? to gatehouse_app', [table]);
        await transaction.raw('grant select on transparency_tree to gatehouse_app');
      }),
    );
    expect((await entries()).map(({ event, plugin }) => [event, plugin])).to.deep.equal([
      ['key.register', undefined],
      ['release.approve', 'acme/older'],
    ]);
    for (const { entry } of (await log.entries({})).items) expect(canonicalJson(JSON.parse(entry))).to.equal(entry);
    await log.requireLogged({ publisher: 'acme', name: 'older', version: '1.0.0', digest });
    expect(await log.verify(kept)).to.deep.include({ entries: 2, faults: [] });
  });

  it('is never changed by the application, nor by the owner in passing', async () => {
    for (const table of [...TABLES, 'transparency_tree']) {
      const outcome = await test.database.system.raw('delete from ??', [table]).then(
        () => 'accepted',
        (error: { code: string }) => error.code,
      );
      expect(outcome, table).to.equal('42501');
    }
    for (const table of TABLES) {
      const outcome = await test.database
        .asOwner((owner) => owner.raw('delete from ??', [table]))
        .then(
          () => 'accepted',
          (error: { code: string }) => error.code,
        );
      expect(outcome, table).to.equal('23001');
    }
  });
});
