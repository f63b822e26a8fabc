import { expect } from 'chai';
import fc from 'fast-check';
import type { Access, Manifest } from '../../../plugins-sdk/contract/index.ts';
import { compileRoutes } from '../../invocations/match-route.ts';
import { compareReleases } from './compare-releases.ts';

const manifest = (change: Partial<Manifest> & Record<string, unknown> = {}): Manifest => ({
  name: 'shop',
  version: '1.0.0',
  kind: 'plugin',
  publisher: 'acme',
  title: 'Shop',
  description: 'Sells.',
  category: 'utilities',
  entry: 'src/index.ts',
  engine: '^0.1.0',
  ...change,
});
const kv = { name: 'kv', reason: 'Keeps the orders.' } as const;
const route = (text: string): NonNullable<Manifest['routes']>[number] => {
  const [method, path, access] = text.split(' ');
  return { method, path, access } as NonNullable<Manifest['routes']>[number];
};
const routes = (...texts: string[]) => manifest({ routes: texts.map(route) });
const compare = (from: Manifest, to: Manifest, grants: string[] = []) => compareReleases(from, to, grants);
const consents = (from: Manifest, to: Manifest, grants: string[] = []) =>
  compare(from, to, grants)
    .changes.filter(({ needsConsent }) => needsConsent)
    .map(({ change, name }) => `${change} ${name}`);

