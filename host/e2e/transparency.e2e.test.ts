import { createPublicKey } from 'node:crypto';
import { copyFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect } from 'chai';
import { v7 } from 'uuid';
import { createApiClient } from '../../plugins-sdk/cli/api-client.ts';
import { auditOnce } from '../../plugins-sdk/cli/commands/audit-log.ts';
import { packPlugin } from '../../plugins-sdk/cli/commands/pack.ts';
import type { ServerRefusal } from '../../plugins-sdk/cli/errors.ts';
import { verifyArchive } from '../../plugins-sdk/cli/transparency/verify-archive.ts';
import { keyIdOf } from '../../plugins-sdk/contract/index.ts';
import { grantDigest } from '../../registry/rules/log-event.ts';
import { checkAudit } from '../audit/check-audit.ts';
import { OPERATOR_SLUG } from '../demo/people.ts';
import { rotateRegistryKeyFile } from '../roles/rotate-registry-key.ts';
import { checkTransparency } from '../transparency/check-transparency.ts';
import { callerRoutes, KV, startTestPlatform, type TestPlatform } from './test-platform.ts';

const PLUGIN = {
  source: `import { definePlugin } from '@gatehouse/plugin-sdk';
    export default definePlugin({ routes: { 'GET /': () => ({ ok: true }) } });`,
  manifest: { ...callerRoutes('GET /'), capabilities: [KV] },
};

