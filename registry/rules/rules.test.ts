import { expect } from 'chai';
import fc from 'fast-check';
import semver from 'semver';
import { cursorKey, pageLimit, pageOf } from '../page.ts';
import { clashFault, nameFault } from './archive-names.ts';
import { isUuid } from './ids.ts';
import { PERMISSIONS, ROLES_OF_KIND, type TokenRole } from './permissions.ts';
import { isVersion, pluginName } from './plugin-name.ts';
import { jsonDepth, storedText, unstorableTexts } from './stored-text.ts';
import { isSecret, secretHash, secretOf } from './token-secret.ts';
import { compareVersions, newestVersion } from './version.ts';

const roles = fc.constantFrom<TokenRole>(...Object.values(ROLES_OF_KIND).flat());
const random = fc.uint8Array({ minLength: 32, maxLength: 32 });
const identifier = fc.oneof(fc.nat(20).map(String), fc.stringMatching(/^[a-zA-Z-][0-9a-zA-Z-]{0,4}$/));
const versions = fc
  .tuple(fc.array(fc.nat(12), { minLength: 3, maxLength: 3 }), fc.array(identifier, { maxLength: 3 }))
  .map(([core, suffix]) => core.join('.') + (suffix.length > 0 ? `-${suffix.join('.')}` : ''));

describe('token secrets', () => {
  it('are recognised, tell their role and hide nothing but randomness', () => {
    fc.assert(
      fc.property(roles, random, (role, bytes) => {
        const secret = secretOf(role, bytes);
        expect(isSecret(secret)).to.equal(true);
        expect(secret).to.match(/^gh_[a-z]{2,4}_[0-9A-Za-z]{49}$/);
        expect(secretHash(secret)).to.have.length(32);
      }),
    );
  });

  it('differ wherever their random bytes differ', () => {
    fc.assert(
      fc.property(roles, random, random, (role, a, b) => {
        expect(secretOf(role, a) === secretOf(role, b)).to.equal(Buffer.from(a).equals(Buffer.from(b)));
      }),
    );
  });

  it('are not recognised with one character changed', () => {
    fc.assert(
      fc.property(roles, random, fc.nat(), fc.constantFrom(...'0Zaz9'), (role, bytes, place, char) => {
        const secret = secretOf(role, bytes);
        const at = place % secret.length;
        const changed = secret.slice(0, at) + char + secret.slice(at + 1);
        expect(isSecret(changed)).to.equal(changed === secret);
      }),
    );
  });

  it('need exactly 32 random bytes', () => {
    expect(() => secretOf('admin', new Uint8Array(31))).to.throw(TypeError);
  });
});

describe('roles', () => {
  it('belong to exactly one kind of organisation each, but for that of people without one', () => {
    const given = Object.values(ROLES_OF_KIND).flat();
    expect([...given].sort()).to.deep.equal(
      Object.keys(PERMISSIONS)
        .filter((role) => role !== 'user')
        .sort(),
    );
  });
});

describe('compareVersions', () => {
  it('orders versions as SemVer does', () => {
    fc.assert(
      fc.property(versions, versions, (a, b) => {
        expect(Math.sign(compareVersions(a, b))).to.equal(semver.compare(a, b));
      }),
      { numRuns: 1_000 },
    );
  });

  it('orders numbers too large for JavaScript', () => {
    expect(compareVersions('1.0.99999999999999999999', '1.0.99999999999999999998')).to.equal(1);
    expect(compareVersions('1.0.100000000000000000000', '1.0.99999999999999999999')).to.be.greaterThan(0);
  });
});

describe('newestVersion', () => {
  it('is the highest stable one, and a pre-release only where there is nothing else', () => {
    fc.assert(
      fc.property(fc.array(versions, { maxLength: 12 }), (list) => {
        const newest = newestVersion(list.map((version) => ({ version })))?.version ?? null;
        const stable = list.filter((version) => semver.prerelease(version) === null);
        const [highest = null] = semver.rsort([...(stable.length > 0 ? stable : list)]);
        expect(newest === highest || semver.compare(newest!, highest!) === 0).to.equal(true);
      }),
    );
  });
});

