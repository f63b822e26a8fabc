import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { expect } from 'chai';

const root = path.resolve(import.meta.dirname, '../..');

/** One file that breaks each rule of .dependency-cruiser.cjs. */
const VIOLATIONS: Record<string, { file: string; imports: string }> = {
  'no-circular': { file: 'bin/round.ts', imports: './round.ts' },
  resolvable: { file: 'bin/lost.ts', imports: './nowhere.ts' },
  'enter-sandbox-by-index': { file: 'host/peeks-sandbox.ts', imports: '../sandbox/inner.ts' },
  'workbenches-are-for-authors': { file: 'host/debugs.ts', imports: '../sandbox/workbench/index.ts' },
  'enter-registry-by-index': { file: 'host/peeks-registry.ts', imports: '../registry/inner.ts' },
  'contract-is-a-leaf': { file: 'plugins-sdk/contract/grows.ts', imports: '../define-plugin.ts' },
  'sandbox-knows-no-server': { file: 'sandbox/serves.ts', imports: 'koa' },
  'registry-knows-no-http': { file: 'registry/serves.ts', imports: '@koa/router' },
  'rules-are-pure': { file: 'registry/rules/reads.ts', imports: 'node:fs' },
  'features-meet-in-compose': { file: 'registry/review/reaches.ts', imports: '../identity/person.ts' },
  'routes-touch-no-tables': { file: 'host/routes/queries.ts', imports: '../thing-store.ts' },
  'fakes-are-for-tests': { file: 'host/pretends.ts', imports: './fake-thing.ts' },
  'host-is-on-top': { file: 'plugins-sdk/guest/escapes.ts', imports: '../../host/thing-store.ts' },
  'one-door-isolated-vm': { file: 'sandbox/lane.ts', imports: 'isolated-vm' },
  'one-door-piscina': { file: 'host/threads.ts', imports: 'piscina' },
  'one-door-koa': { file: 'host/routes/serves.ts', imports: 'koa' },
  'one-door-database': { file: 'host/queries.ts', imports: 'pg' },
  'one-door-redis': { file: 'host/caches.ts', imports: 'ioredis' },
  'one-door-metrics': { file: 'host/counts.ts', imports: 'prom-client' },
  'one-door-outside': { file: 'host/asks.ts', imports: 'undici' },
  'one-door-passwords': { file: 'registry/accounts/guess.ts', imports: 'bcrypt' },
  'one-door-access-tokens': { file: 'registry/accounts/forge.ts', imports: 'jsonwebtoken' },
  'one-door-mail': { file: 'host/write-letters.ts', imports: 'nodemailer' },
  'one-door-queues': { file: 'host/queues-up.ts', imports: 'bullmq' },
};
const TARGETS = [
  'sandbox/inner.ts',
  'sandbox/workbench/index.ts',
  'registry/inner.ts',
  'plugins-sdk/define-plugin.ts',
  'registry/identity/person.ts',
  'host/thing-store.ts',
  'host/fake-thing.ts',
];

describe('.dependency-cruiser.cjs', () => {
  let folder: string;
  let broken: { from: string; rule: string }[];

  before(() => {
    folder = fs.mkdtempSync(path.join(os.tmpdir(), 'layering-'));
    const write = (file: string, text: string) => {
      fs.mkdirSync(path.dirname(path.join(folder, file)), { recursive: true });
      fs.writeFileSync(path.join(folder, file), text);
    };
    for (const target of TARGETS) write(target, 'export {};\n');
    for (const { file, imports } of Object.values(VIOLATIONS)) write(file, `import '${imports}';\n`);
    // Not a dependency yet, so there is nothing to link to.
    for (const name of [
      'koa',
      '@koa/router',
      'isolated-vm',
      'piscina',
      'pg',
      'ioredis',
      'prom-client',
      'undici',
      'bullmq',
      'bcrypt',
      'jsonwebtoken',
      'nodemailer',
    ]) {
      write(`node_modules/${name}/package.json`, JSON.stringify({ name, version: '1.0.0', main: 'index.js' }));
      write(`node_modules/${name}/index.js`, '');
    }
    fs.copyFileSync(path.join(root, 'tsconfig.json'), path.join(folder, 'tsconfig.json'));
    const cruiser = path.join(root, 'node_modules/dependency-cruiser/bin/dependency-cruiser.mjs');
    const config = path.join(root, '.dependency-cruiser.cjs');
    const folders = ['bin', 'plugins-sdk', 'sandbox', 'registry', 'host'];
    const { stdout } = spawnSync(process.execPath, [cruiser, '--config', config, '--output-type', 'json', ...folders], {
      cwd: folder,
      encoding: 'utf8',
      maxBuffer: 64 * 1024 * 1024,
    });
    const { violations } = JSON.parse(stdout).summary;
    broken = violations.map((each: { from: string; rule: { name: string } }) => ({
      from: each.from,
      rule: each.rule.name,
    }));
  });

  after(() => fs.rmSync(folder, { recursive: true }));

  for (const [rule, { file, imports }] of Object.entries(VIOLATIONS)) {
    it(`forbids ${file} to import ${imports} (${rule})`, () => {
      expect(broken).to.deep.include({ from: file, rule });
    });
  }

  it('has no rule without such a file', () => {
    const names = [
      ...fs.readFileSync(path.join(root, '.dependency-cruiser.cjs'), 'utf8').matchAll(/^ {4}forbid\(\s*'([a-z-]+)'/gm),
    ];
    const doors = [
      ...fs.readFileSync(path.join(root, '.dependency-cruiser.cjs'), 'utf8').matchAll(/^ {4}oneDoor\('([a-z-]+)'/gm),
    ];
    const rules = [...names.map(([, name]) => name), ...doors.map(([, name]) => `one-door-${name}`)];
    expect(rules.sort()).to.deep.equal(Object.keys(VIOLATIONS).sort());
  });
});
