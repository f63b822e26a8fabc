import { randomBytes } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { expect } from 'chai';
import { v7 } from 'uuid';
import { ARCHIVE_FILES, sha256Hex } from '../../plugins-sdk/contract/index.ts';
import type { Principal } from '../index.ts';
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

describe('uploads', () => {
  let test: TestRegistry;
  let acme: TestPublisher;
  let rival: TestPublisher;
  before(async () => {
    test = await testRegistry();
    acme = await test.publisher('acme');
    rival = await test.publisher('rival');
  });
  after(() => test.database.close());
  const uploads = () => test.publishing.uploads;
  const announce = async (name: string) => {
    const command = await sampleRelease(acme, { name });
    const announced = { id: v7(), bytes: command.archive.length, sha256: sha256Hex(command.archive) };
    await uploads().begin(acme.principal, announced);
    const add = (start: number, end: number, content = command.archive.subarray(start, end)) =>
      uploads().addPart(acme.principal, announced.id, { start, content });
    return { ...command, ...announced, add };
  };

  it('publish what came in parts, as if it had come at once', async () => {
    const { id, bytes, add, envelope } = await announce('parts');
    expect((await add(0, 100)).received).to.equal(100);
    expect((await uploads().find(acme.principal, id)).received).to.equal(100);
    await add(100, bytes);
    const release = await uploads().publish(acme.principal, id, envelope);
    expect(release).to.include({ plugin: 'acme/parts', state: 'in-review' });
    expect((await refusalOf(uploads().find(acme.principal, id))).code).to.equal('upload-unknown');
    expect(await test.database.knex('upload_parts').where({ upload_id: id })).to.have.length(0);
  });

  it('take a part that is sent again for what it is, and refuse another one in its place', async () => {
    const { add } = await announce('replayed');
    await add(0, 100);
    expect((await add(0, 100)).received).to.equal(100);
    expect((await refusalOf(add(0, 100, randomBytes(100)))).code).to.equal('upload-conflict');
    expect((await refusalOf(add(50, 150))).code).to.equal('upload-conflict');
  });

  it('refuse gaps and more than was announced, and say where to go on', async () => {
    const { bytes, add } = await announce('gaps');
    await add(0, 100);
    const gap = await refusalOf(add(150, 200));
    expect(gap.code).to.equal('upload-part-misplaced');
    expect(gap.facts).to.include({ received: 100 });
    expect((await refusalOf(add(100, bytes, randomBytes(bytes)))).code).to.equal('upload-part-misplaced');
  });

  it('publish nothing that is cut short, or is not what was announced', async () => {
    const truncated = await announce('truncated');
    await truncated.add(0, truncated.bytes - 1);
    const publish = (each: typeof truncated) => uploads().publish(acme.principal, each.id, each.envelope);
    expect((await refusalOf(publish(truncated))).code).to.equal('upload-part-misplaced');
    const damaged = await announce('damaged');
    const archive = Buffer.from(damaged.archive);
    archive[50]! ^= 1;
    await damaged.add(0, damaged.bytes, archive);
    expect((await refusalOf(publish(damaged))).code).to.equal('upload-conflict');
  });

  it('go on where several parts for one place come at once', async () => {
    const { bytes, add } = await announce('race');
    const all = await Promise.all(Array.from({ length: 5 }, () => add(0, bytes)));
    expect(all.every(({ received }) => received === bytes)).to.equal(true);
  });

  it("are begun again by the same announcement, and are nobody else's", async () => {
    const { id, bytes, sha256, add } = await announce('again');
    await add(0, 100);
    expect((await uploads().begin(acme.principal, { id, bytes, sha256 })).received).to.equal(100);
    expect((await refusalOf(uploads().begin(acme.principal, { id, bytes: 7, sha256 }))).code).to.equal(
      'upload-conflict',
    );
    expect((await refusalOf(uploads().begin(rival.principal, { id, bytes, sha256 }))).code).to.equal('upload-conflict');
    expect((await refusalOf(uploads().find(rival.principal, id))).code).to.equal('upload-unknown');
    const operator = await test.organisation('arcade', 'operator', 'operator-owner');
    expect((await refusalOf(uploads().begin(operator, { id: v7(), bytes, sha256 }))).code).to.equal(
      'publisher-foreign',
    );
  });

  it('come with where they were built, where their publisher signed that', async () => {
    const provenance = { repository: 'https://code.example/a', commit: 'a'.repeat(40), builder: 'gate 0.1.0' };
    const publish = async (name: string, text: string) => {
      const manifest = sampleManifest({ name });
      const files = [...releaseFiles(manifest), { name: ARCHIVE_FILES.provenance, content: text }];
      const archive = gzipSync(await tarOf(files));
      return test.registry.publishRelease(acme.principal, {
        archive,
        envelope: envelopeOf(manifest, archive, acme.privateKey),
      });
    };
    const release = await publish('built', JSON.stringify(provenance));
    expect(release.provenance).to.deep.equal(provenance);
    expect((await test.registry.releaseById(release.id))!.provenance).to.deep.equal(provenance);
    for (const bad of [
      'no json',
      '{}',
      'null',
      JSON.stringify({ ...provenance, commit: 'main' }),
      JSON.stringify({ ...provenance, repository: 'javascript:alert(1)' }),
      JSON.stringify({ ...provenance, builder: 'a\u202eb' }),
      JSON.stringify({ ...provenance, more: 1 }),
      ' '.repeat(5_000),
    ]) {
      expect((await refusalOf(publish('badly-built', bad))).code, bad).to.equal('release-archive-invalid');
    }
  });

  it('let a token that is restricted to a plugin upload for that one, and touch no other upload', async () => {
    const ci: Principal = { ...acme.principal, restrictions: { plugin: 'acme/built-by-ci' } };
    const { archive, envelope } = await sampleRelease(acme, { name: 'built-by-ci' });
    const announced = { bytes: archive.length, sha256: sha256Hex(archive) };
    const begin = (plugin?: string) => uploads().begin(ci, { id: v7(), ...announced, ...(plugin && { plugin }) });
    expect((await refusalOf(begin())).code, 'unnamed').to.equal('token-restricted');
    expect((await refusalOf(begin('acme/other'))).code).to.equal('token-restricted');
    expect((await refusalOf(begin('rival/built-by-ci'))).code).to.equal('publisher-foreign');
    const { id } = await begin('acme/built-by-ci');
    await uploads().addPart(ci, id, { start: 0, content: archive });
    const other = await announce('not-from-ci');
    await other.add(0, other.bytes);
    for (const touch of [
      () => uploads().find(ci, other.id),
      () => uploads().addPart(ci, other.id, { start: 0, content: Buffer.alloc(1) }),
      () => uploads().publish(ci, other.id, other.envelope),
    ]) {
      expect((await refusalOf(touch())).code).to.equal('upload-unknown');
    }
    const swapped = await refusalOf(uploads().publish(ci, id, other.envelope));
    expect(swapped.code, 'announced for one, signed for another').to.equal('upload-conflict');
    expect((await uploads().publish(ci, id, envelope)).plugin).to.equal('acme/built-by-ci');
  });

  it('publish nothing of another plugin, though it was announced and signed for the right one', async () => {
    const ci: Principal = { ...acme.principal, restrictions: { plugin: 'acme/announced' } };
    const { archive } = await sampleRelease(acme, { name: 'inside' });
    const { envelope } = await sampleRelease(acme, { name: 'announced' });
    const announced = { id: v7(), bytes: archive.length, sha256: sha256Hex(archive), plugin: 'acme/announced' };
    await uploads().begin(ci, announced);
    await uploads().addPart(ci, announced.id, { start: 0, content: archive });
    expect((await refusalOf(uploads().publish(ci, announced.id, envelope))).code).to.equal('token-restricted');
  });

  it('expire, and are bounded', async () => {
    const { id } = await announce('expires');
    const begin = () => uploads().begin(acme.principal, { id: v7(), bytes: 9, sha256: 'a'.repeat(64) });
    const begun = await Promise.all(Array.from({ length: 30 }, () => begin().catch((error) => error.code)));
    expect(begun).to.include('uploads-too-many');
    test.clock.nowMs += 25 * 3_600_000;
    expect((await refusalOf(uploads().find(acme.principal, id))).code).to.equal('upload-unknown');
    await begin();
    expect(Number((await test.database.knex('uploads').count())[0]!.count)).to.equal(1);
  });

  it('are bounded, however many begin at once', async () => {
    const { principal } = await test.publisher('hoarder');
    const begin = () => uploads().begin(principal, { id: v7(), bytes: 9, sha256: 'a'.repeat(64) });
    const begun = await Promise.allSettled(Array.from({ length: 60 }, begin));
    expect(begun.filter(({ status }) => status === 'fulfilled')).to.have.length(20);
  });

  it('refuse the bytes of one release under the signature of another', async () => {
    const other = await sampleRelease(acme, { name: 'confused' }, 'export default 2;');
    const { id, bytes, add } = await announce('confused');
    await add(0, bytes);
    const refusal = await refusalOf(uploads().publish(acme.principal, id, other.envelope));
    expect(refusal.code).to.equal('release-signature-invalid');
    expect(refusal.message).to.contain('digest');
  });
});
