import { expect } from 'chai';
import type { PluginJob } from '../../plugins-sdk/contract/index.ts';
import type { Principal, Role } from '../../registry/index.ts';
import { GOOD_CONDUCT } from '../conduct/contract.ts';
import type { HostRefusal } from '../errors.ts';
import type { InstallationFacts } from '../installations/contract.ts';
import { PINNED } from '../rollouts/contract.ts';
import type { RunRequest } from './contract.ts';
import type { RunOptions } from './run-plugin.ts';
import { createDataPlane } from './serve-request.ts';

const installation = {
  id: 'i',
  operator: { id: 'o', slug: 'arcade-one' },
  slug: 'shop',
  enabled: true,
  conduct: GOOD_CONDUCT,
  updates: PINNED,
  limits: { inputBytes: 100 },
  manifest: {
    routes: [
      { method: 'GET', path: '/open', access: 'public' },
      { method: 'POST', path: '/called', access: 'caller' },
      { method: 'POST', path: '/owned', access: 'operator' },
    ],
  },
} as unknown as InstallationFacts;

const principal = (role: Role, organisationId = 'o'): Principal => ({
  via: 'token',
  credentialId: `token-${role}`,
  account: null,
  factorAtMs: null,
  label: role,
  role,
  organisation: { id: organisationId, slug: 'x', kind: 'operator', name: 'x' },
});

const jobs: { job: PluginJob; options: RunOptions }[] = [];
const plane = (found: InstallationFacts | null = installation) =>
  createDataPlane({
    findInstallation: async () => found,
    runPlugin: async (_installation, job, options) => {
      jobs.push({ job, options });
      return {
        invocationId: 'v',
        output: { kind: 'http', response: { status: 200, headers: [], body: null, bodyEncoding: 'utf8' } },
      };
    },
  });

const request = (method: string, path: string, who: Principal | null, body = Buffer.from('hello')): RunRequest => ({
  address: 'arcade-one/shop',
  method,
  path,
  url: `https://gatehouse.example${path}`,
  headers: [['x-a', '1']],
  readBody: async () => body,
  openBody: () => null,
  answerPieces: { start: () => {}, write: async () => {} },
  principal: who,
  signal: new AbortController().signal,
});

const codeOf = async (call: Promise<unknown>): Promise<string> => {
  try {
    await call;
    return 'answered';
  } catch (error) {
    return (error as HostRefusal).code;
  }
};

