import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { bundlePlugin } from './bundle-plugin.ts';
import { type Harness, startHarness } from './testing/index.ts';

/** By route: a plugin's file that uses one real package, and what it answers. */
const PACKAGES: Record<string, { source: string; answers: unknown }> = {
  zod: {
    source: `import { z } from 'zod';
      const Order = z.object({ sku: z.string().min(1), quantity: z.number().int().positive() });
      export default () => {
        const refused = Order.safeParse({ sku: '', quantity: 1.5 });
        return [Order.parse({ sku: 'a', quantity: 2 }), refused.error?.issues.map(({ path }) => path)];
      };`,
    answers: [{ sku: 'a', quantity: 2 }, [['sku'], ['quantity']]],
  },
  nanoid: {
    source: `import { customAlphabet, nanoid } from 'nanoid';
      export default () => [nanoid().length, /^[ab]{12}$/.test(customAlphabet('ab', 12)()), nanoid() !== nanoid()];`,
    answers: [21, true, true],
  },
  'date-fns': {
    source: `import { addBusinessDays, format, parseISO } from 'date-fns';
      export default () => format(addBusinessDays(parseISO('2026-11-20T10:00:00'), 3), 'EEEE d MMMM yyyy, HH:mm');`,
    answers: 'Wednesday 25 November 2026, 10:00',
  },
  uuid: {
    source: `import { v4, v5, validate, version } from 'uuid';
      export default () => [v5('www.example.com', v5.DNS), version(v4()), validate(v4())];`,
    answers: ['2ed6657d-e927-568b-95e1-2665a8aea6a2', 4, true],
  },
  semver: {
    source: `import semver from 'semver';
      export default () => [semver.satisfies('1.2.9', '^1.2.3'), semver.inc('1.2.3', 'minor'), semver.valid('no')];`,
    answers: [true, '1.3.0', null],
  },
  'lru-cache': {
    source: `import { LRUCache } from 'lru-cache';
      export default () => {
        const cache = new LRUCache({ max: 2 });
        for (const key of ['a', 'b', 'c']) cache.set(key, 1);
        return [...cache.keys()];
      };`,
    answers: ['c', 'b'],
  },
};

const NAMES = Object.keys(PACKAGES);

/** One plugin with a route for each package, and one file for each. */
async function writePlugin(folder: string): Promise<void> {
  const manifest = {
    name: 'packages',
    version: '1.0.0',
    kind: 'plugin',
    publisher: 'acme-labs',
    title: 'Packages',
    description: 'Uses npm packages.',
    category: 'utilities',
    entry: 'src/index.ts',
    engine: '^0.1.0',
    limits: { cpuMs: 1_000, startupCpuMs: 1_000, wallMs: 60_000 },
    routes: NAMES.map((name) => ({ method: 'GET', path: `/${name}`, access: 'public' })),
  };
  const index = [
    `import { definePlugin } from '@gatehouse/plugin-sdk';`,
    ...NAMES.map((name, at) => `import use${at} from './use-${name}.ts';`),
    `export default definePlugin({ routes: { ${NAMES.map((name, at) => `'GET /${name}': use${at}`).join(', ')} } });`,
  ];
  await mkdir(join(folder, 'src'));
  await symlink(fileURLToPath(new URL('../node_modules', import.meta.url)), join(folder, 'node_modules'));
  await writeFile(join(folder, 'gatehouse.json'), JSON.stringify(manifest));
  await writeFile(join(folder, 'src/index.ts'), index.join('\n'));
  for (const name of NAMES) await writeFile(join(folder, `src/use-${name}.ts`), PACKAGES[name]!.source);
}

describe('npm packages in a plugin', () => {
  let folder: string;
  let harness: Harness;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'packages-'));
    await writePlugin(folder);
    harness = await startHarness({ folder });
  });
  after(async () => {
    await harness?.close();
    await rm(folder, { recursive: true });
  });

  for (const name of NAMES) {
    it(`runs ${name}`, async () => {
      const answer = await harness.fetch(`/${name}`);
      expect(await answer.json()).to.deep.equal(PACKAGES[name]!.answers);
    });
  }

  it('leaves out what nothing uses, and says what each package weighs', async () => {
    const { parts } = await bundlePlugin({ folder, manifest: { entry: 'src/index.ts' } });
    const files = (name: string) => parts.filter((part) => part.package === name);
    for (const name of NAMES) expect(files(name), name).to.not.have.length(0);
    // Of some three hundred functions, three and what they need.
    expect(files('date-fns').length).to.be.below(60);
    expect(files('date-fns').every(({ file }) => file.startsWith('node_modules/date-fns/'))).to.equal(true);
  });

  it('refuses one that needs Node.js, and says for what and through whom', async () => {
    await writeFile(
      join(folder, 'src/other.ts'),
      `import split from 'split2'; export default { routes: { 'GET /': () => String(split()) } };`,
    );
    const message = await bundlePlugin({ folder, manifest: { entry: 'src/other.ts' } }).then(
      () => '',
      (error: Error) => error.message,
    );
    expect(message).to.match(/"stream" belongs to Node\.js .*src\/other\.ts → node_modules\/split2\/index\.js/);
  });
});
