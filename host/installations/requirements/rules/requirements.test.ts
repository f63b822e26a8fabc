import { expect } from 'chai';
import fc from 'fast-check';
import semver from 'semver';
import { brokenDemands, type Candidate, demandsOf, type Present, unmetDemands } from './requirements.ts';
import { resolveDemands } from './resolve-demands.ts';

type Needs = Record<string, string>;
const of = (plugin: string, version: string, needs: Needs = {}): Candidate => ({
  plugin: `acme/${plugin}`,
  version,
  requires: Object.entries(needs).map(([name, range]) => ({ plugin: `acme/${name}`, range })),
});
const present = (slug: string, version: string, needs: Needs = {}, plugin = slug): Present => ({
  ...of(plugin, version, needs),
  id: `id of ${slug}`,
  slug,
});
const messages = (wanted: Candidate, there: Present[], versions: string[]) =>
  unmetDemands(wanted, there, () => versions).map(({ message }) => message);

describe('demands of a release', () => {
  it('are its dependencies that are not optional', () => {
    const routes = ['GET /'];
    const dependencies = [
      { plugin: 'acme/b', range: '^1', routes },
      { plugin: 'acme/c', range: '*', routes, optional: true },
    ];
    expect(demandsOf({ dependencies })).to.deep.equal([{ plugin: 'acme/b', range: '^1' }]);
    expect(demandsOf({})).to.deep.equal([]);
  });

  it('are met by any installation that fits, and by itself', () => {
    const wanted = of('a', '1.2.0', { b: '^2' });
    expect(messages(wanted, [present('b', '1.0.0'), present('b-2', '2.1.0', {}, 'b')], [])).to.deep.equal([]);
    expect(messages(of('a', '1.2.0', { a: '^1' }), [], [])).to.deep.equal([]);
  });

  it('that are not met say what is missing', () => {
    const wanted = of('a', '1.2.0', { b: '^2' });
    expect(messages(wanted, [], ['2.0.0'])).to.deep.equal([
      "acme/a 1.2.0 requires acme/b ^2, which is not installed: gate install 'acme/b@^2' --as <slug>",
    ]);
    expect(messages(wanted, [present('b', '1.3.0')], ['1.3.0', '2.0.0'])).to.deep.equal([
      "Because acme/a 1.2.0 requires acme/b ^2, and b is 1.3.0, it has to come first: gate update b '^2'",
    ]);
    expect(messages(wanted, [], ['1.3.0'])).to.deep.equal([
      'Because acme/a 1.2.0 requires acme/b ^2, and no published version fits that, it cannot be had.',
    ]);
  });

  it('are explained by the newest versions and so many others as a host can look at', () => {
    let looks = 0;
    const there = Array.from({ length: 300 }, (_, at) => ({
      ...present(`other-${at}`, '1.0.0'),
      requires: [
        {
          plugin: 'acme/b',
          get range() {
            looks += 1;
            return `>=1.0.0 <${at + 400}.0.0`;
          },
        },
      ],
    }));
    const versions = Array.from({ length: 300 }, (_, at) => `1.${at}.0`);
    expect(messages(of('a', '1.2.0', { b: '^1' }), [present('b', '0.1.0'), ...there], versions)[0]).to.contain(
      'it has to come first: gate update b',
    );
    expect(looks).to.be.at.most(10_000);
  });

  it('that conflict with those of another say which two', () => {
    const there = [present('b', '1.3.0'), present('c', '1.0.0', { b: '^1' })];
    expect(messages(of('a', '1.2.0', { b: '^2' }), there, ['1.3.0', '2.0.0'])).to.deep.equal([
      "Because acme/a 1.2.0 requires acme/b ^2 and c (acme/c 1.0.0) requires acme/b ^1, no one version of acme/b serves all of them; install another beside b: gate install 'acme/b@^2' --as <slug>",
    ]);
    // A version that serves both is no conflict.
    expect(messages(of('a', '1.2.0', { b: '>=1.5' }), there, ['1.3.0', '1.6.0'])[0]).to.include(
      "gate update b '>=1.5'",
    );
  });
});

describe('demands of others', () => {
  const c = present('c', '1.0.0', { b: '^1' });
  const b = present('b', '1.3.0');

  it('keep an installation from going, and from a version that does not fit', () => {
    expect(brokenDemands(b, null, [b, c])).to.deep.equal([
      'c (acme/c 1.0.0) requires acme/b ^1, and nothing else that is installed fits.',
    ]);
    expect(brokenDemands(b, '2.0.0', [b, c])).to.deep.equal([
      'c (acme/c 1.0.0) requires acme/b ^1, and 2.0.0 does not fit.',
    ]);
    expect(brokenDemands(b, '1.4.0', [b, c])).to.deep.equal([]);
  });

  it('are no reason where another installation fits, or where they were not met before', () => {
    expect(brokenDemands(b, null, [b, c, present('b-too', '1.1.0', {}, 'b')])).to.deep.equal([]);
    expect(brokenDemands(b, null, [b, present('c', '1.0.0', { b: '^2' })])).to.deep.equal([]);
    const self = present('b', '1.3.0', { b: '^1' });
    expect(brokenDemands(self, null, [self])).to.deep.equal([]);
  });
});

