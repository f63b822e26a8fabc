import { execFileSync } from 'node:child_process';
import { expect } from 'chai';
import { evaluateInGuest, httpInput, routeBundle, startGuest } from './guest-in-context.ts';

const EVERYTHING = routeBundle(`
  console.log(new Date(), Math.random());
  const bytes = crypto.getRandomValues(new Uint32Array(5));
  await ctx.kv.get('a');
  await new Promise((resolve) => setTimeout(resolve, 3));
  return { now: Date.now(), text: String(new Date()), random: Math.random(), id: crypto.randomUUID(), bytes: [...bytes],
    local: new Date().toLocaleString(), format: new Intl.DateTimeFormat().format(), temporal: String(globalThis.Temporal?.Now.instant()),
    performance: performance.now() };`);

describe('the world that a plugin sees', () => {
  it('is byte-identical for the same seed, clock and host results, in any isolate', async () => {
    const options = { seed: 'c0ffee00'.repeat(8), nowMs: Date.UTC(2026, 10, 21, 12) };
    const runs = await Promise.all([1, 2].map(async () => (await startGuest(EVERYTHING)).run(httpInput(), options)));
    expect(runs[0]!.fault).to.equal(null);
    expect(JSON.stringify(runs[0])).to.equal(JSON.stringify(runs[1]));
    const warm = await startGuest(EVERYTHING);
    const records = [1, 2].map(() => warm.run(httpInput(), options).records.map(({ payload }) => payload));
    expect(records[0]).to.deep.equal(records[1]);
  });

  it("has a Temporal like the engine's, made when it is first looked at, with a Now of its own", async () => {
    const shape = `
      const shapeOf = (owner) => Reflect.ownKeys(owner).map((key) => {
        const { value, writable, enumerable, configurable } = Object.getOwnPropertyDescriptor(owner, key);
        const kind = typeof value === 'function' ? value.name + value.length : typeof value === 'string' ? value : typeof value;
        return [String(key), kind, writable, enumerable, configurable].join();
      }).sort();
      const shapes = [shapeOf(Temporal), shapeOf(Temporal.Now), String(Temporal), String(Temporal.Now)];`;
    const { run } = await startGuest(
      routeBundle(
        `${shape} const { get } = Object.getOwnPropertyDescriptor(globalThis, 'Temporal');
        return [...shapes, get === undefined, new Date(0).toTemporalInstant() instanceof Temporal.Instant,
          Temporal.PlainDate.from('2026-01-31').add({ months: 1 }).toString(), Temporal.Now.plainDateTimeISO().toString()]`,
      ),
    );
    const { response } = run(httpInput(), { nowMs: 5_000 }).output as { response: { body: string } };
    const engine = new Function(`${shape} return shapes`)() as unknown[];
    expect(JSON.parse(response.body)).to.deep.equal([...engine, true, true, '2026-02-28', '1970-01-01T00:00:05']);
  });

  it('differs in every random value with another seed', async () => {
    const { run } = await startGuest(routeBundle(`return [Math.random(), crypto.randomUUID()]`));
    const bodies = ['a', 'b'].map((digit) => JSON.stringify(run(httpInput(), { seed: digit.repeat(64) }).output));
    expect(bodies[0]).to.not.equal(bodies[1]);
  });

  it('stands still within a turn and moves with the host between turns', async () => {
    const { run } = await startGuest(
      routeBundle(`
        const first = Date.now();
        for (let spin = 0; spin < 1e5; spin += 1);
        const second = Date.now();
        await ctx.kv.get('a');
        return [first, second, Date.now(), performance.now()];`),
    );
    const { response } = run(httpInput(), { nowMs: 5_000 }).output as { response: { body: string } };
    expect(JSON.parse(response.body)).to.deep.equal([5_000, 5_000, 5_001, 1]);
  });

  it('has no time and no secrets while the bundle starts', async () => {
    const { run } = await startGuest(`
      const seen = { now: Date.now(), random: Math.random() };
      for (const use of [() => crypto.randomUUID(), () => setTimeout(() => {}, 1)]) {
        try { use() } catch (error) { (seen.refused ??= []).push(error.message.includes('while the bundle starts')) }
      }
      ${routeBundle('return seen')}`);
    const { response } = run(httpInput()).output as { response: { body: string } };
    const seen = JSON.parse(response.body);
    expect(seen).to.deep.include({ now: 0, refused: [true, true] });
    expect(seen.random).to.be.within(0, 1);
  });

  it('makes UUIDs of version 4', async () => {
    expect(await evaluateInGuest('return crypto.randomUUID()')).to.match(
      /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
    );
  });

  it('is in UTC and en-US wherever the machine is', () => {
    const script = `
      import { evaluateInGuest } from ${JSON.stringify(new URL('./guest-in-context.ts', import.meta.url).href)};
      console.log(JSON.stringify(await evaluateInGuest(\`
        const d = new Date(2026, 0, 2, 3, 4, 5);
        const set = new Date(0); set.setHours(23);
        return [d.getTime(), Date.parse('2026-01-02T03:04:05'), Date.parse('Jan 2, 2026 03:04:05'), Date.parse('2026-01-02'),
          d.getHours(), d.getTimezoneOffset(), d.toString(), d.toLocaleString(), new Intl.DateTimeFormat().resolvedOptions().timeZone,
          new Intl.NumberFormat().format(1234.5), (1234.5).toLocaleString(), set.getTime(), globalThis.Temporal ? Temporal.Now.timeZoneId() : 'UTC',
          ['b', 'A', 'a'].sort((x, y) => x.localeCompare(y)), Date(), d instanceof Date, new Date(d).getTime() === d.getTime()];
      \`)));`;
    const run = (environment: Record<string, string>) =>
      execFileSync(process.execPath, ['--input-type=module', '-e', script], { env: environment, encoding: 'utf8' });
    const tokyo = run({ TZ: 'Asia/Tokyo', LANG: 'de_DE.UTF-8', LC_ALL: 'de_DE.UTF-8' });
    const expected = Date.UTC(2026, 0, 2, 3, 4, 5);
    expect(JSON.parse(tokyo)).to.deep.equal([
      expected,
      expected,
      expected,
      Date.UTC(2026, 0, 2),
      3,
      0,
      'Fri Jan 02 2026 03:04:05 GMT+0000 (Coordinated Universal Time)',
      '1/2/2026, 3:04:05 AM',
      'UTC',
      '1,234.5',
      '1,234.5',
      23 * 3_600_000,
      'UTC',
      ['a', 'A', 'b'],
      'Thu Jan 01 1970 00:16:40 GMT+0000 (Coordinated Universal Time)',
      true,
      true,
    ]);
    expect(run({ TZ: 'America/St_Johns', LC_ALL: 'POSIX' })).to.equal(tokyo);
  });

  it('shows dates as engines do', async () => {
    expect(
      await evaluateInGuest(`
        const odd = [new Date(NaN), new Date(-62198755200000), new Date(8.64e15), new Date(-1)];
        return [odd.map(String), odd.map((d) => d.toDateString()), Date.UTC(99, 0), new Date(99, 0).getFullYear(), Date.length,
          Object.prototype.toString.call(new Date()), class Sub extends Date {} && new (class Sub extends Date {})(5).getTime()];`),
    ).to.deep.equal([
      [
        'Invalid Date',
        'Fri Jan 01 -0001 00:00:00 GMT+0000 (Coordinated Universal Time)'.replace('-0001', '-000001'),
        'Sat Sep 13 275760 00:00:00 GMT+0000 (Coordinated Universal Time)',
        'Wed Dec 31 1969 23:59:59 GMT+0000 (Coordinated Universal Time)',
      ],
      ['Invalid Date', 'Fri Jan 01 -000001', 'Sat Sep 13 275760', 'Wed Dec 31 1969'],
      Date.UTC(99, 0),
      1999,
      7,
      '[object Date]',
      5,
    ]);
  });
});

