import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { expect } from 'chai';
import { contextOf, inContext } from '../database-context.ts';
import { startTestPlatform, type TestPlatform } from '../e2e/test-platform.ts';
import { seedAccounts } from './accounts.ts';

describe('seedAccounts', function () {
  this.timeout(120_000);
  let platform: TestPlatform;
  before(async () => {
    platform = await startTestPlatform({ GATEHOUSE_DEV_MAILBOX: 'true' });
  });
  after(() => platform.close());

  const post = (target: string, body: object) =>
    fetch(platform.host.url + target, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });

  it('goes on where a start broke off between a registration and its mail, and where passwords are lost', async () => {
    const otto = { username: 'otto', password: 'Correct-Horse-77-Battery', email: 'otto@example.com' };
    expect((await post('/v1/accounts', otto)).status).to.equal(202);
    const { host, credentials, folder } = platform;
    while (!(await (await fetch(`${host.url}/dev/mailbox`)).text()).includes(otto.email)) await setTimeout(20);
    const { organisations } = host.people;
    const invite: typeof organisations.invite = (actor, command) =>
      inContext(contextOf(actor), () => organisations.invite(actor, command));
    const admin = (await host.registry.authenticate(credentials.admin))!;
    for (const name of ['first.json', 'lost.json', 'lost.json']) {
      const file = path.join(folder, name);
      const made = await seedAccounts({ url: host.url, admin, organisations: { invite }, file });
      expect(Object.keys(JSON.parse(await readFile(file, 'utf8')))).to.deep.equal(['ada', 'otto', 'mona']);
      for (const { username: login, password } of made) {
        expect((await post('/v1/sessions', { login, password, device: 'demo' })).ok, login).to.equal(true);
      }
    }
  });
});