describe('resolveDemands', () => {
  const catalogueOf =
    (...all: Candidate[]) =>
    (plugin: string) =>
      all.filter((each) => each.plugin === plugin);
  const steps = (wanted: Candidate, there: Present[], ...all: Candidate[]) => {
    const found = resolveDemands(wanted, there, catalogueOf(...all));
    return 'steps' in found ? found.steps.map(({ plugin, version }) => `${plugin}@${version}`) : found.conflict;
  };

  it('takes the newest that fits, what is required first, and nothing that is there', () => {
    const all = [
      of('b', '2.0.0', { c: '^1' }),
      of('b', '2.1.0', { c: '^1', d: '*' }),
      of('c', '1.0.0'),
      of('c', '2.0.0'),
    ];
    expect(steps(of('a', '1.0.0', { b: '^2' }), [present('d', '1.0.0')], ...all)).to.deep.equal([
      'acme/c@1.0.0',
      'acme/b@2.1.0',
    ]);
  });

  it('goes back to an older version where two demands do not go together', () => {
    const all = [of('b', '1.0.0', { c: '^1' }), of('b', '1.1.0', { c: '^2' }), of('c', '1.0.0'), of('c', '2.0.0')];
    expect(steps(of('a', '1.0.0', { b: '^1', c: '^1' }), [], ...all)).to.have.members(['acme/c@1.0.0', 'acme/b@1.0.0']);
  });

  it('says which demands are in the way of each other where nothing goes together', () => {
    const all = [of('b', '1.1.0', { c: '^2' }), of('c', '1.0.0'), of('c', '2.0.0')];
    expect(steps(of('a', '1.0.0', { b: '^1', c: '^1' }), [], ...all)).to.deep.equal([
      'Because acme/a 1.0.0 requires acme/c ^1 and acme/b 1.1.0 requires acme/c ^2, 1.0.0 serves only one of them.',
    ]);
    expect(steps(of('a', '1.0.0', { b: '^3' }), [], ...all)).to.deep.equal([
      'Because acme/a 1.0.0 requires acme/b ^3, and there is only 1.1.0, it cannot be had.',
    ]);
    expect(steps(of('a', '1.0.0', { x: '*' }), [])).to.deep.equal([
      'Because acme/a 1.0.0 requires acme/x *, which has no published version, it cannot be had.',
    ]);
  });

  it('cuts circles', () => {
    const all = [of('b', '1.0.0', { c: '*' }), of('c', '1.0.0', { a: '*', b: '*' })];
    expect(steps(of('a', '1.0.0', { b: '*' }), [], ...all)).to.deep.equal(['acme/c@1.0.0', 'acme/b@1.0.0']);
    expect(steps(of('a', '1.0.0', { b: '*' }), [], of('b', '1.0.0', { a: '^2' }))[0]).to.match(
      /1\.0\.0 serves only one/,
    );
  });

  it('judges what is installed once for each range, however often plugins require each other', () => {
    const names = Array.from({ length: 12 }, (_, at) => `p${at}`);
    const needs = {
      ...Object.fromEntries(names.map((name) => [name, '>=1.0.0 <9.0.0 || >=1.0.0 <8.0.0'])),
      last: '^2',
    };
    const published = names.flatMap((name) => Array.from({ length: 20 }, (_, at) => of(name, `1.0.${at}`, needs)));
    let looks = 0;
    const there = Array.from({ length: 100 }, (_, at) => ({
      ...present(`old-${at}`, '0.9.0', {}, names[at % names.length]!),
      get version() {
        looks += 1;
        return '0.9.0';
      },
    }));
    const found = resolveDemands(of('wanted', '1.0.0', needs), there, (plugin) => {
      return [...published, of('last', '1.0.0')].filter((each) => each.plugin === plugin);
    });
    expect(found).to.have.property('conflict');
    expect(looks).to.be.at.most(2 * there.length);
  });

  it('finds a choice exactly where there is one, and what it finds meets every demand', () => {
    const names = ['b', 'c', 'd'];
    const needs = fc.dictionary(fc.constantFrom(...names), fc.constantFrom('^1', '^2', '*', '1.0.0'), { maxKeys: 2 });
    const release = fc.tuple(fc.constantFrom(...names), fc.constantFrom('1.0.0', '1.1.0', '2.0.0'), needs);
    fc.assert(
      fc.property(needs, fc.uniqueArray(release, { maxLength: 8, selector: ([n, v]) => n + v }), (wish, releases) => {
        const all = releases.map(([name, version, demands]) => of(name, version, demands));
        const wanted = of('a', '1.0.0', wish);
        const found = resolveDemands(wanted, [], catalogueOf(...all));
        const whole = (chosen: readonly Candidate[]) =>
          chosen.every(({ requires }) =>
            requires.every(({ plugin, range }) =>
              chosen.some((each) => each.plugin === plugin && semver.satisfies(each.version, range)),
            ),
          );
        if ('steps' in found) {
          expect(whole([wanted, ...found.steps])).to.equal(true);
          return;
        }
        expect(found.conflict).not.to.deep.equal([]);
        // Every combination of at most one version each, looked at one by one.
        const options = names.map((name) => [null, ...all.filter(({ plugin }) => plugin === `acme/${name}`)]);
        for (const b of options[0]!)
          for (const c of options[1]!)
            for (const d of options[2]!) {
              const chosen = [wanted, b, c, d].filter((each) => each !== null);
              expect(whole(chosen)).to.equal(false);
            }
      }),
    );
  });
});
