import { expect } from 'chai';
import { v7 as uuidv7 } from 'uuid';
import { type TestDatabase, testDatabase } from '../../migrations/test-database.ts';
import { sha256Hex } from '../../plugins-sdk/contract/index.ts';
import { type Change, changeStore, type NewRollout } from '../installations/change-store.ts';
import { addInstallation } from '../installations/fake-installation.ts';
import { installationStore } from '../installations/installation-store.ts';
import { purgeRemoved } from '../installations/purge-removed.ts';
import { rolloutStore } from './rollout-store.ts';
import { bucketOf } from './rules/latency-buckets.ts';
import { sampleMeter } from './sample-meter.ts';
import { sampleStore } from './sample-store.ts';

const AT_MS = Date.parse('2030-01-01T00:00:00Z');

describe('rollouts in PostgreSQL', () => {
  let database: TestDatabase;
  before(async () => {
    database = await testDatabase();
  });
  after(() => database.close());
  const changes = () => changeStore(database.knex, async () => {});
  const rollouts = () => rolloutStore(database.knex);
  const installations = () => installationStore(database.knex, ({ score }) => score);

  /** Adds a release of the installation's plugin; returns its id. */
  const addRelease = async (installationId: string, version: string, state = 'published'): Promise<string> => {
    const id = uuidv7();
    const release = await database
      .knex('releases')
      .join('installations', 'installations.release_id', 'releases.id')
      .where('installations.id', installationId)
      .first('releases.plugin_id');
    await database.knex('releases').insert({
      id,
      plugin_id: release.plugin_id,
      version,
      state,
      manifest: '{}',
      digest: sha256Hex(id),
      bundle_digest: sha256Hex(id),
      bundle_bytes: 1,
      envelope: '{}',
      reviewed_at: new Date(AT_MS),
    });
    return id;
  };
  const begun = async (state: NewRollout['state'], facts: object = { event: 'updated' }) => {
    const installationId = await addInstallation(database);
    const { releaseId: fromReleaseId } = (await installations().byId(installationId))!;
    const toReleaseId = await addRelease(installationId, '1.1.0');
    const begin: NewRollout = {
      id: uuidv7(),
      fromReleaseId,
      toReleaseId,
      state,
      cause: 'operator',
      percent: 10,
      promoteAfterSeconds: 60,
      grants: ['kv', 'log'],
      config: { a: 1 },
      fromGrants: ['kv'],
      fromConfig: {},
      reason: 'x'.repeat(5_000),
      facts: facts as never,
    };
    const change: Change = { installationId, revision: 1, atMs: AT_MS, begin, lines: [] };
    expect(await changes().write(change)).to.equal(true);
    return { installationId, fromReleaseId, toReleaseId, rolloutId: begin.id, change };
  };

  it('are made once at a time: a lease has one owner, ends by itself, and is given back by its owner only', async () => {
    const id = await addInstallation(database);
    const racing = await Promise.all(Array.from({ length: 5 }, () => changes().take(id, 60_000)));
    const [lease, ...more] = racing.filter((each) => each !== null);
    expect(more).to.deep.equal([]);
    expect(lease!.revision).to.equal(1);
    await changes().release(id, { ...lease!, leaseId: uuidv7() });
    expect(await changes().take(id, 60_000)).to.equal(null);
    await changes().keep(id, lease!, -1);
    const next = await changes().take(id, 60_000);
    expect(next).not.to.equal(null);
    await changes().keep(id, lease!, 60_000);
    await changes().release(id, next!);
    expect(await changes().take(id, 60_000)).not.to.equal(null);
  });

  it('write all of a change or nothing, and nothing over a change that came first', async () => {
    const { installationId, change, toReleaseId } = await begun('done');
    const set = {
      releaseId: toReleaseId,
      grants: ['kv' as const],
      follows: '^1',
      canaryPercent: 5,
      promoteAfterSeconds: null,
    };
    const change2 = { ...change, begin: undefined, set, lines: [{ level: 'info' as const, message: 'x', facts: {} }] };
    expect(await changes().write(change2)).to.equal(true);
    expect(await changes().write(change2)).to.equal(false);
    const after = (await installations().byId(installationId))!;
    expect(after).to.deep.include({ releaseId: toReleaseId, grants: ['kv'], version: '1.1.0' });
    expect(after.updates).to.deep.include({ follows: '^1', canaryPercent: 5, promoteAfterSeconds: null });
    const broken = { ...change, revision: 2, set: { enabled: false }, begin: { ...change.begin!, percent: 101 } };
    const failed = await changes()
      .write(broken)
      .catch(({ code }) => code);
    expect(failed).to.equal('23514');
    expect((await installations().byId(installationId))!.enabled).to.equal(true);
    expect(await database.knex('installation_logs').where({ installation_id: installationId })).to.have.length(1);
  });

  it('have one canary at a time, which its installation shows with its terms', async () => {
    const { installationId, toReleaseId, fromReleaseId, rolloutId, change } = await begun('canary');
    expect((await installations().byId(installationId))!.updates.canary).to.deep.include({
      rolloutId,
      releaseId: toReleaseId,
      version: '1.1.0',
      percent: 10,
    });
    expect(await rollouts().canaryOf(installationId)).to.deep.include({
      fromReleaseId,
      toReleaseId,
      grants: ['kv', 'log'],
      fromGrants: ['kv'],
      config: { a: 1 },
    });
    expect(await rollouts().withCanary()).to.include(installationId);
    const second = changes().write({ ...change, begin: { ...change.begin!, id: uuidv7() } });
    expect(await second.catch(({ code }) => code)).to.equal('23505');
    const end = [{ state: 'canary', as: 'rolled-back', reason: 'It failed.' } as const];
    await changes().write({ ...change, begin: undefined, end });
    expect((await installations().byId(installationId))!.updates.canary).to.equal(null);
    const [ended] = (await rollouts().page(installationId, {})).items;
    expect(ended).to.deep.include({
      state: 'rolled-back',
      reason: 'It failed.',
      fromVersion: '1.0.0',
      toVersion: '1.1.0',
    });
  });

  it('add up what several hosts have seen, and lose nothing that could not be written', async () => {
    const { rolloutId } = await begun('canary');
    const store = sampleStore(database.knex);
    let isDown = true;
    const failing = {
      add: async (...counts: Parameters<typeof store.add>) => {
        if (isDown) throw new Error('down');
        return store.add(...counts);
      },
    };
    const hosts = [sampleMeter(failing), sampleMeter(store)];
    for (const host of hosts) {
      host.add(rolloutId, 'canary', 5);
      host.add(rolloutId, 'canary', null);
      host.add(rolloutId, 'stable', 500);
      host.add(uuidv7(), 'stable', 1);
    }
    await hosts[0]!.flush().catch(() => {});
    isDown = false;
    hosts[0]!.add(rolloutId, 'canary', 5);
    await Promise.all(hosts.map((host) => host.flush()));
    const { stable, canary } = await rollouts().samplesOf(rolloutId);
    expect([canary.calls, canary.errors, canary.durations[bucketOf(5)]]).to.deep.equal([5, 2, 3]);
    expect([stable.calls, stable.errors, stable.durations[bucketOf(500)]]).to.deep.equal([2, 0, 2]);
  });

  it('tell what the policy must not choose, until something has changed where that may help', async () => {
    const dropped = await begun('rolled-back');
    expect([...(await rollouts().avoided(dropped.installationId))]).to.deep.equal([dropped.toReleaseId]);
    const left = await begun('done', { event: 'rolled-back' });
    expect([...(await rollouts().avoided(left.installationId))]).to.deep.equal([left.fromReleaseId]);
    expect([...(await rollouts().avoided((await begun('done')).installationId))]).to.deep.equal([]);
    const failed = await begun('failed');
    expect([...(await rollouts().avoided(failed.installationId))]).to.deep.equal([failed.toReleaseId]);
    await database
      .knex('rollouts')
      .where({ id: failed.rolloutId })
      .update({ ended_at: new Date(0) });
    expect([...(await rollouts().avoided(failed.installationId))]).to.deep.equal([]);
  });

  it('follow for those who are enabled, there, and without a canary', async () => {
    const { installationId, toReleaseId } = await begun('done');
    const change = (values: object) => database.knex('installations').where({ id: installationId }).update(values);
    const follows = async (releaseId?: string) =>
      (await rollouts().following(releaseId)).some((each) => each.installationId === installationId);
    expect(await follows()).to.equal(false);
    await change({ follows: '^1' });
    expect([
      await follows(),
      await follows(toReleaseId),
      await follows((await begun('done')).toReleaseId),
    ]).to.deep.equal([true, true, false]);
    await change({ enabled: false });
    expect(await follows()).to.equal(false);
    await change({ enabled: true, deleted_at: new Date() });
    expect(await follows()).to.equal(false);
    const canary = await begun('canary');
    await database.knex('installations').where({ id: canary.installationId }).update({ follows: 'latest' });
    expect((await rollouts().following()).map((each) => each.installationId)).not.to.include(canary.installationId);
  });

  it('remember what a release was left with, and which ones ran', async () => {
    const { installationId, fromReleaseId, toReleaseId } = await begun('done');
    const left = { releaseId: fromReleaseId, grants: ['kv'], config: {} };
    expect(await rollouts().lastLeft(installationId, { presentReleaseId: toReleaseId })).to.deep.equal(left);
    expect(await rollouts().lastLeft(installationId, { releaseId: fromReleaseId })).to.deep.equal(left);
    expect(await rollouts().lastLeft(installationId, { releaseId: toReleaseId })).to.equal(null);
    expect(await rollouts().ranBefore(installationId)).to.deep.equal(new Set([fromReleaseId, toReleaseId]));
    const back = await begun('done', { event: 'rolled-back' });
    expect(await rollouts().lastLeft(back.installationId, { presentReleaseId: back.toReleaseId })).to.equal(null);
    const { installationId: other } = await begun('failed');
    expect(await rollouts().ranBefore(other)).to.deep.equal(new Set());
  });

  it('end with the installation: what it stored goes when its grace is over', async () => {
    const { installationId, change, rolloutId } = await begun('canary');
    await database.knex('kv_entries').insert({ installation_id: installationId, key: 'x', value: '1', version: 1 });
    await sampleStore(database.knex).add([{ rolloutId, arm: 'canary', bucket: 1, calls: 1 }]);
    const removal = { atMs: AT_MS, purgeAtMs: AT_MS + 1_000 };
    await changes().write({ ...change, begin: undefined, set: { removal } });
    const stored = () => database.knex('kv_entries').where({ installation_id: installationId });
    const purge = (nowMs: number) =>
      purgeRemoved({ store: installations(), log: { error: expect.fail }, nowMs: () => nowMs })(
        new AbortController().signal,
      );
    await purge(AT_MS + 999);
    expect(await stored()).to.have.length(1);
    await Promise.all([purge(AT_MS + 1_000), purge(AT_MS + 1_000)]);
    expect(await stored()).to.deep.equal([]);
    const { operator_id: operatorId } = await database.knex('installations').where({ id: installationId }).first();
    expect(await installations().removed(operatorId, installationId, AT_MS)).to.deep.equal({ purged: true });
    expect(await installations().restore(operatorId, installationId, AT_MS)).to.equal(false);
  });
});
