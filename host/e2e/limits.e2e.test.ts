import { expect } from 'chai';
import { callerRoutes, startTestPlatform, type TestPlatform } from './test-platform.ts';

/** That what is configured reaches the listeners; how limits and listeners behave is tested beside them. */
describe('limits and listeners of a whole host', () => {
  let platform: TestPlatform;
  before(async () => {
    platform = await startTestPlatform({
      GATEHOUSE_ADMIN_PORT: '0',
      GATEHOUSE_RATE_LIMITS: 'run-installation=3/3600,api-token=20/3600',
    });
  });
  after(() => platform.close());
  const get = (origin: string, path: string, token: string) =>
    fetch(origin + path, { headers: { authorization: `Bearer ${token}` } });

  it('serve what is for admins on a port of its own, and count requests to one installation, whoever sends them', async () => {
    const { host, credentials, as } = platform;
    const adminUrl = host.adminUrl!;
    const release = await platform.publish(
      await platform.writePlugin({
        source: `
          import { definePlugin } from '@gatehouse/plugin-sdk';
          export default definePlugin()({ routes: { 'GET /hello': () => 'hello' } });`,
        manifest: callerRoutes('GET /hello'),
      }),
    );
    const approve = (origin: string) =>
      fetch(`${origin}/v1/releases/${release.id}/approval`, {
        method: 'POST',
        headers: { authorization: `Bearer ${credentials.moderator}` },
      });
    expect((await approve(host.url)).status).to.equal(404);
    expect((await approve(adminUrl)).status).to.equal(200);

    const id = '0199b7a0-5a3e-7c6b-8f7e-2f5d1c9f0a77';
    const { plugin, version } = release;
    const installed = await as.operator.install({ id, plugin, version, slug: 'limited', grants: [] });
    const tokens = [credentials.caller, credentials.operator];
    // Who may not call does not use up what others may.
    for (let at = 0; at < 5; at++) await platform.call(installed, '/hello', { token: null });
    const statuses: number[] = [];
    for (let at = 0; at < 5; at++) {
      statuses.push((await platform.call(installed, '/hello', { token: tokens[at % 2] })).status);
    }
    expect(statuses).to.deep.equal([200, 200, 200, 429, 429]);

    expect((await get(host.url, '/metrics', credentials.admin)).status).to.equal(404);
    const metrics = await (await get(adminUrl, '/metrics', credentials.admin)).text();
    expect(metrics).to.include('gatehouse_rate_limited_total{limit="run-installation"} 2');
  });

  it('count requests of one token to both listeners together', async () => {
    const { host, credentials } = platform;
    const statuses: number[] = [];
    for (let at = 0; at < 22; at++) {
      const origin = at % 2 === 0 ? host.url : host.adminUrl!;
      statuses.push((await get(origin, '/v1/whoami', credentials.publisher)).status);
    }
    expect(new Set(statuses.slice(0, 10))).to.deep.equal(new Set([200]));
    expect(statuses.slice(-2)).to.deep.equal([429, 429]);
  });
});
