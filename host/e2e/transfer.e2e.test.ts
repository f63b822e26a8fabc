import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect } from 'chai';
import { v7 } from 'uuid';
import { createApiClient } from '../../plugins-sdk/cli/api-client.ts';
import type { Release } from '../../registry/index.ts';
import { OPERATOR_SLUG } from '../demo/people.ts';
import { callerRoutes, startTestPlatform, type TestPlatform } from './test-platform.ts';

const PLUGIN = {
  source: `import { definePlugin } from '@gatehouse/plugin-sdk';
    export default definePlugin({ routes: { 'GET /': () => ({ carried: true }) } });`,
  manifest: callerRoutes('GET /'),
};
const GATE = path.join(import.meta.dirname, '../../bin/gate.ts');

/** Two whole platforms between which only a file goes. */
describe('a bundle between two platforms', () => {
  let home: TestPlatform;
  let away: TestPlatform;
  let release: Release;
  let rootFile: string;
  before(async () => {
    home = await startTestPlatform();
    rootFile = path.join(home.folder, 'registry.pem');
    const { publicKeyPem } = await createApiClient({ url: home.host.url, token: null }).transparency();
    await writeFile(rootFile, publicKeyPem);
    // Its publisher has the name of one here as well, so it is another one for this test.
    const made = await home.as.admin.createOrganisation({ id: v7(), slug: 'north', kind: 'publisher', name: 'North' });
    release = await publishAs(made.slug, 'carried');
    away = await startTestPlatform({ GATEHOUSE_TRUST_ROOTS: rootFile });
  });
  after(async () => {
    await away?.close();
    await home?.close();
  });

  async function publishAs(publisher: string, name: string): Promise<Release> {
    const { secret } = await home.as.admin.issueToken({ organisation: publisher, role: 'publisher', label: 'test' });
    const { registerKey } = await import('../../plugins-sdk/cli/commands/keygen.ts');
    const { publishPlugin } = await import('../../plugins-sdk/cli/commands/publish.ts');
    const { generateKeyPairSync } = await import('node:crypto');
    const client = createApiClient({ url: home.host.url, token: secret });
    const { privateKey } = generateKeyPairSync('ed25519');
    await registerKey(client)(privateKey, 'test');
    const folder = await home.writePlugin({ ...PLUGIN, manifest: { ...PLUGIN.manifest, publisher, name } });
    const sent = await publishPlugin(client)({ folder, privateKey });
    return home.as.moderator.approveRelease(sent.release.id);
  }
  /** The real program; with `url` null it cannot reach anybody. */
  const gate = (at: { url: string; token: string } | null, ...args: string[]) =>
    new Promise<{ exitCode: number; out: string; err: string }>((done) => {
      const env = {
        PATH: process.env.PATH,
        HOME: home.folder,
        GATEHOUSE_URL: at?.url ?? 'http://127.0.0.1:9',
        ...(at && { GATEHOUSE_TOKEN: at.token }),
      };
      execFile(process.execPath, [GATE, ...args], { cwd: home.folder, env }, (error, out, err) =>
        done({ exitCode: error ? Number(error.code) : 0, out, err }),
      );
    });
  const homeAs = (token: string) => ({ url: home.host.url, token });
  const awayAs = (token: string) => ({ url: away.host.url, token });
  const file = () => path.join(home.folder, 'carried.gatebundle');

  it('is exported, verified without a network, imported, installed and called', async () => {
    const name = `${release.plugin}@${release.version}`;
    const made = await gate(homeAs(home.credentials.operator), 'bundle', 'export', name, '-o', file());
    expect(made.exitCode, made.err).to.equal(0);
    const seen = await gate(null, 'bundle', 'inspect', file());
    expect(seen.out).to.contain(name).and.to.contain('Nothing was verified');
    const verified = await gate(null, 'verify', file(), '--registry-key', rootFile);
    expect(verified.exitCode, verified.out + verified.err).to.equal(0);
    expect(verified.out).to.contain('approved in public');
    const trial = await gate(awayAs(away.credentials.admin), 'bundle', 'import', file(), '--dry-run', '--json');
    expect(JSON.parse(trial.out).releases[0], trial.err).to.deep.include({ outcome: 'imported', dryRun: true });
    const { items } = await away.as.operator.listReleases({ plugin: release.plugin });
    expect(items).to.deep.equal([]);
    const refused = await gate(awayAs(away.credentials.operator), 'bundle', 'import', file());
    expect(refused.err).to.contain('permission-denied');
    const imported = await gate(awayAs(away.credentials.admin), 'bundle', 'import', file(), '--trust-root', rootFile);
    expect(imported.exitCode, imported.err).to.equal(0);
    expect(imported.out).to.contain('imported');
    const again = await gate(awayAs(away.credentials.admin), 'bundle', 'import', file(), '--json');
    expect(JSON.parse(again.out).releases[0].outcome).to.equal('unchanged');
    const installed = await away.as.operator.install({
      id: v7(),
      plugin: release.plugin,
      version: release.version,
      slug: 'carried',
      grants: [],
    });
    const answer = await fetch(`${away.host.url}/run/${OPERATOR_SLUG}/${installed.slug}/`, {
      headers: { authorization: `Bearer ${away.credentials.caller}` },
    });
    expect(await answer.json()).to.deep.equal({ carried: true });
    expect((await away.as.operator.findRelease(release.plugin, release.version)).origin?.registryKeyId).to.match(
      /^[0-9a-f]{64}$/,
    );
  });

  it('is refused with a bit changed anywhere that counts, here and there', async () => {
    const bytes = await readFile(file());
    const bad = path.join(home.folder, 'bad.gatebundle');
    const text = bytes.toString('latin1');
    const place = text.indexOf('"path":["') + 9;
    bytes[place] = bytes[place] === 0x30 ? 0x31 : 0x30;
    await writeFile(bad, bytes);
    const verified = await gate(null, 'verify', bad, '--registry-key', rootFile);
    expect(verified.exitCode).to.equal(1);
    expect(verified.out).to.contain('is not proven; do not import it');
    const { exitCode, err } = await gate(awayAs(away.credentials.admin), 'bundle', 'import', bad);
    expect(exitCode).to.equal(1);
    expect(err).to.contain('import-unproven');
    const unpinned = await gate(homeAs(home.credentials.admin), 'bundle', 'import', file());
    expect(unpinned.err).to.contain('import-untrusted');
  });

  it('stops there what was taken down here, with the next bundle', async () => {
    await home.as.moderator.takeDown(release.id, { code: 'malicious-behaviour', message: 'It sends orders away.' });
    const next = path.join(home.folder, 'next.gatebundle');
    const name = `${release.plugin}@${release.version}`;
    const made = await gate(homeAs(home.credentials.operator), 'bundle', 'export', name, '-o', next);
    expect(made.out, made.err).to.contain('stopped');
    const imported = await gate(awayAs(away.credentials.admin), 'bundle', 'import', next, '--json');
    expect(JSON.parse(imported.out).releases[0], imported.err).to.deep.include({
      outcome: 'updated',
      event: 'release.takedown',
    });
    const told = (await away.as.operator.listNotifications()).items.find(({ kind }) => kind === 'release-suspended');
    expect(told, 'operators there').to.deep.include({ subject: `${name} was taken down` });
    const deadline = Date.now() + 60_000;
    const status = async () =>
      (
        await fetch(`${away.host.url}/run/${OPERATOR_SLUG}/carried/`, {
          headers: { authorization: `Bearer ${away.credentials.caller}` },
        })
      ).status;
    while ((await status()) === 200) {
      expect(Date.now()).to.be.below(deadline);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  });
});
