import { createPublicKey } from 'node:crypto';
import { expect } from 'chai';
import { v7 } from 'uuid';
import { verifyRelease } from '../../plugins-sdk/contract/index.ts';
import { refusalOf, sampleRelease, type TestPublisher, type TestRegistry, testRegistry } from '../test-registry.ts';

describe('review', () => {
  let test: TestRegistry;
  let acme: TestPublisher;
  before(async () => {
    test = await testRegistry();
    acme = await test.publisher('acme');
  });
  after(() => test.database.close());
  const inReview = async (name: string, version = '1.0.0') =>
    test.registry.publishRelease(acme.principal, await sampleRelease(acme, { name, version }));

  describe('approveRelease', () => {
    it('publishes with two signatures over the same statement', async () => {
      const { id } = await inReview('approved');
      const release = await test.registry.approveRelease(test.moderator, id);
      expect(release.state).to.equal('published');
      expect(release.reviewedAt).to.equal(new Date(test.clock.nowMs).toISOString());
      expect(release.envelope.signatures).to.have.length(2);
      const statements = [createPublicKey(acme.publicKeyPem), createPublicKey(test.signingKey as never)].map((key) =>
        verifyRelease(release.envelope, key),
      );
      expect(statements[0]).to.deep.equal(statements[1]);
      expect(statements[0]).to.deep.include({ publisher: 'acme', name: 'approved', digest: release.digest });
    });

    it('gives the published release when it is approved again, also many times at once', async () => {
      const { id } = await inReview('twice');
      const releases = await Promise.all(
        Array.from({ length: 6 }, () => test.registry.approveRelease(test.moderator, id)),
      );
      for (const release of releases) expect(release).to.deep.equal(releases[0]);
      expect(releases[0]!.envelope.signatures).to.have.length(2);
    });

    it('refuses a rejected release', async () => {
      const { id } = await inReview('rejected-first');
      await test.registry.rejectRelease(test.moderator, id, ['no']);
      const refusal = await refusalOf(test.registry.approveRelease(test.moderator, id));
      expect(refusal.code).to.equal('release-state-invalid');
      expect(refusal.facts).to.deep.equal({ state: 'rejected' });
    });

    it('refuses a release whose key has been revoked since', async () => {
      const publisher = await test.publisher('forgetful');
      const command = await sampleRelease(publisher, {});
      const { id } = await test.registry.publishRelease(publisher.principal, command);
      await test.database
        .knex('publisher_keys')
        .where('organisation_id', publisher.principal.organisation.id)
        .update({ revoked_at: new Date() });
      const refusal = await refusalOf(test.registry.approveRelease(test.moderator, id));
      expect(refusal.code).to.equal('release-signature-invalid');
      expect((await test.registry.releaseById(id))!.state).to.equal('in-review');
    });
  });

  describe('rejectRelease', () => {
    it('keeps the reasons that were given first', async () => {
      const { id } = await inReview('rejected');
      const release = await test.registry.rejectRelease(test.moderator, id, ['It reads mail.', 'Odd\0 bytes.']);
      expect(release).to.deep.include({ state: 'rejected', reasons: ['It reads mail.', 'Odd bytes.'] });
      expect(await test.registry.rejectRelease(test.moderator, id, ['other'])).to.deep.equal(release);
    });

    it('refuses a published release', async () => {
      const { id } = await test.published(acme, { name: 'published-first' });
      const refusal = await refusalOf(test.registry.rejectRelease(test.moderator, id, ['late']));
      expect(refusal.code).to.equal('release-state-invalid');
    });
  });

  it('refuses a release that does not exist, and any release to those who may not review', async () => {
    const { id } = await inReview('private');
    for (const unknown of [v7(), 'nonsense']) {
      expect((await refusalOf(test.registry.approveRelease(test.moderator, unknown))).code).to.equal('release-unknown');
      expect((await refusalOf(test.registry.rejectRelease(test.moderator, unknown, []))).code).to.equal(
        'release-unknown',
      );
    }
    for (const actor of [acme.principal, test.admin]) {
      expect((await refusalOf(test.registry.approveRelease(actor, id))).code).to.equal('release-unknown');
      expect((await refusalOf(test.registry.rejectRelease(actor, id, []))).code).to.equal('release-unknown');
    }
  });

  it('lets either approval or rejection win when both come at once', async () => {
    const { id } = await inReview('contested');
    const outcomes = await Promise.allSettled([
      test.registry.approveRelease(test.moderator, id),
      test.registry.rejectRelease(test.moderator, id, ['no']),
    ]);
    expect(outcomes.map(({ status }) => status).sort()).to.deep.equal(['fulfilled', 'rejected']);
  });

  it('takes the newest version by SemVer as the newest, whatever the order of approvals', async () => {
    for (const version of ['1.10.0', '2.0.0-beta.1', '1.9.0', '1.2.0']) {
      await test.published(acme, { name: 'versions', version });
    }
    const newest = await test.registry.findRelease(acme.principal, { plugin: 'acme/versions' });
    expect(newest.version).to.equal('1.10.0');
  });

  it('takes a pre-release as the newest only while there is nothing else', async () => {
    await test.published(acme, { name: 'early', version: '2.0.0-beta.2' });
    const find = async () => (await test.registry.findRelease(acme.principal, { plugin: 'acme/early' })).version;
    expect(await find()).to.equal('2.0.0-beta.2');
    await test.published(acme, { name: 'early', version: '1.0.0' });
    expect(await find()).to.equal('1.0.0');
  });
});