describe('compareReleases', () => {
  it('finds nothing in what says the same in other words', () => {
    const to = manifest({ version: '2.0.0', title: 'Better shop', description: 'Sells more.', engine: '>=0.1.0' });
    expect(compare(manifest(), to)).to.deep.include({ changes: [], needsConsent: false, toVersion: '2.0.0' });
  });

  it('asks for consent to a capability that is needed and was not granted', () => {
    expect(consents(manifest(), manifest({ capabilities: [kv] }))).to.deep.equal(['added kv']);
    expect(consents(manifest(), manifest({ capabilities: [kv] }), ['kv'])).to.deep.equal([]);
    expect(consents(manifest(), manifest({ capabilities: [{ ...kv, optional: true }] }))).to.deep.equal([]);
    const optional = manifest({ capabilities: [{ ...kv, optional: true }] });
    expect(consents(optional, manifest({ capabilities: [kv] }))).to.deep.equal(['changed kv']);
    expect(compare(optional, manifest()).changes[0]).to.include({ change: 'removed', name: 'kv', from: 'optional' });
  });

  it('asks for consent to hosts, and to parts of a manifest that no rule knows', () => {
    const to = manifest({ fetchHosts: ['a.example', 'b.example'] });
    expect(consents(manifest({ fetchHosts: ['a.example'] }), to)).to.deep.equal(['added b.example']);
    expect(consents(to, manifest())).to.deep.equal([]);
    expect(consents(manifest(), manifest({ companions: [{ plugin: 'a/b' }] }))).to.deep.equal(['added a/b']);
    expect(consents(manifest(), manifest({ powers: { fly: true } }))).to.deep.equal(['added powers.fly']);
    const events = (...subscribes: string[]) =>
      manifest({ events: { subscribes: subscribes.map((topic) => ({ topic })) } });
    expect(consents(events('a'), events('a', 'b'))).to.deep.equal(['added b']);
    expect(consents(events('a', 'b'), events('b'))).to.deep.equal([]);
  });

  it('asks for consent to secrets and to where they are sent, and to what recordings would show', () => {
    const secret = (...hosts: string[]) =>
      manifest({ secrets: [{ name: 'API_KEY', reason: 'Signs requests.', send: { hosts, header: 'authorization' } }] });
    expect(consents(manifest(), secret('a.example'))).to.deep.equal(['added API_KEY']);
    expect(consents(secret('a.example'), secret('a.example', 'b.example'))).to.deep.equal(['added API_KEY']);
    expect(consents(secret('a.example'), secret('a.example'))).to.deep.equal([]);
    expect(consents(manifest({ personal: ['/body/email'] }), manifest())).to.deep.equal(['removed /body/email']);
    expect(consents(manifest(), manifest({ personal: ['/body/email'] }))).to.deep.equal([]);
    const queues = [{ name: 'mail' }] as Manifest['queues'];
    expect(consents(manifest(), manifest({ queues }))).to.deep.equal([]);
    expect(compare(manifest(), manifest({ queues })).changes).to.have.length(1);
  });

  it('asks for consent to another price, and shows limits, jobs, hooks and configuration without', () => {
    const pricing = { model: 'metered', amountMinor: '5', currency: 'EUR' } as const;
    expect(consents(manifest(), manifest({ pricing }))).to.deep.equal(['added pricing']);
    expect(consents(manifest(), manifest({ pricing: { model: 'free' } }))).to.deep.equal([]);
    const to = manifest({
      hooks: ['install'],
      schedule: [{ name: 'nightly', cron: '0 0 * * *' }],
      limits: { cpuMs: 100 },
      config: { type: 'object' },
    });
    expect(consents(manifest(), to)).to.deep.equal([]);
    expect(compare(manifest(), to).changes.map(({ part }) => part)).to.deep.equal([
      'hooks',
      'schedule',
      'limits',
      'config',
    ]);
  });

  it('asks for consent to routes that let in whom they kept out', () => {
    expect(consents(routes(), routes('GET /x public'))).to.deep.equal(['added GET /x']);
    expect(consents(routes(), routes('GET /x caller', 'GET /y operator'))).to.deep.equal([]);
    expect(consents(routes('GET /x operator'), routes('GET /x caller'))).to.deep.equal(['widened GET /x']);
    expect(consents(routes('GET /x public'), routes('GET /x operator'))).to.deep.equal([]);
    expect(consents(routes('GET /x/:id caller'), routes('GET /x/:order caller'))).to.deep.equal([]);
    expect(consents(routes('HEAD /x operator'), routes('GET /x caller'))).to.deep.equal(['widened GET /x']);
  });

  it('asks for consent to a route that takes over requests of a narrower one', () => {
    const both = ['GET /o/:id caller', 'GET /o/all operator'];
    expect(consents(routes(...both), routes(...both))).to.deep.equal([]);
    expect(consents(routes(...both), routes('GET /o/:id caller'))).to.deep.equal(['widened GET /o/:id']);
    const under = routes('GET /o/:id operator');
    expect(consents(under, routes('GET /o/:id operator', 'GET /o/all caller'))).to.deep.equal(['widened GET /o/all']);
  });

  it('lets no request through without consent that was refused before', () => {
    const access = fc.constantFrom<Access>('public', 'caller', 'operator');
    const place = fc.constantFrom('/a', '/b', '/:x', '/a/b', '/a/:y', '/:x/b', '/:x/:y');
    const table = fc.uniqueArray(fc.record({ method: fc.constantFrom('GET', 'HEAD'), path: place, access }), {
      selector: ({ method, path }) => `${method} ${path}`,
      maxLength: 6,
    }) as fc.Arbitrary<NonNullable<Manifest['routes']>>;
    const rank: Record<string, number> = { operator: 1, caller: 2, public: 3 };
    fc.assert(
      fc.property(table, table, (old, young) => {
        if (compare(manifest({ routes: old }), manifest({ routes: young })).needsConsent) return;
        const [before, after] = [compileRoutes({ routes: old }), compileRoutes({ routes: young })];
        for (const method of ['GET', 'HEAD']) {
          for (const path of ['/a', '/b', '/c', '/a/b', '/a/c', '/c/b', '/c/c']) {
            const [was, is] = [before(method, path), after(method, path)];
            if (is === null || !('matched' in is) || was === null || !('matched' in was)) continue;
            expect(rank[is.matched.access], `${method} ${path}`).to.be.at.most(rank[was.matched.access]!);
          }
        }
      }),
      { numRuns: 500 },
    );
  });

  it('names what it shows: the same for the same, another for another', () => {
    const to = manifest({ version: '1.1.0', capabilities: [kv] });
    expect(compare(manifest(), to).digest).to.match(/^[0-9a-f]{64}$/);
    expect(compare(manifest(), to).digest).to.equal(compare(manifest({ title: 'Other' }), to).digest);
    const more = manifest({ version: '1.1.0', capabilities: [kv, { name: 'log', reason: 'Writes down.' }] });
    expect(compare(manifest(), more).digest).not.to.equal(compare(manifest(), to).digest);
  });
});
