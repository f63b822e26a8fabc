import { expect } from 'chai';
import { DEFAULT_LIMITS, type Manifest, type PluginJob } from '../../plugins-sdk/contract/index.ts';
import { SandboxRefusal } from '../../sandbox/index.ts';
import { GOOD_CONDUCT } from '../conduct/contract.ts';
import { HostRefusal } from '../errors.ts';
import type { InstallationFacts } from '../installations/contract.ts';
import { PluginFaultError } from '../invocations/contract.ts';
import type { PluginRunner, RunOptions } from '../invocations/run-plugin.ts';
import { createBroker } from './broker.ts';
import { closedPorts } from './closed-ports.ts';
import { capabilityCalls } from './compose.ts';
import { FIRST } from './lineage.ts';
import { memoryKvStore } from './memory-kv-store.ts';
import { testScope } from './test-scope.ts';

const callee = (changes: Partial<InstallationFacts> = {}) =>
  ({
    id: 'callee',
    slug: 'pricer',
    plugin: 'studio/pricer',
    version: '1.4.0',
    enabled: true,
    conduct: GOOD_CONDUCT,
    limits: DEFAULT_LIMITS,
    manifest: {
      routes: [
        { method: 'GET', path: '/price/:id', access: 'caller' },
        { method: 'GET', path: '/admin', access: 'operator' },
        { method: 'POST', path: '/order', access: 'public' },
      ],
    },
    ...changes,
  }) as InstallationFacts;

const manifest = {
  dependencies: [{ plugin: 'studio/pricer', range: '^1.2.0', routes: ['GET /price/:id', 'GET /admin', 'POST /order'] }],
} as Manifest;

