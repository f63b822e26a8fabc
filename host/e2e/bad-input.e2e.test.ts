import { generateKeyPairSync } from 'node:crypto';
import { expect } from 'chai';
import { v7 as uuidv7 } from 'uuid';
import { createApiClient } from '../../plugins-sdk/cli/api-client.ts';
import { packPlugin } from '../../plugins-sdk/cli/commands/pack.ts';
import { signPlugin } from '../../plugins-sdk/cli/commands/publish.ts';
import type { ServerRefusal } from '../../plugins-sdk/cli/errors.ts';
import { writeArchive } from '../../plugins-sdk/cli/write-archive.ts';
import type { Installation } from '../installations/contract.ts';
import { describeHostileAddresses } from './hostile-addresses.suite.ts';
import { callerRoutes, codeOf, startTestPlatform, type TestPlatform } from './test-platform.ts';

const SOURCE = `
import { definePlugin } from '@gatehouse/plugin-sdk';
export default definePlugin({
  routes: {
    'POST /echo': async (request) => new Response(await request.arrayBuffer(), {
      headers: { 'content-type': request.headers.get('content-type') ?? 'application/octet-stream' },
    }),
    'POST /json': async (request) => ({ got: await request.json() }),
    'GET /version': (_request, ctx) => ctx.installation.version,
  },
});
`;
const MANIFEST = callerRoutes('POST /echo', 'POST /json', 'GET /version');

const refusal = async (call: Promise<unknown>): Promise<ServerRefusal> => {
  try {
    await call;
  } catch (error) {
    return error as ServerRefusal;
  }
  throw new Error('was not refused');
};

