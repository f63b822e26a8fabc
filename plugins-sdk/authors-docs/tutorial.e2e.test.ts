import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { expect } from 'chai';
import { startTestPlatform, type TestPlatform } from '../../host/e2e/test-platform.ts';
import { walkPage } from './walk-page.ts';

const PAGES = resolve(import.meta.dirname, '../../docs/authors');

describe('the pages for authors', () => {
  let platform: TestPlatform;
  let folder: string;
  before(async () => {
    platform = await startTestPlatform({ GATEHOUSE_CORDONS: '1' });
    folder = await mkdtemp(join(tmpdir(), 'gatehouse-pages-'));
  });
  after(async () => {
    await platform?.close();
    await rm(folder, { recursive: true, force: true });
  });

  const walk = async (page: string, replace: Record<string, string> = {}) => {
    const { publisher, operator, moderator } = platform.credentials;
    await walkPage(await readFile(join(PAGES, page), 'utf8'), {
      folder: await mkdtemp(join(folder, 'reader-')),
      env: {
        PATH: process.env.PATH!,
        GATEHOUSE: platform.host.url,
        PUBLISHER_TOKEN: publisher,
        OPERATOR_TOKEN: operator,
        MODERATOR_TOKEN: moderator,
      },
      replace,
    });
  };

  it('lead from nothing to a plugin that an operator calls', async () => {
    await walk('tutorial.md', { 8787: String(await freePort()) });
    const { items } = await platform.as.operator.listInstallations();
    expect(items.map(({ plugin, slug }) => [plugin, slug])).to.deep.include(['acme-labs/hello', 'greeter']);
  }).timeout(300_000);

  it('lead from a failure in production to its correction', async () => {
    // The operator tells its publisher which installation it is.
    const listed = 'gate installations --json | grep -B 1 \'"slug": "orders"\' | grep \'"id"\' | cut -d \'"\' -f 4';
    await walk('replay.md', { $INSTALLATION: `$(GATEHOUSE_TOKEN=$OPERATOR_TOKEN ${listed})` });
    const { items } = await platform.as.operator.listInstallations();
    expect(items.map(({ slug }) => slug)).to.include('orders');
  }).timeout(300_000);
});

const freePort = () =>
  new Promise<number>((done) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number };
      server.close(() => done(port));
    });
  });