describe('plugins.call', () => {
  const runs: { installation: InstallationFacts; job: PluginJob; options: RunOptions }[] = [];
  let installations: InstallationFacts[];
  let fails: Error | null;
  beforeEach(() => {
    runs.length = 0;
    installations = [callee()];
    fails = null;
  });
  const runPlugin: PluginRunner = async (installation, job, options) => {
    runs.push({ installation, job, options });
    if (fails) throw fails;
    const response = { status: 200, headers: [], body: 'ok', bodyEncoding: 'utf8' as const };
    return { invocationId: 'c', output: { kind: 'http', response } };
  };
  const outages: unknown[] = [];
  const calls = capabilityCalls({
    kvStore: memoryKvStore(Date.now),
    ...closedPorts(),
    findInstallations: async (operatorId, plugin) =>
      operatorId === 'op' && plugin === 'studio/pricer' ? installations : [],
    runPlugin,
  });
  const broker = createBroker({ calls, onOutage: (error) => outages.push(error) });
  const call = async (
    args: object,
    options: Parameters<typeof testScope>[3] = {},
    deadlineAtMs = Date.now() + 5_000,
  ) => {
    const scope = testScope({ id: 'caller', grants: ['plugins'], manifest }, 'v', deadlineAtMs, options);
    const whole = { plugin: 'studio/pricer', method: 'GET', path: '/price/7', headers: [], body: null, ...args };
    const request = {
      invocationId: 'v',
      installationId: 'caller',
      seq: 3,
      name: 'plugins.call',
      args: JSON.stringify(whole),
    };
    return { scope, answer: JSON.parse((await broker(scope, request)).json) };
  };

  it("gives the callee what is left of the caller's time, and ends with the caller", async () => {
    const deadlineAtMs = Date.now() + 1_234;
    const { scope } = await call({}, {}, deadlineAtMs);
    const { options } = runs[0]!;
    expect(options.deadlineAtMs).to.equal(deadlineAtMs);
    expect(options.lineage).to.deep.equal({ depth: 1, waiting: ['caller'] });
    expect(options).to.not.have.property('attempt');
    expect(options.signal!.aborted).to.equal(false);
    scope.end(() => {});
    expect(options.signal!.aborted).to.equal(true);
  });

  it('runs the same invocation again where its caller is executed again by another host', async () => {
    const again = { attempt: { seed: 'a'.repeat(64) } };
    await call({}, again);
    await call({}, again);
    await call({}, { attempt: { seed: 'b'.repeat(64) } });
    const [first, second, other] = runs.map(({ options }) => options.attempt);
    expect(first).to.deep.equal(second);
    expect(first!.seed)
      .to.match(/^[0-9a-f]{64}$/)
      .and.not.equal(other!.seed);
  });

  it('refuses one call more than may follow from one another, and every circle', async () => {
    const deep = await call({}, { lineage: { depth: 4, waiting: ['a', 'b', 'c', 'd'] } });
    expect(deep.answer.code).to.equal('call-depth-exceeded');
    const circle = await call({}, { lineage: { depth: 1, waiting: ['callee'] } });
    expect(circle.answer.code).to.equal('call-cycle');
    installations = [callee({ id: 'caller' })];
    expect((await call({}, { lineage: FIRST })).answer.code).to.equal('call-cycle');
    expect(runs).to.deep.equal([]);
  });

  it('takes the oldest installation that fits and runs, or the one that is named', async () => {
    const disabled = callee({ id: 'off', slug: 'off', enabled: false });
    installations = [
      callee({ id: 'old', version: '1.1.9' }),
      disabled,
      callee(),
      callee({ id: 'young', slug: 'young' }),
    ];
    await call({});
    await call({ installation: 'young' });
    expect(runs.map(({ installation }) => installation.id)).to.deep.equal(['callee', 'young']);
    expect((await call({ installation: 'off' })).answer).to.include({
      code: 'callee-refused',
      reason: 'installation-disabled',
    });
    installations = [callee({ version: '2.0.0' })];
    const { answer } = await call({});
    expect(answer.code).to.equal('dependency-missing');
    expect(answer.message).to.include('^1.2.0').and.include('pricer (2.0.0)');
  });

  it("keeps to the callee's own rules: routes of the operator, methods, sizes of bodies", async () => {
    const refused = async (args: object) => {
      const { answer } = await call(args);
      return [answer.code, answer.reason];
    };
    expect(await refused({ path: '/admin' })).to.deep.equal(['callee-refused', 'permission-denied']);
    expect(await refused({ method: 'PUT' })).to.deep.equal(['callee-refused', 'method-not-allowed']);
    installations = [callee({ limits: { ...DEFAULT_LIMITS, inputBytes: 10 } })];
    const large = await refused({ method: 'POST', path: '/order', body: 'x'.repeat(11) });
    expect(large).to.deep.equal(['callee-refused', 'body-too-large']);
    expect(runs).to.deep.equal([]);
  });

  it('passes on no path that could be read as another, and no header that only a proxy or the host may set', async () => {
    const paths = ['/price/..', '/price/%2e%2e', '/price/a\\..\\..\\admin', '/price/\u00e4'];
    for (const path of paths) {
      expect((await call({ path })).answer, path).to.include({ code: 'callee-refused', reason: 'request-malformed' });
    }
    expect(runs).to.deep.equal([]);
    const spoofed = ['x-forwarded-for', 'x-gatehouse-caller', 'x-real-ip'].map((name) => [name, '10.0.0.1']);
    await call({ path: '/price/7?a=b', headers: [...spoofed, ['x-mine', '1']] });
    const { request } = runs[0]!.job as Extract<PluginJob, { kind: 'http' }>;
    expect(request.headers).to.deep.equal([['x-mine', '1']]);
    expect(request.url).to.equal('https://pricer.plugins.internal/price/7?a=b');
  });

  it('tells a fault from a refusal by its code, and nothing of what the callee said', async () => {
    fails = new PluginFaultError({ code: 'plugin-threw', message: 'password hunter2' }, 'c');
    const { answer } = await call({});
    expect(answer).to.include({ code: 'callee-failed', reason: 'plugin-threw' });
    expect(JSON.stringify(answer)).to.not.include('hunter2');
    fails = new HostRefusal('installation-saturated');
    expect((await call({})).answer).to.include({ code: 'callee-refused', reason: 'installation-saturated' });
    fails = new SandboxRefusal('sandbox-saturated');
    expect((await call({})).answer).to.include({ code: 'callee-refused', reason: 'sandbox-saturated' });
    fails = new Error('of the host');
    expect((await call({})).answer.code).to.equal('capability-unavailable');
    expect(outages).to.deep.equal([fails]);
  });
});