/** A release from `gate publish` to the installation, and an auditor who looks on. */
describe('the transparency log of a platform', () => {
  let platform: TestPlatform;
  let folder: string;
  before(async () => {
    platform = await startTestPlatform();
    folder = await mkdtemp(path.join(platform.folder, 'auditor-'));
  });
  after(() => platform.close());
  const anonymous = () => createApiClient({ url: platform.host.url, token: null });
  const audit = (options: { statePath?: string; compare?: string } = {}) =>
    auditOnce(
      anonymous(),
      { statePath: path.join(folder, 'seen.json'), whole: true, interval: 1, maxAge: 24, ...options },
      Date.now(),
    );
  const events = async () =>
    (await anonymous().logEntries(0)).items.map(({ entry }) => JSON.parse(entry) as Record<string, unknown>);
  const kinds = ({ findings }: { findings: { kind: string }[] }) => findings.map(({ kind }) => kind);

  it('tells of a release from its publication to its installation, and of grants as digests', async () => {
    const { id, operator } = await platform.install(PLUGIN);
    const { releaseId } = await platform.database.knex('installations').where({ id }).first('release_id as releaseId');
    await platform.as.operator.revoke(id, 'kv');
    const log = await events();
    expect(log.map(({ event }) => event)).to.include.members(['key.register', 'release.publish', 'release.approve']);
    const grants = log.filter(({ event }) => event === 'grant.change').map(({ grant }) => grant);
    const own = { installationId: id, operatorId: operator.id, releaseId };
    expect(grants).to.deep.equal([
      grantDigest({ ...own, capabilities: ['kv'] }),
      grantDigest({ ...own, capabilities: [] }),
    ]);
  });

  it('proves a release so that it can be verified without the platform', async () => {
    const place = await platform.writePlugin(PLUGIN);
    const release = await platform.publish(place);
    const early = await anonymous()
      .proveRelease(release.digest)
      .catch((error: ServerRefusal) => error.code);
    expect(early, 'before its approval').to.equal('release-unknown');
    await platform.as.moderator.approveRelease(release.id);
    const proof = await anonymous().proveRelease(release.digest);
    const { publicKeyPem } = await anonymous().transparency();
    const { archive } = await packPlugin(place);
    const verified = await verifyArchive(archive, proof, createPublicKey(publicKeyPem));
    expect(verified.passed, JSON.stringify(verified.steps)).to.equal(true);
  });

  it('is the same to an auditor who comes back, and remembers', async () => {
    const first = await audit();
    expect(first).to.deep.include({ findings: [], isFirst: true });
    await platform.publish(await platform.writePlugin(PLUGIN));
    const second = await audit({ compare: path.join(folder, 'seen.json') });
    expect(second).to.deep.include({ findings: [], isFirst: false });
    expect(second.head.size).to.equal(first.head.size + 1);
    expect(JSON.parse(await readFile(path.join(folder, 'seen.json'), 'utf8')).head).to.deep.equal(second.head);
  });

  it('goes on under another key of the registry, which auditors and hosts follow', async () => {
    const place = await platform.writePlugin(PLUGIN);
    const release = await platform.publish(place);
    await platform.as.moderator.approveRelease(release.id);
    const { publicKeyPem: old } = await anonymous().transparency();
    const signingKeyFile = path.join(platform.folder, 'registry-key.pem');
    const { appUrl } = platform.database;
    const rotate = (overlapMs: number) =>
      rotateRegistryKeyFile({ signingKeyFile }, appUrl, { overlapMs, nowMs: Date.now });
    const rotated = await rotate(3_600_000);
    expect(rotated.from).to.equal(keyIdOf(createPublicKey(old)));
    const other = await platform.startAnotherHost();
    const shown = await createApiClient({ url: other.url, token: null }).transparency();
    expect(shown.keyId).to.equal(rotated.to);
    // What the old key countersigned is installed by a host with the new one.
    const operator = createApiClient({ url: other.url, token: platform.credentials.operator });
    const wish = { plugin: release.plugin, version: release.version, slug: 'rotated', grants: ['kv' as const] };
    await operator.install({ id: v7(), ...wish });
    const answer = await fetch(`${other.url}/run/${OPERATOR_SLUG}/rotated/`, {
      headers: { authorization: `Bearer ${platform.credentials.caller}` },
    });
    expect(answer.status).to.equal(200);
    // An auditor who trusted the old key, at both hosts.
    expect((await audit()).rotation).to.deep.equal({ from: rotated.from, to: rotated.to });
    expect(await audit()).to.deep.include({ findings: [], rotation: null });
    const { archive } = await packPlugin(place);
    const proof = await anonymous().proveRelease(release.digest);
    const verified = await verifyArchive(archive, proof, createPublicKey(old));
    expect(verified.passed, JSON.stringify(verified.steps)).to.equal(true);
    expect((await checkTransparency({ signingKeyFile }, appUrl)).faults).to.deep.equal([]);
    expect((await checkAudit({ signingKeyFile }, appUrl)).faults).to.deep.equal([]);
    // Once it has retired, no host starts with the old file.
    await rotate(0);
    await copyFile(path.join(platform.folder, `registry-key-${rotated.to.slice(0, 16)}.pem`), signingKeyFile);
    const refused = await platform.startAnotherHost().catch((error) => error);
    expect(refused.name).to.equal('SigningKeyUnusable');
    await writeFile(signingKeyFile, await readFile(rotated.oldFile));
  });

  it('installs no release whose approval is not in the log', async () => {
    const release = await platform.publish(await platform.writePlugin(PLUGIN));
    await platform.as.moderator.approveRelease(release.id);
    await platform.database.asOwner(async (owner) => {
      await owner.raw('alter table transparency_entries disable trigger user');
      await owner.raw(
        `update transparency_entries set content = replace(content, 'release.approve', 'release.yank')
        where release is not null and content like ?`,
        [`%${release.digest}%`],
      );
      await owner.raw('alter table transparency_entries enable trigger user');
    });
    const refused = await platform.as.operator
      .install({ id: v7(), plugin: release.plugin, version: release.version, slug: 'unlogged', grants: ['kv'] })
      .then(
        () => 'installed',
        (error: ServerRefusal) => error.code,
      );
    expect(refused).to.equal('release-not-logged');
  });

  it('does not get past the auditor who saw it before, nor past the doctor, once it is rewritten', async () => {
    expect(kinds(await audit())).to.deep.equal(['entries-mismatch']);
    const evidence = JSON.parse(await readFile(path.join(folder, 'seen.json.evidence'), 'utf8'));
    expect(evidence.findings).to.have.length(1);
    expect(evidence.shown.signature).to.be.a('string');
    const signingKeyFile = path.join(platform.folder, 'registry-key.pem');
    const { faults } = await checkTransparency({ signingKeyFile }, platform.database.appUrl);
    expect(faults.map(({ kind }) => kind)).to.include('edited');
    await rm(path.join(path.dirname(signingKeyFile), 'transparency-head.json'));
    const withoutKept = await checkTransparency({ signingKeyFile }, platform.database.appUrl);
    expect(withoutKept.faults.map(({ kind }) => kind)).to.include.members(['edited', 'head-mismatch']);
  });
});