describe('bad input', () => {
  let platform: TestPlatform;
  let installed: Installation;
  before(async () => {
    platform = await startTestPlatform({ GATEHOUSE_CORDONS: '1' });
    installed = await platform.install({ source: SOURCE, manifest: MANIFEST });
  });
  after(() => platform.close());

  const packed = async (manifest = {}) =>
    packPlugin(await platform.writePlugin({ source: SOURCE, manifest: { ...MANIFEST, ...manifest } }));

  describe('publishing', () => {
    it('reports all faults of a manifest at once, with JSON pointers', async () => {
      const { manifest } = await packed();
      const broken = { ...manifest, version: 'one', routes: [{ method: 'GETS', path: 'x', access: 'all' }] };
      const archive = await writeArchive({ 'gatehouse.json': JSON.stringify(broken), 'bundle.js': '1' });
      const envelope = signPlugin({ manifest, digest: '0'.repeat(64) }, platform.signingKey);
      const { code, facts } = await refusal(platform.as.publisher.publishRelease(archive, envelope));
      expect(code).to.equal('release-manifest-invalid');
      const pointers = (facts.faults as { pointer: string }[]).map(({ pointer }) => pointer);
      expect(pointers).to.include.members(['/version', '/routes/0/method', '/routes/0/path', '/routes/0/access']);
    });

    it('refuses a release whose signature is missing, made by an unknown key, or for other bytes', async () => {
      const plugin = await packed();
      const right = signPlugin(plugin, platform.signingKey);
      const strange = signPlugin(plugin, generateKeyPairSync('ed25519').privateKey);
      const other = signPlugin(await packed(), platform.signingKey);
      for (const envelope of [{ ...right, signatures: [] }, strange, other]) {
        const { code } = await refusal(platform.as.publisher.publishRelease(plugin.archive, envelope));
        expect(['release-signature-invalid', 'body-invalid']).to.include(code);
      }
    });

    it('refuses a part of an upload that is no byte at all', async () => {
      const upload = { id: uuidv7(), bytes: 3, sha256: '0'.repeat(64) };
      await platform.as.publisher.beginUpload(upload);
      const send = (content: string) =>
        fetch(`${platform.host.url}/v1/uploads/${upload.id}/parts`, {
          method: 'POST',
          headers: { authorization: `Bearer ${platform.credentials.publisher}`, 'content-type': 'application/json' },
          body: JSON.stringify({ start: 0, content }),
        });
      for (const content of ['', '=', 'A', 'A=']) {
        const response = await send(content);
        expect([response.status, ((await response.json()) as { code: string }).code], content).to.deep.equal([
          422,
          'body-invalid',
        ]);
      }
      expect((await send('AAAA')).status).to.equal(200);
    });

    it('refuses an archive with any byte of its contents changed', async () => {
      const plugin = await packed();
      const envelope = signPlugin(plugin, platform.signingKey);
      for (const share of [0.3, 0.5, 0.7]) {
        const archive = Buffer.from(plugin.archive);
        archive[Math.floor(archive.length * share)]! ^= 0x01;
        const { code } = await refusal(platform.as.publisher.publishRelease(archive, envelope));
        expect(['release-signature-invalid', 'release-archive-invalid', 'release-manifest-invalid']).to.include(code);
      }
    });

    it('takes the same bytes twice as one release, and other bytes under the same version not at all', async () => {
      const name = { name: 'republished' };
      const first = await packed(name);
      const other = await packed({ ...name, title: 'Another title' });
      const envelope = signPlugin(first, platform.signingKey);
      const same = await Promise.all(
        Array.from({ length: 4 }, () => platform.as.publisher.publishRelease(first.archive, envelope)),
      );
      expect(new Set(same.map(({ id }) => id)).size).to.equal(1);
      const { code } = await refusal(
        platform.as.publisher.publishRelease(other.archive, signPlugin(other, platform.signingKey)),
      );
      expect(code).to.equal('release-version-taken');
    });

    it('lets exactly one of two different releases of one version win when they come at once', async () => {
      const rivals = await Promise.all(['A', 'B'].map((title) => packed({ name: 'contended', title })));
      const results = await Promise.allSettled(
        rivals.map((each) => platform.as.publisher.publishRelease(each.archive, signPlugin(each, platform.signingKey))),
      );
      expect(results.filter(({ status }) => status === 'fulfilled')).to.have.length(1);
      const lost = results.find((result) => result.status === 'rejected')!;
      expect(lost.reason.code).to.equal('release-version-taken');
    });

    it('refuses to publish under the name of another publisher', async () => {
      const plugin = await packed({ publisher: 'somebody-else' });
      const { code } = await refusal(
        platform.as.publisher.publishRelease(plugin.archive, signPlugin(plugin, platform.signingKey)),
      );
      expect(code).to.equal('publisher-foreign');
    });
  });

  describe('installing', () => {
    const command = (change = {}) => ({
      id: uuidv7(),
      plugin: installed.plugin,
      slug: `s${uuidv7().slice(-12)}`,
      grants: [],
      ...change,
    });

    it('refuses an unknown capability, one the plugin does not declare, and a release that is not published', async () => {
      const { install } = platform.as.operator;
      expect((await refusal(install(command({ grants: ['teleport'] })))).code).to.equal('body-invalid');
      expect((await refusal(install(command({ grants: ['kv'] })))).code).to.equal('capability-undeclared');
      const waiting = await platform.publish(await platform.writePlugin({ source: SOURCE, manifest: MANIFEST }));
      const { code } = await refusal(install(command({ plugin: waiting.plugin, version: waiting.version })));
      expect(['release-unknown', 'release-not-installable']).to.include(code);
    });

    it("refuses a configuration that fails the plugin's schema or its own check, naming every field", async () => {
      const source = `
        import { definePlugin } from '@gatehouse/plugin-sdk';
        export default definePlugin<{ shop: string }>()({
          configure: ({ shop }) => shop === 'closed' ? { ok: false, faults: [{ pointer: '/shop', message: 'is closed' }] } : { ok: true },
        });`;
      const config = {
        type: 'object',
        required: ['shop'],
        properties: { shop: { type: 'string' }, size: { type: 'integer' } },
        additionalProperties: false,
      };
      const capabilities = [{ name: 'config' as const, reason: 'Needs to know the shop.' }];
      const plugin = { source, manifest: { config, capabilities } };
      await platform.install(plugin, { config: { shop: 'open' } });
      const bySchema = await refusal(platform.install(plugin, { config: { size: 'big' } }));
      expect(bySchema.code).to.equal('config-invalid');
      expect(bySchema.facts.faults).to.have.length(2);
      const byPlugin = await refusal(platform.install(plugin, { config: { shop: 'closed' } }));
      expect(byPlugin.facts.faults).to.deep.equal([{ pointer: '/shop', message: 'is closed' }]);
    });

    it('makes one installation of many requests with the same id, and one winner of many with the same slug', async () => {
      const same = command();
      const answers = await Promise.all(Array.from({ length: 5 }, () => platform.as.operator.install(same)));
      expect(new Set(answers.map(({ id }) => id)).size).to.equal(1);
      const results = await Promise.allSettled(
        Array.from({ length: 5 }, () => platform.as.operator.install(command({ slug: 'contended' }))),
      );
      expect(results.filter(({ status }) => status === 'fulfilled')).to.have.length(1);
      const taken = await refusal(platform.as.operator.install({ ...same, slug: 'other' }));
      expect(taken.code).to.equal('installation-id-taken');
    });
  });

  describeHostileAddresses(() => platform);

  describe('calling', () => {
    it('passes JSON, text and binary through, byte for byte', async () => {
      const bodies: [type: string, body: Buffer][] = [
        ['application/json', Buffer.from('{"é":[1,"\\u0000"]}')],
        ['text/plain; charset=utf-8', Buffer.from('grün \u{1F600}')],
        ['application/octet-stream', Buffer.from(Array.from({ length: 1024 }, (_, at) => at % 256))],
        ['image/png', Buffer.from([0x89, 0x50, 0xff, 0xfe])],
      ];
      for (const [type, body] of bodies) {
        const answer = await platform.call(installed, '/echo', {
          method: 'POST',
          body: new Uint8Array(body),
          headers: { 'content-type': type },
        });
        expect(answer.headers.get('content-type'), type).to.equal(type);
        expect(Buffer.from(await answer.arrayBuffer()).equals(body), type).to.equal(true);
      }
    });

    it('refuses a body over the limit, announced or not', async () => {
      const announced = await platform.call(installed, '/echo', { method: 'POST', body: 'x'.repeat(1_100_000) });
      expect(await codeOf(announced)).to.equal('body-too-large');
      const stream = new Blob(['x'.repeat(1_100_000)]).stream();
      const chunked = await platform.call(installed, '/echo', {
        method: 'POST',
        body: stream,
        duplex: 'half',
      } as never);
      expect(await codeOf(chunked)).to.equal('body-too-large');
    });

    it('leaves JSON that is too deep, or no UTF-8, to the plugin as a fault of its own, not of the host', async () => {
      const deep = await platform.call(installed, '/json', { method: 'POST', body: '['.repeat(200_000) });
      expect(deep.status).to.be.oneOf([200, 502]);
      const broken = await platform.call(installed, '/json', { method: 'POST', body: new Uint8Array([0xff, 0x7b]) });
      expect(await codeOf(broken)).to.equal('plugin-threw');
      expect((await platform.call(installed, '/version')).status).to.equal(200);
    });

    it('refuses unknown, disabled and foreign installations', async () => {
      expect(await codeOf(await platform.call({ slug: 'nowhere' }, '/version'))).to.equal('installation-unknown');
      const { secret } = await strangerToken();
      const foreign = await platform.call(installed, '/version', { token: secret });
      expect(await codeOf(foreign)).to.equal('installation-unknown');
      await platform.as.operator.updateInstallation(installed.id, { enabled: false });
      const disabled = await platform.call(installed, '/version');
      expect(await codeOf(disabled)).to.equal('installation-disabled');
      await platform.as.operator.updateInstallation(installed.id, { enabled: true });
      expect((await platform.call(installed, '/version')).status).to.equal(200);
    });

    it('refuses missing, malformed, unknown and revoked tokens', async () => {
      expect((await platform.call(installed, '/version', { token: null })).status).to.equal(401);
      for (const token of [
        'nonsense',
        platform.credentials.caller.replace(/.$/, (last) => (last === 'x' ? 'y' : 'x')),
      ]) {
        expect((await platform.call(installed, '/version', { token })).status, token).to.equal(401);
      }
      const { token, secret } = await platform.as.operator.issueToken({
        organisation: 'arcade-one',
        role: 'caller',
        label: 'short-lived',
      });
      expect((await platform.call(installed, '/version', { token: secret })).status).to.equal(200);
      await platform.as.operator.revokeToken(token.id);
      // The database tells the host of it.
      let answer: Response;
      const deadlineMs = Date.now() + 30_000;
      do {
        await new Promise((resolve) => setTimeout(resolve, 20));
        answer = await platform.call(installed, '/version', { token: secret });
      } while (answer.status === 200 && Date.now() < deadlineMs);
      expect(answer.status).to.equal(401);
      expect(await codeOf(answer)).to.equal('token-invalid');
    });

    it('serves the new release as soon as it is updated', async () => {
      const manifest = { ...MANIFEST, name: 'updated' };
      const first = await platform.install({ source: SOURCE, manifest });
      const next = await platform.publish(
        await platform.writePlugin({ source: SOURCE, manifest: { ...manifest, version: '1.1.0' } }),
      );
      await platform.as.moderator.approveRelease(next.id);
      expect(await (await platform.call(first, '/version')).json()).to.equal('1.0.0');
      await platform.as.operator.updateInstallation(first.id, { version: '1.1.0' });
      expect(await (await platform.call(first, '/version')).json()).to.equal('1.1.0');
    });
  });

  /** A caller of another operator. */
  async function strangerToken() {
    const slug = `o${uuidv7().slice(-12)}`;
    await platform.as.admin.createOrganisation({ id: uuidv7(), slug, kind: 'operator', name: 'Other arcade' });
    const issued = await platform.as.admin.issueToken({
      organisation: slug,
      role: 'operator-owner',
      label: 'stranger',
    });
    const stranger = createApiClient({ url: platform.host.url, token: issued.secret });
    expect((await stranger.listInstallations()).items).to.deep.equal([]);
    expect((await refusal(stranger.findInstallation(installed.id))).code).to.equal('installation-unknown');
    return issued;
  }
});
