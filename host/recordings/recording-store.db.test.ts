import { expect } from 'chai';
import { v7 as uuidv7 } from 'uuid';
import { type TestDatabase, testDatabase } from '../../migrations/test-database.ts';
import { addInstallation } from '../installations/fake-installation.ts';
import { type NewRecording, type RecordingStore, recordingStore } from './recording-store.ts';
import { DEFAULT_RECORDING } from './rules/settings.ts';

const NOW = Date.UTC(2026, 5, 15, 12);
const DAY_MS = 86_400_000;
const PLENTY = { countPerDay: 100, bytesPerDay: 1_000_000 };

describe('recordings in PostgreSQL', () => {
  let database: TestDatabase;
  let store: RecordingStore;
  let installationId: string;
  let releaseId: string;
  before(async () => {
    database = await testDatabase();
    store = recordingStore(database.knex);
  });
  after(() => database.close());
  beforeEach(async () => {
    installationId = await addInstallation(database);
    ({ release_id: releaseId } = await database
      .knex('installations')
      .where({ id: installationId })
      .first('release_id'));
  });

  const recording = (more: Partial<NewRecording> = {}): NewRecording => ({
    id: uuidv7(),
    installationId,
    releaseId,
    at: new Date(NOW).toISOString(),
    why: 'failed',
    job: 'GET /x',
    outcome: 'plugin-threw',
    redacted: false,
    content: Buffer.from('0123456789'),
    ...more,
  });
  const ids = async (failuresOnly = false) =>
    (await store.page(installationId, {}, failuresOnly)).items.map(({ id }) => id);

  it('come back as they were, the newest first, in pages', async () => {
    const all = [recording(), recording({ why: 'sampled', outcome: 'completed' }), recording({ redacted: true })];
    for (const each of all) expect(await store.add(each, PLENTY)).to.equal('stored');
    expect(await ids()).to.deep.equal(all.map(({ id }) => id).reverse());
    expect(await ids(true)).to.deep.equal([all[2]!.id, all[0]!.id]);
    const first = await store.page(installationId, { limit: 2 }, false);
    expect((await store.page(installationId, { cursor: first.nextCursor! }, false)).items).to.have.length(1);
    const { content, ...entry } = all[0]!;
    expect(await store.byId(entry.id)).to.deep.include({ ...entry, version: '1.0.0', bytes: content.length });
    expect(await store.content(entry.id)).to.deep.equal(content);
    await store.remove(entry.id);
    expect([await store.byId(entry.id), await store.content(entry.id)]).to.deep.equal([null, null]);
  });

  it('are stored once, and for installations that exist', async () => {
    const one = recording();
    expect(await store.add(one, PLENTY)).to.equal('stored');
    const again = { ...one, content: Buffer.from('of another attempt') };
    expect(await store.add(again, PLENTY)).to.equal('dropped');
    expect(await store.content(one.id)).to.deep.equal(one.content);
    expect(await store.add(recording({ installationId: uuidv7() }), PLENTY)).to.equal('dropped');
    await database.knex('installations').where({ id: installationId }).update({ deleted_at: new Date() });
    expect(await store.add(recording(), PLENTY)).to.equal('dropped');
  });

  it('stay within the budget of a day, by number and by bytes, each cause by itself', async () => {
    const two = { countPerDay: 2, bytesPerDay: 1_000 };
    const bytes = { countPerDay: 100, bytesPerDay: 25 };
    const added = async (budget: typeof two, more: Partial<NewRecording> = {}) => store.add(recording(more), budget);
    expect([await added(two), await added(two), await added(two)]).to.deep.equal(['stored', 'stored', 'over-budget']);
    expect(await added(two, { why: 'requested' })).to.equal('stored');
    const tomorrow = () => added(bytes, { at: new Date(NOW + DAY_MS).toISOString() });
    expect([await tomorrow(), await tomorrow(), await tomorrow()]).to.deep.equal(['stored', 'stored', 'over-budget']);
  });

  it('are removed when they are too old or too many, and with their installation', async () => {
    const old = recording({ at: new Date(NOW - 8 * DAY_MS).toISOString() });
    const all = [old, recording(), recording(), recording()];
    for (const each of all) await store.add(each, PLENTY);
    await store.prune(NOW);
    expect(await ids()).to.deep.equal(
      all
        .slice(1)
        .map(({ id }) => id)
        .reverse(),
    );
    await store.configure(installationId, { keepBytes: 20 });
    await store.prune(NOW);
    expect(await ids()).to.deep.equal(
      all
        .slice(2)
        .map(({ id }) => id)
        .reverse(),
    );
    await store.configure(installationId, { keepDays: 1 });
    await store.prune(NOW + 2 * DAY_MS);
    expect(await ids()).to.deep.equal([]);
    await store.add(recording(), PLENTY);
    await database.knex('installations').where({ id: installationId }).update({ deleted_at: new Date() });
    await store.prune(NOW);
    expect(await ids()).to.deep.equal([]);
  });

  it('have settings, which are the default until somebody decides', async () => {
    expect(await store.settingsOf(installationId)).to.deep.equal(DEFAULT_RECORDING);
    const settings = { ...DEFAULT_RECORDING, sampleRate: 0.25, keepBytes: 5_000_000_000, share: 'all' as const };
    // Each a change of its own, at the same time.
    const changes = [{ sampleRate: 0.25 }, { keepBytes: 5_000_000_000 }, { share: 'all' }] as const;
    await Promise.all(changes.map((change) => store.configure(installationId, change)));
    expect(await store.configure(installationId, { failures: true })).to.deep.equal(settings);
    expect(await store.settingsOf(installationId)).to.deep.equal(settings);
    expect((await store.settings()).get(installationId)).to.deep.equal(settings);
  });
});
