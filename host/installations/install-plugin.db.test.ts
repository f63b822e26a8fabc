import { expect } from 'chai';
import { v7 as uuidv7 } from 'uuid';
import { type TestDatabase, testDatabase } from '../../migrations/test-database.ts';
import { DEFAULT_LIMITS, type Manifest } from '../../plugins-sdk/contract/index.ts';
import type { Principal, Release } from '../../registry/index.ts';
import { SandboxRefusal } from '../../sandbox/index.ts';
import { PluginFaultError } from '../invocations/contract.ts';
import { requireRunnable } from '../invocations/require-runnable.ts';
import { rolloutStore } from '../rollouts/rollout-store.ts';
import { scheduleStore } from '../schedules/schedule-store.ts';
import { changeStore } from './change-store.ts';
import type { Installation } from './contract.ts';
import { addInstallation } from './fake-installation.ts';
import { installPlugin } from './install-plugin.ts';
import { installationLogStore } from './installation-log-store.ts';
import { installationStore } from './installation-store.ts';
import { type RemovePorts, removeInstallation } from './remove-installation.ts';
import { demandStore } from './requirements/demand-store.ts';
import { withLease } from './with-lease.ts';

const MANIFEST = {
  engine: '*',
  hooks: ['install', 'uninstall'],
  schedule: [{ name: 'report', cron: '0 * * * *' }],
} as unknown as Manifest;
const gone = new Error('Connection terminated');
const fault = new PluginFaultError({ code: 'plugin-threw', message: 'not here' }, 'v');

