import { expect } from 'chai';
import { can, PERMISSIONS, type Role } from '../../registry/index.ts';
import { allRoutes } from '../routes/index.ts';
import { isForAdmins } from './admin-routes.ts';
import { answered, fakePorts, type Served, serveFakes } from './fake-ports.ts';

const PLATFORM = ['admin', 'moderator', 'finance-specialist', 'finance-manager', 'finance-auditor', 'analyst'];
const ROLES = Object.keys(PERMISSIONS) as Role[];
const fill = (path: string) => path.replace(/:\w+/g, 'x');

describe('isForAdmins', () => {
  it('is true where a route is about the host, or nobody outside the platform has one of its permissions', () => {
    for (const route of allRoutes({ ...fakePorts(), metricsPublic: true })) {
      const { allow, path } = route;
      const outside =
        typeof allow === 'string' ||
        ROLES.some((role) => !PLATFORM.includes(role) && allow.some((permission) => can(role, permission)));
      expect(isForAdmins(route), path).to.equal(path === '/metrics' || path.startsWith('/dev/') || !outside);
    }
  });
});

describe('with a listener for admins', () => {
  let open: Served;
  let admin: Served;
  before(async () => {
    open = await serveFakes({}, {}, 'public');
    admin = await serveFakes({}, {}, 'admin');
    for (const { fake } of [open, admin]) fake.run = async () => answered('hello');
  });
  after(() => Promise.all([open.http.close(0), admin.http.close(0)]));

  it('the public one answers 404 for what is for admins, to admins too, and describes it nowhere', async () => {
    const hidden = allRoutes(fakePorts()).filter(isForAdmins);
    expect(hidden.map(({ path }) => path)).to.include.members(['/metrics', '/v1/releases/:id/approval']);
    const described = (await (await fetch(`${open.origin}/openapi.json`)).json()) as { paths: Record<string, object> };
    for (const { method, path } of hidden) {
      const response = await open.as('admin', fill(path), { method });
      // The same path may have other methods that are for everybody.
      expect(response.status, `${method} ${path}`).to.be.oneOf([404, 405]);
      const paths = described.paths[path.replace(/:(\w+)/g, '{$1}')] ?? {};
      expect(paths, `${method} ${path}`).not.to.have.property(method.toLowerCase());
    }
  });

  it('the public one serves everybody else as before', async () => {
    expect((await open.as('operator-owner', '/v1/installations')).status).to.equal(200);
    expect(await (await fetch(`${open.origin}/run/acme/shop/`)).text()).to.equal('hello');
    expect((await fetch(`${open.origin}/healthz`)).status).to.equal(200);
  });

  it('the public one says whether the host is ready, and not what is wrong', async () => {
    open.fake.ok = false;
    const response = await fetch(`${open.origin}/readyz`);
    open.fake.ok = true;
    expect(response.status).to.equal(503);
    expect(await response.json()).to.deep.equal({ ready: false, checks: {} });
    expect(await (await fetch(`${admin.origin}/readyz`)).json()).to.deep.equal({
      ready: true,
      checks: { database: { ok: true } },
    });
  });

  it('the one for admins serves the whole API, with the same permissions, and no plugin', async () => {
    expect((await admin.as('admin', '/metrics')).status).to.equal(200);
    expect((await admin.as('operator-owner', '/metrics')).status).to.equal(403);
    expect((await fetch(`${admin.origin}/metrics`)).status).to.equal(401);
    expect((await admin.as('operator-owner', '/v1/installations')).status).to.equal(200);
    expect((await fetch(`${admin.origin}/run/acme/shop/`)).status).to.equal(404);
  });
});
