import { type Harness, HarnessFault, startHarness } from '@gatehouse/plugin-sdk/testing';
import { expect } from 'chai';
import type { Delivery, OrderDocument } from '../src/deliver-order.ts';

const order = (orderId: string, quantity = 1, sku = 'vpn-year') => ({ orderId, lines: [{ sku, quantity }] });
const keysNamed = (prefix: string, count: number) => Array.from({ length: count }, (_, at) => `${prefix}-${at}`);

describe('order-delivery', () => {
  let harness: Harness;
  before(async () => {
    harness = await startHarness({ folder: `${import.meta.dirname}/..`, nowMs: Date.UTC(2026, 10, 21) });
  });
  after(() => harness.close());
  beforeEach(() => harness.reset());

  const load = async (keys: string[], sku = 'vpn-year') => {
    const body = JSON.stringify({ keys });
    return harness.fetch(`/pool/${encodeURIComponent(sku)}`, { method: 'POST', body });
  };
  const free = async (sku = 'vpn-year') =>
    ((await (await harness.fetch(`/pool/${sku}`)).json()) as { free: number }).free;
  const deliver = async (payload: ReturnType<typeof order>, options = {}) =>
    (await harness.deliver('order.paid', payload, options)) as unknown as Delivery;
  const keysOf = ({ items }: Delivery) => items.flatMap(({ keys }) => keys);
  const refusalOf = async (work: Promise<unknown>): Promise<string> =>
    work.then(
      () => 'nothing was refused',
      (error: unknown) => (error instanceof HarnessFault ? error.fault.message : String(error)),
    );

  /** What must hold at every moment: each key has at most one order, and that order is the one that names it. */
  const assertSound = (loaded: string[]) => {
    const entries = Object.entries(harness.kv);
    const owners = entries.filter(([key]) => key.startsWith('key/')) as unknown as [
      string,
      { orderId: string | null },
    ][];
    const orders = entries
      .filter(([key]) => key.startsWith('order/'))
      .map(([, value]) => value as unknown as OrderDocument);
    expect(owners.map(([key]) => key.split('/')[2]).sort()).to.deep.equal([...loaded].sort());
    const delivered = orders.flatMap(({ state, claims }) =>
      state === 'delivered' ? claims.map(({ key }) => key) : [],
    );
    expect(new Set(delivered).size, 'a key was delivered twice').to.equal(delivered.length);
    for (const [name, { orderId }] of owners) {
      const holder = orders.find((each) => each.orderId === orderId);
      const key = name.split('/')[2]!;
      if (orderId !== null)
        expect(
          holder?.claims.map((claim) => claim.key),
          `${key} is lost`,
        ).to.include(key);
      else expect(delivered, `${key} was delivered and is free`).to.not.include(key);
    }
  };

  it('delivers as many keys as were paid for and shows them', async () => {
    await load(keysNamed('KEY', 5));
    const delivery = await deliver(order('o-1', 3));
    expect(delivery).to.include({ orderId: 'o-1', deliveredAt: '2026-11-21T00:00:00.000Z' });
    expect(new Set(keysOf(delivery)).size).to.equal(3);
    const shown = await harness.fetch('/orders/o-1');
    expect(shown.status).to.equal(200);
    expect(await shown.json()).to.deep.equal({ ...delivery, state: 'delivered' });
    expect(await free()).to.equal(2);
  });

  it('adds up the lines of one product and serves several products', async () => {
    await load(keysNamed('VPN', 3));
    await load(keysNamed('TV', 1), 'tv');
    const lines = [
      { sku: 'vpn-year', quantity: 1 },
      { sku: 'tv', quantity: 1 },
      { sku: 'vpn-year', quantity: 2 },
    ];
    const { items } = await deliver({ orderId: 'o-1', lines });
    expect(items.map(({ sku, keys }) => [sku, keys.length])).to.deep.equal([
      ['vpn-year', 3],
      ['tv', 1],
    ]);
  });

  it('gives a repeated event the same delivery', async () => {
    await load(keysNamed('KEY', 5));
    const first = await deliver(order('o-1'), { eventId: 'e-1' });
    harness.clock.advance(60_000);
    expect(await deliver(order('o-1'), { eventId: 'e-1' })).to.deep.equal(first);
    expect(await deliver(order('o-1', 4), { eventId: 'e-2' })).to.deep.equal(first);
    expect(await free()).to.equal(4);
  });

  it('delivers an order once when its event arrives many times at once', async () => {
    const keys = keysNamed('KEY', 40);
    await load(keys);
    const deliveries = await Promise.all(Array.from({ length: 15 }, () => deliver(order('o-1', 2))));
    expect(new Set(deliveries.map((each) => JSON.stringify(each))).size).to.equal(1);
    expect(await free()).to.equal(38);
    assertSound(keys);
    expect(harness.logs.filter(({ message }) => message === 'delivered')).to.have.length(1);
  });

  it('never gives one key to two of many orders at once', async () => {
    const keys = keysNamed('KEY', 60);
    await load(keys);
    const deliveries = await Promise.all(Array.from({ length: 30 }, (_, at) => deliver(order(`o-${at}`, 2))));
    expect(new Set(deliveries.flatMap(keysOf)).size).to.equal(60);
    expect(await free()).to.equal(0);
    assertSound(keys);
  });

  it('serves exactly as many orders as there are keys', async () => {
    const keys = keysNamed('KEY', 7);
    await load(keys);
    const ends = await Promise.allSettled(Array.from({ length: 12 }, (_, at) => deliver(order(`o-${at}`))));
    const served = ends.filter((end) => end.status === 'fulfilled');
    expect(served).to.have.length(7);
    for (const end of ends) if (end.status === 'rejected') expect(String(end.reason)).to.contain('pool-empty');
    assertSound(keys);
  });

  it('goes on where a delivery was cut off, after every single step', async () => {
    const keys = keysNamed('KEY', 4);
    let cuts = 0;
    for (let finished = false; !finished; cuts += 1) {
      harness.reset();
      await load(keys);
      const end = await deliver(order('o-1', 2), { hostCallsMax: Math.max(1, cuts) }).then(
        () => 'finished',
        (error: HarnessFault) => error.fault.code,
      );
      finished = end === 'finished';
      if (!finished) expect(end).to.equal('host-call-limit');
      assertSound(keys);
      const others = await Promise.all([deliver(order('o-2')), deliver(order('o-1', 2)), deliver(order('o-1', 2))]);
      expect(others[1]).to.deep.equal(others[2]);
      expect(keysOf(others[1]!)).to.have.length(2);
      assertSound(keys);
      expect(await free()).to.equal(1);
    }
    expect(cuts).to.be.above(8);
  });

  it('goes on after several deliveries of one order were cut off at once', async () => {
    const keys = keysNamed('KEY', 10);
    await load(keys);
    const cut = (hostCallsMax: number) => deliver(order('o-1', 3), { hostCallsMax }).catch(() => null);
    await Promise.all([cut(2), cut(3), cut(5), cut(6), cut(7), cut(9)]);
    assertSound(keys);
    expect(keysOf(await deliver(order('o-1', 3)))).to.have.length(3);
    expect(await free()).to.equal(7);
    assertSound(keys);
  });

  it('refuses an unknown product and says what to do', async () => {
    expect(await refusalOf(deliver(order('o-1', 1, 'yacht')))).to.match(/^product-unknown: .*POST \/pool\/yacht/);
    expect((await harness.fetch('/orders/o-1')).status).to.equal(404);
    expect((await harness.fetch('/pool/yacht')).status).to.equal(404);
  });

  it('refuses while the pool is empty, and delivers once it was filled', async () => {
    await load(keysNamed('A', 1));
    expect(await refusalOf(deliver(order('o-1', 2)))).to.match(/^pool-empty: "vpn-year" needs 2 more and has 1/);
    expect(await free()).to.equal(1);
    await load(keysNamed('B', 1));
    expect(keysOf(await deliver(order('o-1', 2))).sort()).to.deep.equal(['A-0', 'B-0']);
  });

  it('refuses an order of more keys than one order may have', async () => {
    expect(await refusalOf(deliver(order('o-1', 101)))).to.match(/^order-too-large/);
  });

  it('does not load a key twice, not even one that was delivered', async () => {
    await load(['A', 'B']);
    await deliver(order('o-1'));
    const again = await load(['A', 'B', 'C', 'C']);
    expect(await again.json()).to.deep.equal({ sku: 'vpn-year', added: 1, known: 2 });
    expect(await free()).to.equal(2);
  });

  it('completes a load that was cut off', async () => {
    const body = JSON.stringify({ keys: keysNamed('KEY', 5) });
    await harness.fetch('/pool/vpn-year', { method: 'POST', body, hostCallsMax: 4 }).catch(() => null);
    await load(keysNamed('KEY', 5));
    expect(await free()).to.equal(5);
  });

  it('keeps products apart whose names contain separators', async () => {
    await load(['c'], 'a/b');
    await load(['b/c'], 'a');
    await load(['%2f'], '%');
    expect(keysOf(await deliver(order('o-1', 1, 'a')))).to.deep.equal(['b/c']);
    expect(keysOf(await deliver(order('o/1', 1, 'a/b')))).to.deep.equal(['c']);
    expect(keysOf(await deliver(order('o%2f1', 1, '%')))).to.deep.equal(['%2f']);
  });

  for (const [what, body, status] of [
    ['no JSON', '{', 400],
    ['no list', '{}', 422],
    ['an empty list', '{"keys":[]}', 422],
    ['too many keys', JSON.stringify({ keys: keysNamed('K', 201) }), 422],
    ['a key that is no text', '{"keys":["a",1]}', 422],
    ['a blank key', '{"keys":[" "]}', 422],
  ] as const) {
    it(`refuses to load ${what}`, async () => {
      const response = await harness.fetch('/pool/vpn-year', { method: 'POST', body });
      expect(response.status).to.equal(status);
      expect(await response.json()).to.have.property('code');
    });
  }

  it('warns when few keys are left, and is well', async () => {
    await load(keysNamed('KEY', 5));
    await deliver(order('o-1', 2));
    expect(harness.logs.filter(({ level }) => level === 'warn').map(({ facts }) => facts)).to.deep.equal([
      { sku: 'vpn-year', left: 3 },
    ]);
    expect(await harness.health()).to.deep.equal({ status: 'ok' });
  });
});