describe('installPlugin', () => {
  let database: TestDatabase;
  before(async () => {
    database = await testDatabase();
  });
  after(() => database.close());

  /** An operator that may install one plugin, whose hooks do what `hook` says. */
  const world = async () => {
    const store = installationStore(database.knex, ({ score }) => score);
    const other = (await store.byId(await addInstallation(database, MANIFEST)))!;
    const actor = { organisation: other.operator } as unknown as Principal;
    const { plugin, version, releaseId: id, bundleDigest } = other;
    const release = { id, plugin, version, bundleDigest, state: 'published', blocked: null, manifest: MANIFEST };
    const events: string[] = [];
    const audited: string[] = [];
    const changes = changeStore(database.knex, async (_transaction, { action }) => void audited.push(action));
    const askedAgain = Promise.withResolvers<void>();
    let takes = 0;
    const made = {
      hook: async () => {},
      store,
      events,
      audited,
      /** Resolves when a lease is asked for the second time. */
      askedAgain: askedAgain.promise,
      changes,
      ports: {
        store,
        changes: {
          ...changes,
          take: (...given: Parameters<typeof changes.take>) => {
            takes += 1;
            if (takes === 2) askedAgain.resolve();
            return changes.take(...given);
          },
        },
        cache: { withRelease: async (each: Installation) => ({ ...each, manifest: MANIFEST, limits: DEFAULT_LIMITS }) },
        registry: {
          resolveRelease: async () => ({ release: release as unknown as Release, range: '^1' }),
          loadBundle: async () => ({}),
        },
        demands: demandStore(database.knex),
        transparency: { requireLogged: async () => {} },
        runPlugin: async (_installation: unknown, job: { kind: string; event: { eventId: string } }) => {
          if (job.kind !== 'hook') return { output: { value: { ok: true } } };
          events.push(job.event.eventId);
          await made.hook();
          return {};
        },
        hostVersion: '1.0.0',
        graceMs: 60_000,
        nowMs: Date.now,
      },
    };
    const install = (command: { id: string; slug?: string }) =>
      installPlugin(made.ports as never)(actor, { slug: 'shop', plugin, version, grants: [], ...command });
    const uninstall = (installed: string) =>
      removeInstallation(made.ports as unknown as RemovePorts)(actor, installed, { ignoreRequirements: true });
    const told = async (installed: string) =>
      (await installationLogStore(database.knex).page(installed, {})).items.map(({ message }) => message);
    return Object.assign(made, { install, uninstall, told });
  };
  const codeOf = (call: Promise<unknown>): Promise<string> =>
    call.then(
      () => 'accepted',
      (error) => (error instanceof PluginFaultError ? error.fault.code : (error.code ?? error.message)),
    );

  it('raises install again, as the same event, when what ran it was lost and the client asks again', async () => {
    const operator = await world();
    const { install, events, audited, told } = operator;
    const id = uuidv7();
    operator.hook = () => Promise.reject(gone);
    expect(await codeOf(install({ id }))).to.equal(gone.message);
    expect([await told(id), audited]).to.deep.equal([[], []]);
    operator.hook = async () => {};
    expect(await install({ id })).to.include({ id, enabled: true, installing: false });
    expect(await install({ id })).to.include({ id });
    expect(events).to.deep.equal([`install:${id}:1.0.0`, `install:${id}:1.0.0`]);
    expect([await told(id), audited]).to.deep.equal([['Installed 1.0.0.'], ['installation.installed']]);
    expect((await operator.changes.take(id, 1_000))!.revision).to.equal(1);
  });

  for (const ends of ['well', 'with a fault'] as const) {
    it(`answers whoever asks again only when install has ended, ${ends}`, async () => {
      const operator = await world();
      const { install, events, store } = operator;
      const id = uuidv7();
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      const begun = Promise.withResolvers<void>();
      operator.hook = () => {
        begun.resolve();
        return promise;
      };
      const first = codeOf(install({ id }));
      await begun.promise;
      const second = codeOf(install({ id }));
      await operator.askedAgain;
      if (ends === 'well') resolve();
      else reject(fault);
      const codes = ends === 'well' ? ['accepted', 'accepted'] : ['plugin-threw', 'installation-id-taken'];
      expect(await Promise.all([first, second])).to.deep.equal(codes);
      expect(events).to.deep.equal([`install:${id}:1.0.0`]);
      expect((await store.byId(id)) === null).to.equal(ends !== 'well');
      expect(await codeOf(install({ id }))).to.equal(codes[1]);
    });
  }

  it('lets nobody reach, run or change what is not installed to the end', async () => {
    const operator = await world();
    const { install, store } = operator;
    const id = uuidv7();
    const { promise, resolve } = Promise.withResolvers<void>();
    const begun = Promise.withResolvers<void>();
    operator.hook = () => {
      begun.resolve();
      return promise;
    };
    const installed = install({ id });
    await begun.promise;
    const seen = async () => {
      const found = (await store.byId(id))!;
      return [
        await codeOf((async () => requireRunnable(found))()),
        (await scheduleStore(database.knex).scheduled()).some(({ installationId }) => installationId === id),
        (await rolloutStore(database.knex).following()).some(({ installationId }) => installationId === id),
        (await demandStore(database.knex).of(found.operator.id)).some((each) => each.id === id),
      ];
    };
    const change = () => codeOf(withLease(operator, id, async () => {}, { waitMs: 0 }));
    expect([...(await seen()), await change()]).to.deep.equal([
      ...['installation-busy', false, false, false],
      'installation-busy',
    ]);
    const enabling = database.knex('installations').where({ id }).update({ enabled: true });
    expect(await enabling.catch((error) => error.constraint)).to.equal('installing_is_disabled');
    resolve();
    await installed;
    expect([...(await seen()), await change()]).to.deep.equal(['accepted', true, true, true, 'accepted']);
  });

  it('leaves what nobody finishes in the list, where it says how to go on and can be uninstalled', async () => {
    const operator = await world();
    const { install, uninstall, store, events, audited } = operator;
    const id = uuidv7();
    operator.hook = () => Promise.reject(new SandboxRefusal('sandbox-saturated'));
    expect(await codeOf(install({ id }))).to.equal('sandbox-saturated');
    const found = (await store.byId(id))!;
    expect(found).to.include({ enabled: false, installing: true });
    expect((await store.page(found.operator.id, {})).items.map((each) => each.id)).to.include(id);
    const refusal = await install({ id: uuidv7() }).catch((error) => error);
    expect([refusal.code, refusal.message.includes(id)]).to.deep.equal(['installation-slug-taken', true]);
    expect(await codeOf(withLease(operator, id, async () => {}))).to.equal('installation-busy');
    await uninstall(id);
    expect(await store.byId(id)).to.equal(null);
    expect(events.map((event) => event.split(':')[0])).to.deep.equal(['install', 'uninstall']);
    expect(audited).to.deep.equal(['installation.uninstalled']);
    expect(await codeOf(install({ id }))).to.equal('installation-id-taken');
  });

  it('refuses the id of another operator, and nothing else that it has', async () => {
    const [other, operator] = [await world(), await world()];
    const id = uuidv7();
    await other.install({ id });
    expect(await codeOf(operator.install({ id }))).to.equal('installation-id-taken');
    await other.uninstall(id);
    expect(await codeOf(operator.install({ id })), 'also of one that is gone').to.equal('installation-id-taken');
    expect(await operator.install({ id: uuidv7() })).to.include({ slug: 'shop' });
  });
});
