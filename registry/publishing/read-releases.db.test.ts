import { generateKeyPairSync } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { expect } from 'chai';
import { v7 } from 'uuid';
import { ARCHIVE_FILES, sha256Hex, signRelease } from '../../plugins-sdk/contract/index.ts';
import type { Principal, Release } from '../index.ts';
import {
  envelopeOf,
  refusalOf,
  releaseFiles,
  sampleManifest,
  sampleRelease,
  type TestPublisher,
  type TestRegistry,
  tarOf,
  testRegistry,
} from '../test-registry.ts';

describe('reading releases', () => {
  let test: TestRegistry;
  let acme: TestPublisher;
  let rival: TestPublisher;
  let operator: Principal;
  let published: Release;
  let inReview: Release;
  before(async () => {
    test = await testRegistry();
    acme = await test.publisher('acme');
    rival = await test.publisher('rival');
    operator = await test.organisation('arcade', 'operator', 'operator-owner');
    published = await test.published(acme);
    const next = await sampleRelease(acme, { version: '1.1.0' }, 'export default 11;');
    inReview = await test.registry.publishRelease(acme.principal, next);
  });
  after(() => test.database.close());

  describe('findRelease', () => {
    it('shows a published release to everybody, and is the newest one without a version', async () => {
      for (const actor of [acme.principal, rival.principal, operator, test.moderator]) {
        expect(await test.registry.findRelease(actor, { plugin: 'acme/greeter', version: '1.0.0' })).to.deep.equal(
          published,
        );
        expect(await test.registry.findRelease(actor, { plugin: 'acme/greeter' })).to.deep.equal(published);
      }
    });

    it('shows a release in review to its publisher and to the platform only', async () => {
      const name = { plugin: 'acme/greeter', version: '1.1.0' };
      for (const actor of [acme.principal, test.moderator, test.admin]) {
        expect(await test.registry.findRelease(actor, name)).to.deep.equal(inReview);
      }
      for (const actor of [rival.principal, operator]) {
        expect((await refusalOf(test.registry.findRelease(actor, name))).code).to.equal('release-unknown');
      }
    });

    it('refuses names and versions that cannot exist', async () => {
      for (const plugin of ['acme/none', 'none/greeter', 'acme', 'acme/greeter/x', '', '\0/\0']) {
        expect((await refusalOf(test.registry.findRelease(operator, { plugin }))).code).to.equal('release-unknown');
      }
      for (const version of ['9.9.9', 'latest', '\0']) {
        const name = { plugin: 'acme/greeter', version };
        expect((await refusalOf(test.registry.findRelease(operator, name))).code).to.equal('release-unknown');
      }
    });
  });

  it('finds a release by its id in any state, and nothing by what is no id', async () => {
    expect(await test.registry.releaseById(inReview.id)).to.deep.equal(inReview);
    for (const id of [v7(), 'x', '\0']) expect(await test.registry.releaseById(id)).to.equal(null);
  });

  describe('listReleases', () => {
    const idsFor = async (actor: Principal, filter = {}) =>
      (await test.registry.listReleases(actor, filter)).items.map(({ id }) => id);

    it('lists newest first what the actor may see', async () => {
      expect(await idsFor(acme.principal)).to.deep.equal([inReview.id, published.id]);
      expect(await idsFor(test.moderator)).to.deep.equal([inReview.id, published.id]);
      expect(await idsFor(operator)).to.deep.equal([published.id]);
      expect(await idsFor(rival.principal)).to.deep.equal([published.id]);
    });

    it('filters by state and plugin', async () => {
      expect(await idsFor(test.moderator, { state: 'in-review' })).to.deep.equal([inReview.id]);
      expect(await idsFor(operator, { state: 'in-review' })).to.deep.equal([]);
      expect(await idsFor(operator, { plugin: 'acme/greeter' })).to.deep.equal([published.id]);
      for (const plugin of ['acme/none', 'nonsense', '\0'])
        expect(await idsFor(operator, { plugin })).to.deep.equal([]);
    });

    it('gives every release exactly once over its pages', async () => {
      const first = await test.registry.listReleases(acme.principal, { limit: 1 });
      const second = await test.registry.listReleases(acme.principal, { limit: 1, cursor: first.nextCursor! });
      expect([...first.items, ...second.items]).to.deep.equal([inReview, published]);
      expect(second.nextCursor).to.equal(null);
    });

    it('refuses a cursor that it never gave', async () => {
      for (const cursor of ['', 'x', '%00', Buffer.from("' or 1=1").toString('base64url')]) {
        const refusal = await refusalOf(test.registry.listReleases(operator, { cursor }));
        expect(refusal.code).to.equal('cursor-invalid');
      }
    });
  });

  describe('loadBundle', () => {
    const load = (release: Release) => test.registry.loadBundle(release.bundleDigest);
    const refusal = async (release: Release) => (await refusalOf(load(release))).code;
    /** As somebody who has taken over the database would. */
    const asIntruder = (sql: string, bindings: (string | Buffer)[]) =>
      test.database.asOwner(async (owner) => {
        await owner.raw('alter table releases disable trigger user');
        await owner.raw('alter table release_artifacts disable trigger user');
        await owner.raw(sql, bindings);
        await owner.raw('alter table releases enable trigger user');
        await owner.raw('alter table release_artifacts enable trigger user');
      });

    it('gives the code of a published release', async () => {
      expect(await load(published)).to.deep.equal({ code: 'export default 1;', sourceMap: null });
    });

    it('gives the source map of the release that is asked for, whoever else published the same code', async () => {
      const code = 'export default "twin";';
      const load = async (name: string, sourceMap: string) => {
        const manifest = sampleManifest({ publisher: 'acme', name });
        const files = [...releaseFiles(manifest, code), { name: ARCHIVE_FILES.sourceMap, content: sourceMap }];
        const archive = gzipSync(await tarOf(files));
        const envelope = envelopeOf(manifest, archive, acme.privateKey);
        const { id } = await test.registry.publishRelease(acme.principal, { archive, envelope });
        return test.registry.approveRelease(test.moderator, id);
      };
      const first = await load('twin-one', '{"mine":1}');
      const second = await load('twin-two', '{"mine":2}');
      expect(first.bundleDigest).to.equal(second.bundleDigest);
      for (const [release, sourceMap] of [
        [first, '{"mine":1}'],
        [second, '{"mine":2}'],
      ] as const) {
        const loaded = await test.registry.loadBundle(release.bundleDigest, release.id);
        expect(loaded).to.deep.equal({ code, sourceMap });
      }
      const none = await refusalOf(test.registry.loadBundle(first.bundleDigest, published.id));
      expect(none.code).to.equal('release-unknown');
    });

    it('refuses a bundle of a release that is not published, or of none', async () => {
      expect(await refusal(inReview)).to.equal('release-unknown');
      for (const digest of [sha256Hex('none'), 'x', '\0']) {
        expect((await refusalOf(test.registry.loadBundle(digest))).code).to.equal('release-unknown');
      }
    });

    it('refuses code that was exchanged in the database', async () => {
      const evil = gzipSync(await tarOf(releaseFiles(sampleManifest({ name: 'swapped' }), 'evil()')));
      const command = await sampleRelease(acme, { name: 'swapped' }, 'export default "swapped";');
      const { id } = await test.registry.publishRelease(acme.principal, command);
      const release = await test.registry.approveRelease(test.moderator, id);
      expect((await load(release)).code).to.equal('export default "swapped";');
      await asIntruder('update release_artifacts set archive = ? where release_id = ?', [evil, id]);
      expect(await refusal(release)).to.equal('release-signature-invalid');
      await asIntruder('update releases set bundle_digest = ? where id = ?', [sha256Hex('evil()'), id]);
      expect((await refusalOf(test.registry.loadBundle(sha256Hex('evil()')))).code).to.equal(
        'release-signature-invalid',
      );
    });

    it('refuses a release that only one of the two has signed', async () => {
      const command = await sampleRelease(acme, { name: 'half' }, 'export default "half";');
      const { id } = await test.registry.publishRelease(acme.principal, command);
      const release = await test.registry.approveRelease(test.moderator, id);
      const [publisher, registry] = release.envelope.signatures;
      for (const signatures of [[publisher], [registry], [publisher, publisher]]) {
        const envelope = JSON.stringify({ ...release.envelope, signatures });
        await asIntruder('update releases set envelope = ? where id = ?', [envelope, id]);
        expect(await refusal(release)).to.equal('release-signature-invalid');
      }
      const forged = signRelease(
        { publisher: 'acme', name: 'half', version: '1.0.0', digest: release.digest },
        generateKeyPairSync('ed25519').privateKey,
        command.envelope,
      );
      await asIntruder('update releases set envelope = ? where id = ?', [JSON.stringify(forged), id]);
      expect(await refusal(release)).to.equal('release-signature-invalid');
    });

    it("refuses everything that a revoked key signed, and finds another publisher's release with the same code", async () => {
      const code = 'export default "shared";';
      const publish = async (publisher: TestPublisher) => {
        const command = await sampleRelease(publisher, { name: 'shared' }, code);
        const { id } = await test.registry.publishRelease(publisher.principal, command);
        return test.registry.approveRelease(test.moderator, id);
      };
      const other = await test.publisher('other');
      const release = await publish(acme);
      await publish(other);
      const revoke = ({ principal }: TestPublisher) =>
        test.database
          .knex('publisher_keys')
          .where('organisation_id', principal.organisation.id)
          .update({ revoked_at: new Date(), compromised_since: new Date(0) });
      await revoke(other);
      expect((await load(release)).code).to.equal(code);
      await revoke(acme);
      expect(await refusal(release)).to.equal('release-signature-invalid');
    });

    it('still gives the code of a release that was yanked', async () => {
      const code = 'export default "yanked";';
      const { id } = await test.registry.publishRelease(rival.principal, await sampleRelease(rival, {}, code));
      const release = await test.registry.approveRelease(test.moderator, id);
      await test.database.knex('releases').where({ id }).update({ state: 'yanked' });
      expect((await load(release)).code).to.equal(code);
    });
  });
});