describe('archive names', () => {
  it('never let a path out of its folder', () => {
    const path = fc.array(fc.constantFrom('..', '.', '', '/', 'a', 'B', '\\', '\0', 'é', '-', 'c.js'), {
      maxLength: 8,
    });
    fc.assert(
      fc.property(path, fc.constantFrom('', '/'), (segments, joiner) => {
        const name = segments.join(joiner);
        if (nameFault(name) !== null) return;
        expect(new URL(name, 'file:///root/x/').pathname).to.equal(`/root/x/${name}`);
      }),
    );
  });

  it('clash where a file system without case could not hold both', () => {
    const seen = new Map();
    expect(clashFault('a/b/c', seen)).to.equal(null);
    expect(clashFault('a/b/d', seen)).to.equal(null);
    expect(clashFault('A/B/C', seen)).to.contain('occurs twice');
    expect(clashFault('A/b', seen)).to.contain('file and a folder');
    expect(clashFault('a/B/c/d', seen)).to.contain('which is a file');
  });
});

describe('stored text', () => {
  it('leaves what PostgreSQL can hold as it is', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const stored = storedText(text);
        expect(stored.includes('\0')).to.equal(false);
        expect(stored.isWellFormed()).to.equal(true);
        if (!text.includes('\0')) expect(stored).to.equal(text);
      }),
    );
  });

  it('is found wherever it hides in a document, with its pointer', () => {
    expect(unstorableTexts({ a: [{ 'b/~': 'x\0' }], 'c\0': 1 })).to.deep.equal([
      { pointer: '/a/0/b~1~0', message: 'must not hold U+0000 or unpaired surrogates' },
      { pointer: '', message: 'must not have a field whose name holds U+0000 or unpaired surrogates' },
    ]);
  });

  it('tells the depth of any JSON without parsing it', () => {
    const depthOf = (value: unknown): number =>
      typeof value === 'object' && value !== null ? 1 + Math.max(0, ...Object.values(value).map(depthOf)) : 0;
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(jsonDepth(JSON.stringify(value))).to.equal(depthOf(value));
      }),
    );
    expect(jsonDepth('{"[[[\\"[": "]]"}')).to.equal(1);
  });
});

describe('pages', () => {
  const pattern = /^\d+$/;

  it('give every row exactly once, in order', () => {
    fc.assert(
      fc.property(fc.nat(60), fc.integer({ min: 1, max: 20 }), (count, limit) => {
        const rows = Array.from({ length: count }, (_, at) => at);
        const seen: number[] = [];
        let cursor: string | undefined;
        do {
          const after = Number(cursorKey({ cursor }, pattern) ?? -1);
          const page = pageOf(rows.slice(after + 1, after + 2 + limit), limit, (row) => row, String);
          expect(page.items.length).to.be.at.most(limit);
          seen.push(...page.items);
          cursor = page.nextCursor ?? undefined;
        } while (cursor);
        expect(seen).to.deep.equal(rows);
      }),
    );
  });

  it('hold between 1 and 100 items, 50 where nothing is said', () => {
    expect(
      [{}, { limit: 0 }, { limit: -5 }, { limit: 7.9 }, { limit: 1e9 }, { limit: Number.NaN }].map(pageLimit),
    ).to.deep.equal([50, 1, 1, 7, 100, 1]);
  });
});

describe('names', () => {
  it('of plugins are two slugs', () => {
    expect(pluginName('acme/greeter')).to.deep.equal({ publisher: 'acme', name: 'greeter' });
    for (const bad of [
      'acme',
      'acme/',
      '/greeter',
      'acme/greeter/x',
      'Acme/greeter',
      'a--b/greeter',
      'acme/gr\0eter',
    ]) {
      expect(pluginName(bad), bad).to.equal(null);
    }
  });

  it('of versions are SemVer without build metadata', () => {
    fc.assert(fc.property(versions, (version) => isVersion(version) === (semver.valid(version) !== null)));
    for (const bad of ['1.0', 'v1.0.0', '1.0.0+build', '01.0.0', '', `1.0.0-${'a'.repeat(64)}`]) {
      expect(isVersion(bad), bad).to.equal(false);
    }
  });

  it('of rows are UUIDs', () => {
    fc.assert(fc.property(fc.uuid(), (id) => isUuid(id) && isUuid(id.toUpperCase()) && !isUuid(`${id}0`)));
  });
});
