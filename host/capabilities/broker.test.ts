import { expect } from 'chai';
import fc from 'fast-check';
import { type CapabilityName, KV_VALUE_BYTES_MAX } from '../../plugins-sdk/contract/index.ts';
import { createBroker, type MeteredCall } from './broker.ts';
import { closedPorts } from './closed-ports.ts';
import { capabilityCalls } from './compose.ts';
import { memoryKvStore } from './memory-kv-store.ts';
import { kvReadCostMs } from './rules/kv-cost.ts';
import { testScope } from './test-scope.ts';

const granted = testScope();
const call = (name: string, args: unknown) => ({
  invocationId: 'v',
  installationId: 'i',
  seq: 1,
  name,
  args: typeof args === 'string' ? args : JSON.stringify(args),
});

describe('createBroker', () => {
  const outages: unknown[] = [];
  const store = memoryKvStore(Date.now);
  const broker = createBroker({
    calls: capabilityCalls({ kvStore: store, ...closedPorts() }),
    onOutage: (error) => outages.push(error),
  });
  const ask = async (name: string, args: unknown, installation = granted) => {
    const { ok, json } = await broker(installation, call(name, args));
    return { ok, value: JSON.parse(json) };
  };

  it('does what is granted and valid', async () => {
    expect(await ask('kv.set', { key: 'x', value: { a: 1 } })).to.deep.equal({ ok: true, value: { version: 1 } });
    expect(await ask('kv.get', { key: 'x' })).to.deep.equal({
      ok: true,
      value: { key: 'x', value: { a: 1 }, version: 1 },
    });
  });

  it('checks the grant before it looks at the arguments', async () => {
    const { value } = await ask('kv.get', 'not even JSON', testScope({ grants: [] }));
    expect(value.code).to.equal('capability-denied');
  });

  it('refuses calls that do not exist, also names of object members', async () => {
    for (const name of ['kv.drop', 'constructor', '__proto__', 'toString', '']) {
      expect((await ask(name, {})).value.code, name).to.equal('capability-unknown');
    }
  });

  it('names the faulty field of bad arguments', async () => {
    const { value } = await ask('kv.set', { key: '', value: 1, ttlSeconds: -1, more: true });
    expect(value.code).to.equal('capability-arguments-invalid');
  });

  it('refuses a value that is too large, with both sizes', async () => {
    const { value } = await ask('kv.set', { key: 'big', value: 'x'.repeat(KV_VALUE_BYTES_MAX) });
    expect(value).to.deep.include({ code: 'kv-value-too-large' });
    expect(value.message).to.include(String(KV_VALUE_BYTES_MAX));
  });

  it('pages through a list without loss or repetition', async () => {
    const installation = testScope({ id: 'pages' });
    for (let at = 0; at < 25; at++) await store.set('pages', { key: `k${at}`, json: String(at) });
    const keys: string[] = [];
    for (let cursor: string | undefined; ; ) {
      const { value } = await ask('kv.list', { limit: 10, ...(cursor && { cursor }) }, installation);
      keys.push(...value.entries.map((entry: { key: string }) => entry.key));
      if (value.cursor === null) break;
      cursor = value.cursor;
    }
    expect(keys).to.deep.equal(Array.from({ length: 25 }, (_, at) => `k${at}`).sort());
  });

  it('reads from the store hardly more than a page has bytes of UTF-8, and loses nothing of what it leaves for the next', async () => {
    const installation = testScope({ id: 'heavy' });
    const json = JSON.stringify('ā'.repeat((KV_VALUE_BYTES_MAX - 2) / 2));
    for (let at = 0; at < 9; at++) await store.set('heavy', { key: `k${at}`, json });
    const pages: string[][] = [];
    for (let cursor: string | undefined; ; ) {
      const { value } = await ask('kv.list', { limit: 1_000, ...(cursor && { cursor }) }, installation);
      pages.push(value.entries.map((entry: { key: string }) => entry.key));
      if (value.cursor === null) break;
      cursor = value.cursor;
    }
    expect(pages).to.deep.equal([['k0', 'k1', 'k2', 'k3'], ['k4', 'k5', 'k6', 'k7'], ['k8']]);
    const range = { prefix: '', afterKey: '', limit: 1_000 };
    expect(await store.list('heavy', range)).to.have.length(5);
  });

  it('hands on the text that is stored, whatever it holds, and looks into none of it', async () => {
    const installation = testScope({ id: 'texts' });
    await fc.assert(
      fc.asyncProperty(fc.array(fc.jsonValue(), { minLength: 1, maxLength: 4 }), async (values) => {
        const keys = values.map((_, at) => `"key" \\ ${at}`);
        const entries = values.map((value, at) => ({ key: keys[at], value: JSON.parse(JSON.stringify(value)) }));
        for (const entry of entries) expect((await ask('kv.set', entry, installation)).ok).to.equal(true);
        const strip = ({ key, value }: { key: string; value: unknown }) => ({ key, value });
        const [one, many, page] = [
          await ask('kv.get', { key: keys[0] }, installation),
          await ask('kv.getMany', { keys: [...keys, 'none'] }, installation),
          await ask('kv.list', { limit: values.length }, installation),
        ];
        expect(strip(one.value)).to.deep.equal(entries[0]);
        expect([...many.value.slice(0, -1).map(strip), many.value.at(-1)]).to.deep.equal([...entries, null]);
        expect(page.value.entries.map(strip)).to.deep.equal(entries);
      }),
      { numRuns: 50 },
    );
    await store.set('texts', { key: 'z', json: '{ "__proto__" : 1e0 }' });
    const { json } = await broker(installation, call('kv.get', { key: 'z' }));
    expect(json).to.equal('{"key":"z","value":{ "__proto__" : 1e0 },"version":1}');
    expect((await broker(installation, call('kv.get', { key: 'none' }))).json).to.equal('null');
  });

  it('bills what is read by its size, and neither what is small nor what is refused', async () => {
    const installation = testScope({ id: 'billed' });
    for (const key of ['a', 'b', 'c', 'd', 'e'])
      await store.set('billed', { key, json: JSON.stringify('ā'.repeat((KV_VALUE_BYTES_MAX - 2) / 2)) });
    await store.set('billed', { key: 'small', json: '"small"' });
    const bill = async (name: string, args: unknown) => {
      const before = installation.hostCpuMs;
      const { json } = await broker(installation, call(name, args));
      return [installation.hostCpuMs - before, kvReadCostMs(Buffer.byteLength(json))];
    };
    for (const [name, args, leastMs] of [
      ['kv.get', { key: 'a' }, 0.75],
      ['kv.getMany', { keys: ['a', 'b', 'c', 'd'] }, 3],
      ['kv.list', {}, 3],
    ] as const) {
      const [billed, tariff] = await bill(name, args);
      expect(billed, name).to.be.closeTo(tariff!, 1e-9).and.to.be.at.least(leastMs);
    }
    for (const [name, args] of [
      ['kv.get', { key: 'small' }],
      ['kv.getMany', { keys: ['a', 'b', 'c', 'd', 'e'] }],
      ['kv.list', { prefix: 's' }],
    ] as const) {
      expect((await bill(name, args))[0], name).to.equal(0);
    }
  });

  it('refuses to read more at once than an isolate can take', async () => {
    const installation = testScope({ id: 'large' });
    const keys = ['a', 'b', 'c', 'd', 'e'];
    for (const key of keys) await store.set('large', { key, json: JSON.stringify('x'.repeat(KV_VALUE_BYTES_MAX - 2)) });
    expect((await ask('kv.getMany', { keys: keys.slice(0, 4) }, installation)).ok).to.equal(true);
    expect((await ask('kv.getMany', { keys }, installation)).value.code).to.equal('kv-read-too-large');
  });

  it('takes a transaction apart before it does anything of it', async () => {
    const faulty = [
      [],
      Array(21).fill({ increment: 'n' }),
      [{ check: 'a' }],
      [{ set: 'a' }],
      [{ set: 'a', delete: 'a', value: 1 }],
      [{ delete: '' }],
    ];
    for (const operations of faulty) {
      const { value } = await ask('kv.transaction', { operations });
      expect(value.code, JSON.stringify(operations)).to.equal('capability-arguments-invalid');
    }
    const huge = [{ increment: 'n' }, { set: 'a', value: 'x'.repeat(KV_VALUE_BYTES_MAX) }];
    expect((await ask('kv.transaction', { operations: huge })).value.code).to.equal('kv-value-too-large');
    const fits = [
      { check: 'n', version: 0 },
      { increment: 'n', by: 2 },
      { set: 'gone', value: null },
      { delete: 'gone' },
    ];
    const { value } = await ask('kv.transaction', { operations: fits });
    expect(value.results).to.deep.equal([{ version: 0 }, { value: 2 }, { version: 1 }, { deleted: true }]);
  });

  it('answers an outage of the store as capability-unavailable and reports the cause to the host only', async () => {
    const broken = { ...store, get: () => Promise.reject(new Error('password=hunter2')) };
    const brokenBroker = createBroker({
      calls: capabilityCalls({ kvStore: broken, ...closedPorts() }),
      onOutage: (error) => outages.push(error),
    });
    const { json } = await brokenBroker(granted, call('kv.get', { key: 'x' }));
    expect(json).to.include('capability-unavailable').and.not.include('hunter2');
    expect(outages).to.have.length(1);
  });

  it('counts every call by its capability, with its size and its end, and no name that a plugin made up', async () => {
    const counted: MeteredCall[] = [];
    const meter = createBroker({
      calls: capabilityCalls({ kvStore: store, ...closedPorts() }),
      onOutage: () => {},
      onCall: (each) => counted.push(each),
    });
    await meter(granted, call('kv.get', { key: 'none' }));
    await meter(testScope({ grants: [] }), call('kv.get', { key: 'none' }));
    await meter(granted, call('kv.set', { key: '' }));
    await meter(granted, call('made.up', {}));
    expect(counted.map(({ capability, code, bytes }) => [capability, code, bytes > 10])).to.deep.equal([
      ['kv', null, true],
      ['kv', 'capability-denied', true],
      ['kv', 'capability-arguments-invalid', true],
    ]);
    expect(counted.every(({ wallMs, installationId }) => wallMs >= 0 && installationId === 'i')).to.equal(true);
  });

  it('refuses what was taken away since the invocation began, and does not give what was granted since', async () => {
    let today: readonly CapabilityName[] | undefined;
    const watched = createBroker({
      calls: capabilityCalls({ kvStore: store, ...closedPorts() }),
      onOutage: () => {},
      grantsOf: () => today,
    });
    const code = async (grants: CapabilityName[]) =>
      JSON.parse((await watched(testScope({ grants }), call('kv.get', { key: 'none' }))).json)?.code ?? 'done';
    expect(await code(['kv'])).to.equal('done');
    today = [];
    expect(await code(['kv'])).to.equal('capability-denied');
    today = ['kv'];
    expect(await code([])).to.equal('capability-denied');
  });

  it('never rejects, whatever the plugin sends', async () => {
    const anything = fc.oneof(fc.json(), fc.string());
    const name = fc.oneof(fc.constantFrom('kv.get', 'kv.set', 'kv.list', 'kv.increment', 'kv.delete'), fc.string());
    await fc.assert(
      fc.asyncProperty(name, anything, async (each, args) => {
        const { json } = await broker(granted, call(each, args));
        JSON.parse(json);
      }),
    );
  });
});
