import { gzipSync } from 'node:zlib';
import { expect } from 'chai';
import type { Principal } from '../../registry/index.ts';
import type { HostRefusal } from '../errors.ts';
import type { Installation } from '../installations/contract.ts';
import { createRecordings } from './compose.ts';
import type { RecordingEntry } from './contract.ts';
import type { RecordingStore } from './recording-store.ts';
import { DEFAULT_RECORDING, type RecordingSettings, SHARES, type Share } from './rules/settings.ts';

const principal = (slug: string): Principal => ({ organisation: { id: slug, slug } }) as Principal;
const [operator, publisher, otherOperator, otherPublisher] = ['arcade', 'acme', 'casino', 'acme-two'].map(principal);

describe('recordings of an installation', () => {
  let settings: RecordingSettings;
  let entries: Record<string, RecordingEntry>;
  beforeEach(() => {
    settings = DEFAULT_RECORDING;
    const entry = (id: string, more: Partial<RecordingEntry>) =>
      ({ id, installationId: 'i', plugin: 'acme/hello', outcome: 'completed', ...more }) as RecordingEntry;
    entries = {
      good: entry('good', {}),
      bad: entry('bad', { outcome: 'plugin-threw' }),
      // Of a plugin that was installed here before.
      older: entry('older', { plugin: 'acme-two/hello', outcome: 'plugin-threw' }),
    };
  });

  const recordings = createRecordings({
    store: {
      byId: async (id: string) => entries[id] ?? null,
      content: async (id: string) => gzipSync(JSON.stringify({ id })),
      remove: async (id: string) => void delete entries[id],
      page: async (_id: string, _page: object, failuresOnly: boolean) => ({
        items: Object.values(entries).filter(({ outcome }) => !failuresOnly || outcome !== 'completed'),
        nextCursor: null,
      }),
      settingsOf: async () => settings,
      configure: async (_id: string, change: Partial<RecordingSettings>) => {
        settings = { ...settings, ...change };
        return settings;
      },
    } as unknown as RecordingStore,
    flush: async () => {},
    findInstallation: async (id) =>
      id === 'i' ? ({ id, operator: { id: 'arcade' }, plugin: 'acme/hello' } as Installation) : null,
    registry: { loadBundle: async () => ({ code: 'code', sourceMap: null }) },
  });
  const codeOf = (work: Promise<unknown>): Promise<string> =>
    work.then(
      () => 'shown',
      (error) => (error as HostRefusal).code,
    );

  it('are for their operator, whatever is shared, without the code', async () => {
    for (const share of SHARES) {
      settings = { ...DEFAULT_RECORDING, share };
      expect(await codeOf(recordings.list(operator!, 'i', {}))).to.equal('shown');
      for (const id of Object.keys(entries)) expect(await codeOf(recordings.read(operator!, id))).to.equal('shown');
      expect(await codeOf(recordings.bundle(operator!, 'bad'))).to.equal('permission-denied');
    }
  });

  const table: [Share, list: string, good: string, bad: string][] = [
    ['none', 'recordings-not-shared', 'recording-unknown', 'recording-unknown'],
    ['failures', 'shown', 'recording-unknown', 'shown'],
    ['all', 'shown', 'shown', 'shown'],
  ];
  for (const [share, list, good, bad] of table) {
    it(`are shown to the plugin's publisher as far as they are shared: ${share}`, async () => {
      settings = { ...DEFAULT_RECORDING, share };
      const asked = [
        recordings.list(publisher!, 'i', {}),
        recordings.read(publisher!, 'good'),
        recordings.read(publisher!, 'bad'),
      ];
      expect(await Promise.all(asked.map(codeOf))).to.deep.equal([list, good, bad]);
      expect(await codeOf(recordings.bundle(publisher!, 'bad'))).to.equal(bad);
      // Another publisher's code ran there, even if this one's is installed now.
      expect(await codeOf(recordings.read(publisher!, 'older'))).to.equal('recording-unknown');
    });
  }

  it('are unknown to everybody else, however similar their names', async () => {
    settings = { ...DEFAULT_RECORDING, share: 'all' };
    for (const stranger of [otherOperator!, otherPublisher!]) {
      expect(await codeOf(recordings.list(stranger, 'i', {}))).to.equal('installation-unknown');
      expect(await codeOf(recordings.settings(stranger, 'i'))).to.equal('installation-unknown');
      expect(await codeOf(recordings.configure(stranger, 'i', { sampleRate: 1 }))).to.equal('installation-unknown');
      for (const act of [recordings.find, recordings.read, recordings.bundle, recordings.remove]) {
        expect(await codeOf(act(stranger, 'bad'))).to.equal('recording-unknown');
      }
    }
    expect(await codeOf(recordings.read(operator!, 'nothing'))).to.equal('recording-unknown');
  });

  it('are deleted by their operator alone', async () => {
    settings = { ...DEFAULT_RECORDING, share: 'all' };
    expect(await codeOf(recordings.remove(publisher!, 'bad'))).to.equal('permission-denied');
    await recordings.remove(operator!, 'bad');
    expect(await codeOf(recordings.read(operator!, 'bad'))).to.equal('recording-unknown');
  });

  it('are sampled as their publisher likes only where everything is shared with it', async () => {
    const rate = { sampleRate: 0.5 };
    for (const share of ['none', 'failures'] as const) {
      settings = { ...DEFAULT_RECORDING, share };
      expect(await codeOf(recordings.configure(publisher!, 'i', rate))).to.equal('permission-denied');
    }
    settings = { ...DEFAULT_RECORDING, share: 'all' };
    expect(await recordings.configure(publisher!, 'i', rate)).to.include(rate);
    expect(await codeOf(recordings.configure(publisher!, 'i', { ...rate, keepDays: 90 }))).to.equal(
      'permission-denied',
    );
    expect(await recordings.configure(operator!, 'i', { share: 'none' })).to.include({ share: 'none', ...rate });
  });
});
