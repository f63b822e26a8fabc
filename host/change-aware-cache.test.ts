import { expect } from 'chai';
import { type ChangeAwareCache, changeAwareCache } from './change-aware-cache.ts';

describe('changeAwareCache', () => {
  const counting = (ttlMs = 60_000, entriesMax?: number) => {
    const loads: string[] = [];
    let release: () => void = () => {};
    let held: Promise<void> | null = null;
    let current = 1;
    const cache = changeAwareCache<number>({
      load: async (key) => {
        loads.push(key);
        const value = current;
        await held;
        return value;
      },
      ttlMs: () => ttlMs,
      ...(entriesMax === undefined ? {} : { entriesMax }),
    });
    return {
      cache,
      loads,
      set: (value: number) => {
        current = value;
      },
      hold: () => {
        held = new Promise((resolve) => {
          release = resolve;
        });
      },
      release: () => {
        held = null;
        release();
      },
    };
  };

  it('loads once for many callers, and answers later ones from memory', async () => {
    const { cache, loads } = counting();
    expect(await Promise.all([cache.find('a'), cache.find('a'), cache.find('a')])).to.deep.equal([1, 1, 1]);
    await cache.find('a');
    expect(loads).to.deep.equal(['a']);
  });

  it('loads again after a change', async () => {
    const { cache, set } = counting();
    await cache.find('a');
    set(2);
    cache.clear();
    expect(await cache.find('a')).to.equal(2);
  });

  it('never keeps or returns what a change overtook while it was loaded', async () => {
    const { cache, hold, release, set, loads } = counting();
    hold();
    const found = cache.find('a');
    set(2);
    cache.clear();
    release();
    expect(await found).to.equal(2);
    expect(await cache.find('a')).to.equal(2);
    expect(loads).to.have.length(2);
  });

  it('forgets what a change concerns, and keeps the rest', async () => {
    const { cache, loads, set } = counting();
    await cache.find('a');
    set(2);
    await cache.find('b');
    cache.forget((value) => value === 1);
    expect(await Promise.all([cache.find('a'), cache.find('b')])).to.deep.equal([2, 2]);
    expect(loads).to.deep.equal(['a', 'b', 'a']);
  });

  it('makes a load again that such a change overtook where it concerns what was read, and no other', async () => {
    const { cache, hold, release, set, loads } = counting();
    hold();
    const found = cache.find('a');
    set(2);
    cache.forget((value) => value === 3);
    cache.forget((value) => value === 1);
    release();
    expect(await found).to.equal(2);
    expect(loads).to.have.length(2);

    hold();
    const other = cache.find('b');
    for (let change = 0; change < 10; change += 1) cache.forget((value) => value === 1);
    release();
    expect(await other).to.equal(2);
    expect(loads, 'whatever happens to others').to.have.length(3);
  });

  it('keeps nothing whose time is over', async () => {
    const { cache, loads } = counting(0);
    await cache.find('a');
    await cache.find('a');
    expect(loads).to.have.length(2);
  });

  it('forgets what nobody asks for before what is asked for often, where there is no room', async () => {
    const { cache, loads } = counting(60_000, 2);
    await cache.find('often');
    const others = Array.from({ length: 20 }, (_, at) => `other-${at}`);
    for (const key of others) {
      await cache.find(key);
      await cache.find('often');
    }
    expect(loads).to.deep.equal(['often', ...others]);
    await cache.find('other-0');
    expect(loads.at(-1)).to.equal('other-0');
  });

  for (const [change, tell] of [
    ['clears everything', (cache) => cache.clear()],
    ['concerns it', (cache) => cache.forget((value) => value === 1)],
  ] as [string, (cache: ChangeAwareCache<number>) => void][]) {
    it(`forgets what was not asked for lately, too, where a change ${change}`, async () => {
      const { cache, set } = counting(60_000, 2);
      await cache.find('a');
      set(2);
      for (const key of ['b', 'c']) await cache.find(key);
      tell(cache);
      expect(await cache.find('a')).to.equal(2);
    });
  }

  it('tells a change of nothing whose time is over', async () => {
    const { cache } = counting(1);
    await cache.find('a');
    await new Promise((resolve) => setTimeout(resolve, 5));
    const asked: number[] = [];
    cache.forget((value) => asked.push(value) > 0);
    expect(asked).to.deep.equal([]);
  });

  it('keeps no failure', async () => {
    let fails = true;
    const cache = changeAwareCache<number>({
      load: async () => {
        if (fails) throw new Error('down');
        return 1;
      },
      ttlMs: () => 60_000,
    });
    await Promise.resolve(cache.find('a')).then(
      () => expect.fail('resolved'),
      (error: Error) => expect(error.message).to.equal('down'),
    );
    fails = false;
    expect(await cache.find('a')).to.equal(1);
  });
});
