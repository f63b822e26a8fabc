import { randomBytes } from 'node:crypto';
import { expect } from 'chai';
import type { Release, Upload } from '../../registry/index.ts';
import type { DsseEnvelope } from '../contract/index.ts';
import { ServerRefusal } from './errors.ts';
import { httpsOf } from './read-provenance.ts';
import { PART_BYTES, progressBar, type UploadApi, uploadArchive } from './upload-archive.ts';
import { writeSbom } from './write-sbom.ts';

const envelope = {} as DsseEnvelope;
const refusal = (code: string) => new ServerRefusal({ code, status: 409, message: code, requestId: null, facts: {} });

/** Keeps what it is told, and breaks where it is told to. */
function fakeHost(breaks: (step: string, count: number) => Error | null = () => null) {
  const uploads = new Map<string, { upload: Upload; parts: Buffer[] }>();
  const published: Buffer[] = [];
  const counts: Record<string, number> = {};
  const step = (name: string) => {
    counts[name] = (counts[name] ?? 0) + 1;
    const error = breaks(name, counts[name]);
    if (error) throw error;
  };
  const of = (id: string) => {
    const found = uploads.get(id);
    if (!found) throw refusal('upload-unknown');
    return found;
  };
  const publish = (archive: Uint8Array) => {
    published.push(Buffer.from(archive));
    return { id: 'r' } as Release;
  };
  const api: UploadApi = {
    publishRelease: async (archive) => publish(archive),
    beginUpload: async (announced) => {
      step('begin');
      const fresh = { upload: { plugin: null, ...announced, received: 0, expiresAt: '' }, parts: [] };
      uploads.set(announced.id, uploads.get(announced.id) ?? fresh);
      return of(announced.id).upload;
    },
    addPart: async (id, start, content) => {
      step('part');
      const { upload, parts } = of(id);
      expect(start).to.equal(upload.received);
      parts.push(Buffer.from(content));
      upload.received += content.length;
      return upload;
    },
    publishUpload: async (id) => {
      step('publish');
      const release = publish(Buffer.concat(of(id).parts));
      uploads.delete(id);
      return release;
    },
  };
  return { api, published, counts };
}

describe('uploadArchive', () => {
  const archive = randomBytes(PART_BYTES * 3 + 10);

  it('sends small archives at once and large ones in parts, and says how far it is', async () => {
    const host = fakeHost();
    await uploadArchive(host.api, { archive: archive.subarray(0, 10), envelope });
    expect(host.counts).to.deep.equal({});
    const seen: number[] = [];
    await uploadArchive(host.api, { archive, envelope }, (sent) => seen.push(sent));
    expect(host.published[1]!.equals(archive)).to.equal(true);
    expect(seen).to.deep.equal([0, 1, 2, 3].map((parts) => parts * PART_BYTES).concat(archive.length));
  });

  it('goes on where an earlier run broke off', async () => {
    const host = fakeHost((step, count) => (step === 'part' && count === 3 ? new Error('cut') : null));
    const first = await uploadArchive(host.api, { archive, envelope }).catch((error) => error.message);
    expect(first).to.equal('cut');
    const seen: number[] = [];
    await uploadArchive(host.api, { archive, envelope }, (sent) => seen.push(sent));
    expect(seen[0]).to.equal(2 * PART_BYTES);
    expect(host.published[0]!.equals(archive)).to.equal(true);
  });

  it('begins anew once where the upload is gone, and passes on what the host refuses', async () => {
    const gone = fakeHost((step, count) => (step === 'publish' && count === 1 ? refusal('upload-unknown') : null));
    await uploadArchive(gone.api, { archive, envelope });
    expect(gone.counts.begin).to.equal(2);
    const always = fakeHost((step) => (step === 'publish' ? refusal('upload-conflict') : null));
    const failed = await uploadArchive(always.api, { archive, envelope }).catch((error) => error.code);
    expect(failed).to.equal('upload-conflict');
    const taken = fakeHost((step) => (step === 'publish' ? refusal('release-version-taken') : null));
    expect(await uploadArchive(taken.api, { archive, envelope }).catch((error) => error.code)).to.equal(
      'release-version-taken',
    );
    expect(taken.counts.begin).to.equal(1);
  });

  it('draws a bar', () => {
    expect(progressBar(0, 10)).to.equal('[------------------------]   0 %');
    expect(progressBar(5, 10)).to.equal('[############------------]  50 %');
    expect(progressBar(10, 10)).to.equal('[########################] 100 %');
  });
});

describe('writeSbom', () => {
  it('names every package with its package URL and licence, and the same ones give the same text', () => {
    const manifest = { publisher: 'acme', name: 'shop', version: '1.2.3' } as never;
    const packages = [
      { name: '@scope/part', version: '2.0.0+build', license: 'MIT OR Apache-2.0' },
      { name: 'plain', version: '1.0.0', license: null },
    ];
    const sbom = JSON.parse(writeSbom(manifest, packages));
    expect(sbom.metadata.component).to.include({ group: 'acme', name: 'shop', version: '1.2.3' });
    expect(sbom.components[0]).to.deep.include({
      group: '@scope',
      name: 'part',
      purl: 'pkg:npm/%40scope/part@2.0.0%2Bbuild',
      licenses: [{ expression: 'MIT OR Apache-2.0' }],
    });
    expect(sbom.components[1]).to.not.have.property('licenses');
    expect(writeSbom(manifest, packages)).to.equal(writeSbom(manifest, packages));
  });
});

describe('httpsOf', () => {
  it('gives an address without credentials, and refuses what nobody else could read', () => {
    expect(httpsOf('git@code.example:acme/shop.git')).to.equal('https://code.example/acme/shop');
    expect(httpsOf('https://me:secret@code.example/acme/shop.git')).to.equal('https://code.example/acme/shop');
    for (const bad of ['', '/srv/git/shop', 'http://code.example/x']) {
      expect(() => httpsOf(bad), bad).to.throw('--provenance');
    }
  });
});