describe('what a plugin does not get', () => {
  it('has no memory that the heap limit does not count, and no view on garbage collection', async () => {
    expect(
      await evaluateInGuest(`
        const buffer = new ArrayBuffer(8, { maxByteLength: 1 << 30 });
        return [typeof WebAssembly, typeof SharedArrayBuffer, typeof Atomics, typeof WeakRef, typeof FinalizationRegistry,
          typeof buffer.resize, 'maxByteLength' in buffer, buffer.byteLength,
          new Uint8Array(2).buffer.constructor === ArrayBuffer, new Uint8Array(2).buffer instanceof ArrayBuffer];`),
    ).to.deep.equal([...Array(5).fill('undefined'), 'undefined', false, 8, true, true]);
  });

  it('cannot make code from strings', async () => {
    expect(
      await evaluateInGuest(`
        const tries = {
          eval: () => eval('1'),
          Function: () => Function('return 1'),
          newFunction: () => new Function('return 1'),
          constructor: () => (() => {}).constructor('return 1'),
          async: () => (async () => {}).constructor('return 1'),
          generator: () => (function* () {}).constructor('yield 1'),
          asyncGenerator: () => (async function* () {}).constructor('yield 1'),
          reflected: () => Reflect.construct((class {}).constructor, ['return 1']),
          timer: () => setTimeout('1'),
        };
        const names = {};
        for (const name in tries) { try { tries[name](); names[name] = 'ran' } catch (error) { names[name] = error.name } }
        return [names, (() => {}) instanceof Function, Function.prototype.call.name];`),
    ).to.deep.equal([
      {
        eval: 'ReferenceError',
        Function: 'EvalError',
        newFunction: 'EvalError',
        constructor: 'EvalError',
        async: 'EvalError',
        generator: 'EvalError',
        asyncGenerator: 'EvalError',
        reflected: 'EvalError',
        timer: 'TypeError',
      },
      true,
      'call',
    ]);
  });
});