describe('createDataPlane', () => {
  it('records for people of the operator, on public routes as well, and for nobody else', async () => {
    const who: [Principal | null, string][] = [
      [principal('operator-owner'), 'answered'],
      [principal('caller'), 'permission-denied'],
      [principal('operator-owner', 'another'), 'permission-denied'],
      [principal('publisher', 'p'), 'permission-denied'],
      [null, 'token-missing'],
    ];
    jobs.length = 0;
    for (const [each, code] of who) {
      expect(await codeOf(plane().run({ ...request('GET', '/open', each), record: true }))).to.equal(code);
    }
    expect(jobs.map(({ options }) => options.record)).to.deep.equal([true]);
  });

  const table: [who: string, principal: Principal | null, open: string, called: string, owned: string][] = [
    ['nobody', null, 'answered', 'token-missing', 'token-missing'],
    ["the operator's caller", principal('caller'), 'answered', 'answered', 'permission-denied'],
    ['the operator', principal('operator-owner'), 'answered', 'answered', 'answered'],
    ["another operator's caller", principal('caller', 'p'), 'answered', 'installation-unknown', 'installation-unknown'],
    ['another operator', principal('operator-owner', 'p'), 'answered', 'installation-unknown', 'installation-unknown'],
    ['a publisher', principal('publisher', 'q'), 'answered', 'installation-unknown', 'installation-unknown'],
    ['an admin', principal('admin', 'r'), 'answered', 'installation-unknown', 'installation-unknown'],
  ];
  for (const [who, actor, open, called, owned] of table) {
    it(`lets ${who} reach what the manifest allows and no more`, async () => {
      expect(await codeOf(plane().run(request('GET', '/open', actor)))).to.equal(open);
      expect(await codeOf(plane().run(request('POST', '/called', actor)))).to.equal(called);
      expect(await codeOf(plane().run(request('POST', '/owned', actor)))).to.equal(owned);
    });
  }

  it('refuses unknown and disabled installations, routes and methods', async () => {
    const open = request('GET', '/open', null);
    expect(await codeOf(plane(null).run(open))).to.equal('installation-unknown');
    expect(await codeOf(plane({ ...installation, enabled: false }).run(open))).to.equal('installation-disabled');
    expect(await codeOf(plane().run(request('GET', '/none', null)))).to.equal('plugin-route-unknown');
    expect(await codeOf(plane().run(request('DELETE', '/open', null)))).to.equal('method-not-allowed');
  });

  it('refuses a suspended installation, and says since when, why, and who can resume it', async () => {
    const conduct = {
      ...GOOD_CONDUCT,
      suspendedAt: '2026-11-21T12:00:00.000Z',
      reason: 'It broke its sandbox process.',
    };
    const refusal = await plane({ ...installation, conduct })
      .run(request('GET', '/open', null))
      .then(
        () => expect.fail('it ran'),
        (error: HostRefusal) => error,
      );
    expect(refusal.code).to.equal('installation-suspended');
    expect(refusal.message).to.include(conduct.suspendedAt).and.include(conduct.reason).and.include('arcade-one');
    expect(refusal.facts).to.deep.equal({
      suspendedAt: conduct.suspendedAt,
      reason: conduct.reason,
      resumableBy: 'arcade-one',
    });
    const solitary = { ...installation, conduct: { ...GOOD_CONDUCT, solitarySince: conduct.suspendedAt } };
    expect(await codeOf(plane(solitary).run(request('GET', '/open', null)))).to.equal('answered');
  });

  it('reads no body before access is certain', async () => {
    const touched = { ...request('POST', '/called', null), readBody: () => expect.fail('read') };
    expect(await codeOf(plane().run(touched))).to.equal('token-missing');
  });

  it('names a foreign token on a public route to nobody', async () => {
    await plane().run(request('GET', '/open', principal('operator-owner', 'p')));
    expect(jobs.at(-1)!.options.caller).to.equal(null);
    await plane().run(request('GET', '/open', principal('caller')));
    expect(jobs.at(-1)!.options.caller).to.deep.equal({ kind: 'caller', id: 'token-caller' });
  });

  it('hands text over as text and anything else as base64', async () => {
    await plane().run(request('POST', '/called', principal('caller'), Buffer.from('grün')));
    expect(jobs.at(-1)!.job).to.have.nested.include({ 'request.body': 'grün', 'request.bodyEncoding': 'utf8' });
    await plane().run(request('POST', '/called', principal('caller'), Buffer.from([0xff, 0x00])));
    expect(jobs.at(-1)!.job).to.have.nested.include({ 'request.body': '/wA=', 'request.bodyEncoding': 'base64' });
    await plane().run(request('POST', '/called', principal('caller'), Buffer.alloc(0)));
    expect(jobs.at(-1)!.job).to.have.nested.include({ 'request.body': null });
  });

  it('asks which release answers, by caller, and holds the call against that one', async () => {
    const asked: (string | null)[] = [];
    const canary = { ...installation, version: '2.0.0', manifest: { routes: [] }, rollout: { id: 'r', arm: 'canary' } };
    const stable = {
      ...installation,
      rollout: { id: 'r', arm: 'stable', percent: 10, canary },
    } as unknown as InstallationFacts;
    const planeOf = (found: InstallationFacts) =>
      createDataPlane({
        findInstallation: () => found,
        runPlugin: () => expect.fail('ran without being counted'),
        assignCall: (of, key) => {
          asked.push(key);
          return { installation: of.rollout?.arm === 'stable' ? of.rollout.canary : of, run: () => expect.fail('ran') };
        },
      });
    expect(await codeOf(planeOf(stable).run(request('GET', '/open', principal('caller'))))).to.equal(
      'plugin-route-unknown',
    );
    expect(await codeOf(planeOf(stable).run(request('GET', '/open', null)))).to.equal('plugin-route-unknown');
    expect(asked).to.deep.equal(['token-caller', null]);
    await planeOf(installation)
      .run(request('GET', '/open', null))
      .catch(() => {});
    expect(asked).to.have.length(3);
  });
});
