import { Ajv } from 'ajv';
import formats from 'ajv-formats';
import { expect } from 'chai';
import { EVENT_TYPE_NAMES, EVENT_TYPES, type EventType } from './event-types.ts';
import { type EntryFacts, eventsOfEntry, type NewFeedEvent, TOLD_ACTIONS, type ToldEntry } from './events-of-entry.ts';

const ID = '0199b7a0-5a3e-7c6b-8f7e-2f5d1c9f0a11';
const [PUBLISHER, ARCADE, CASINO] = ['publisher', 'arcade', 'casino'];

const facts: EntryFacts = {
  release: async () => ({
    ...{ publisherId: PUBLISHER, plugin: 'acme/hello', version: '1.2.0', digest: 'a'.repeat(64) },
    installations: [
      { id: ID, slug: 'one', operatorId: ARCADE },
      { id: ID, slug: 'two', operatorId: ARCADE },
      { id: ID, slug: 'three', operatorId: CASINO },
    ],
  }),
  installation: async () => ({
    ...{ operatorId: ARCADE, pseudonym: `op_${'0'.repeat(20)}`, publisherId: PUBLISHER, slug: 'hello' },
    ...{ plugin: 'acme/hello', version: '1.2.0', installations: 3 },
  }),
  rating: async () => ({ publisherId: PUBLISHER, organisationId: ARCADE, plugin: 'acme/hello', stars: 4 }),
};
const nothing: EntryFacts = {
  release: async () => null,
  installation: async () => null,
  rating: async () => null,
};

/** What each part of the platform writes, as it stands in the trail. */
const AFTER: Record<string, object> = {
  'scan.finish': { verdict: 'clean', findings: 0 },
  'release.request-changes': { reasons: [{ code: 'other', message: 'No.' }] },
  'release.reject': { reasons: [{ code: 'other', message: 'No.' }] },
  'release.deprecate': { reason: 'Old.', replacement: '2.0.0' },
  'release.yank': { reason: 'Broken.', replacement: null },
  'release.takedown': { reason: 'Harmful.' },
  'installation.updated': { fromVersion: '1.0.0', toVersion: '1.1.0' },
  'installation.canary-rolled-back': { fromVersion: '1.3.0', toVersion: '1.2.0', by: 'judge' },
  'key.revoke': { compromisedSince: null, blockedReleases: 0 },
  'webhook.pause': { failingSince: '2030-01-01T00:00:00.000Z' },
};
const STAGING = { plugin: 'acme/hello', version: '1.2.0', state: 'rolling', percent: 25, reason: 'It did worse.' };
const entry = (action: string, more: Partial<ToldEntry> = {}): ToldEntry => ({
  ...{ id: ID, at: '2030-01-01T00:00:00.000Z', action, outcome: 'done', organisationId: ARCADE },
  subject: { kind: 'x', id: action.startsWith('key.') ? 'b'.repeat(64) : ID },
  after: action.startsWith('staging.') ? STAGING : AFTER[action],
  ...more,
});
const typesFor = (events: NewFeedEvent[], organisationId: string) =>
  events.filter((event) => event.organisationId === organisationId).map(({ type }) => type);

describe('eventsOfEntry', () => {
  it('makes every type that is documented, each as its schema says', async () => {
    const ajv = formats.default(new Ajv({ allErrors: true }));
    const made = new Set<EventType>();
    const entries = [
      ...TOLD_ACTIONS.map((action) => entry(action)),
      entry('release.approve', { after: { state: 'approved' } }),
    ];
    for (const each of entries) {
      for (const { type, payload } of await eventsOfEntry(each, facts)) {
        const validate = ajv.compile(EVENT_TYPES[type].payload);
        expect(validate(payload), `${type} ${JSON.stringify(validate.errors)}`).to.equal(true);
        // A member that no schema names would be told to people unseen.
        expect(Object.keys(EVENT_TYPES[type].payload.properties)).to.include.members(Object.keys(payload as object));
        made.add(type);
      }
    }
    expect([...made].sort()).to.deep.equal([...EVENT_TYPE_NAMES].sort());
  });

  it('tells each operator of a release that is taken down which of theirs it concerns, and of nobody else', async () => {
    const told = await eventsOfEntry(entry('release.takedown'), facts);
    expect(told.map(({ organisationId }) => organisationId)).to.deep.equal([PUBLISHER, ARCADE, CASINO]);
    const [publisher, arcade, casino] = told.map(({ payload }) => payload as { installations?: { slug: string }[] });
    expect(publisher).not.to.have.property('installations');
    expect(arcade!.installations!.map(({ slug }) => slug)).to.deep.equal(['one', 'two']);
    expect(casino!.installations!.map(({ slug }) => slug)).to.deep.equal(['three']);
  });

  it('tells operators of what an import has stopped, as of what was stopped here', async () => {
    for (const event of ['release.yank', 'release.takedown', 'release.deprecate']) {
      const imported = entry('release.import', { after: { ...AFTER[event], event, outcome: 'updated' } });
      expect(await eventsOfEntry(imported, facts)).to.deep.equal(await eventsOfEntry(entry(event), facts));
    }
    for (const event of ['release.import', null])
      expect(await eventsOfEntry(entry('release.import', { after: { event } }), facts)).to.deep.equal([]);
  });

  it('tells a publisher of an installation without anything that says whose it is', async () => {
    for (const action of [
      'installation.installed',
      'installation.updated',
      'installation.canary-rolled-back',
      'installation.suspended',
    ]) {
      const told = await eventsOfEntry(entry(action), facts);
      const text = JSON.stringify(told.filter((event) => event.organisationId === PUBLISHER));
      expect(text).to.include('op_0000');
      for (const secret of [ARCADE, ID, '"slug"', '"hello"']) expect(text, action).not.to.include(secret);
    }
  });

  it('says what an installation was moved to, whatever it runs by now', async () => {
    const [own, theirs] = await eventsOfEntry(entry('installation.updated'), facts);
    expect(own!.payload).to.include({ release: '1.1.0', fromRelease: '1.0.0', toRelease: '1.1.0' });
    expect(theirs!.payload).to.include({ release: '1.1.0', fromRelease: '1.0.0' });
    const [halted] = await eventsOfEntry(entry('installation.canary-rolled-back'), facts);
    expect(halted!.payload).to.include({ release: '1.2.0', toRelease: '1.3.0', by: 'judge' });
  });

  it('tells what is held from what is published', async () => {
    const approve = (state: string) => eventsOfEntry(entry('release.approve', { after: { state } }), facts);
    expect(typesFor(await approve('approved'), PUBLISHER)).to.deep.equal(['release.approved']);
    expect(typesFor(await approve('published'), PUBLISHER)).to.deep.equal(['release.published']);
  });

  it('tells nothing of what was refused, of what is no event, and of what is not there any more', async () => {
    expect(await eventsOfEntry(entry('release.publish', { outcome: 'refused' }), facts)).to.deep.equal([]);
    expect(await eventsOfEntry(entry('token.issue'), facts)).to.deep.equal([]);
    for (const action of TOLD_ACTIONS.filter((each) => !/^(key|webhook|staging)\./.test(each)))
      expect(await eventsOfEntry(entry(action), nothing), action).to.deep.equal([]);
  });
});
