import { expect } from 'chai';
import {
  EVENT_BURST_MAX,
  EVENT_BYTES_MAX,
  EVENT_SUBSCRIBERS_MAX,
  type Manifest,
} from '../../plugins-sdk/contract/index.ts';
import type { NewEvent } from '../events/contract.ts';
import { createBroker } from './broker.ts';
import { closedPorts } from './closed-ports.ts';
import { capabilityCalls } from './compose.ts';
import type { Lineage } from './lineage.ts';
import { memoryKvStore } from './memory-kv-store.ts';
import { testScope } from './test-scope.ts';

const manifest = { events: { publishes: ['item.sold'] } } as Manifest;

function market(answer: { subscribers: number; stored: boolean } = { subscribers: 2, stored: true }) {
  let now = 0;
  let woken = 0;
  const published: { event: NewEvent; key: string }[] = [];
  const calls = capabilityCalls({
    kvStore: memoryKvStore(Date.now),
    ...closedPorts(() => now),
    events: {
      publish: async (event, { invocationId, callSeq, argsSha256 }) => {
        published.push({ event, key: `${invocationId} ${callSeq} ${argsSha256}` });
        return answer;
      },
    },
    onPublished: () => {
      woken += 1;
    },
  });
  const broker = createBroker({ calls, onOutage: () => {} });
  const publish = async (
    { topic = 'item.sold', payload = {} }: { topic?: string; payload?: unknown } = {},
    {
      id = 'i',
      invocationId = 'v',
      seq = 1,
      lineage,
    }: { id?: string; invocationId?: string; seq?: number; lineage?: Lineage } = {},
  ) => {
    const options = lineage === undefined ? {} : { lineage };
    const scope = testScope({ id, grants: ['events'], manifest }, invocationId, 60_000, options);
    const args = JSON.stringify({ topic, payload });
    const { json } = await broker(scope, { invocationId, installationId: id, seq, name: 'events.publish', args });
    return JSON.parse(json);
  };
  return {
    publish,
    published,
    woken: () => woken,
    wait: (ms: number) => {
      now += ms;
    },
  };
}

describe('events.publish', () => {
  it('stores the event one level deeper than what led to it, and has it delivered', async () => {
    const { publish, published, woken } = market();
    const answer = await publish({ payload: { a: 'é' } }, { lineage: { depth: 2, waiting: ['x'] } });
    expect(answer).to.include({ subscribers: 2 });
    const { event } = published[0]!;
    expect(event).to.include({ eventId: answer.eventId, topic: 'item.sold', payload: '{"a":"é"}', depth: 3 });
    expect(event.installation).to.deep.include({ id: 'i', plugin: 'studio/arcade' });
    expect(woken()).to.equal(1);
  });

  it('is the same event when the same call is made again, and another one for every other call', async () => {
    const { publish, published } = market();
    await publish();
    await publish();
    await publish({}, { seq: 2 });
    await publish({}, { invocationId: 'w' });
    await publish({ payload: { a: 1 } });
    const ids = published.map(({ event }) => event.eventId);
    expect(ids[0]).to.equal(ids[1]);
    expect(published[0]!.key).to.equal(published[1]!.key);
    expect(new Set(ids).size).to.equal(4);
  });

  it('refuses topics that are not declared, payloads that are too large and circles, before anything is stored', async () => {
    const { publish, published } = market();
    expect((await publish({ topic: 'item.lost' })).code).to.equal('event-topic-undeclared');
    expect((await publish({ payload: 'x'.repeat(EVENT_BYTES_MAX - 1) })).code).to.equal('event-too-large');
    expect((await publish({}, { lineage: { depth: 4, waiting: [] } })).code).to.equal('call-depth-exceeded');
    expect(published).to.deep.equal([]);
    expect((await publish({ payload: 'x'.repeat(EVENT_BYTES_MAX - 2) })).code).to.equal(undefined);
  });

  it('lets one installation publish so many at once, and others beside it', async () => {
    const { publish, published, wait } = market();
    for (let at = 0; at < EVENT_BURST_MAX + 20; at += 1) await publish({}, { seq: at + 1 });
    expect(published).to.have.length(EVENT_BURST_MAX);
    expect((await publish()).code).to.equal('event-rate-exceeded');
    expect((await publish({}, { id: 'other' })).code).to.equal(undefined);
    wait(1_000);
    expect((await publish()).code).to.equal(undefined);
  });

  it('says when nobody subscribes, when too many do, and when too much is under way', async () => {
    expect(await market({ subscribers: 0, stored: false }).publish()).to.include({ subscribers: 0 });
    const many = await market({ subscribers: EVENT_SUBSCRIBERS_MAX + 1, stored: false }).publish();
    expect(many.code).to.equal('event-backlog-full');
    expect(many.message).to.include(`${EVENT_SUBSCRIBERS_MAX} installations`);
    const full = market({ subscribers: 1, stored: false });
    expect((await full.publish()).code).to.equal('event-backlog-full');
    expect(full.woken()).to.equal(0);
  });
});
