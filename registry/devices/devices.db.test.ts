import { randomBytes } from 'node:crypto';
import { expect } from 'chai';
import { v7 } from 'uuid';
import { createAuditIn } from '../audit/audit-store.ts';
import type { Organisation, Person } from '../contract.ts';
import { issueForMember } from '../identity/issue-token.ts';
import { createTokenStore } from '../identity/token-store.ts';
import { type TestOrganisations, testOrganisations } from '../organisations/test-organisations.ts';
import { refusalOf, type TestRegistry, testRegistry } from '../test-registry.ts';
import { createDevices } from './compose.ts';
import type { Devices } from './contract.ts';

/** RFC 8628, section by section. */
describe('logging in a device', () => {
  let test: TestRegistry;
  let people: TestOrganisations;
  let devices: Devices;
  let ada: Person;
  let organisation: Organisation;
  before(async () => {
    test = await testRegistry();
    people = testOrganisations(test.database, test.clock);
    const nowMs = () => test.clock.nowMs;
    devices = createDevices({
      database: test.database.system,
      system: test.database.system,
      auditIn: createAuditIn({ nowMs, newId: v7, origin: () => null }),
      issueIn: (database) => issueForMember({ tokens: createTokenStore(database), newId: v7, randomBytes }),
      nowMs,
      newId: v7,
    });
    ada = await people.person('ada');
    const command = { id: v7(), slug: 'arcade', kind: 'operator', name: 'Arcade' } as const;
    organisation = await people.organisations.registerOrganisation(ada, command);
  });
  after(() => test.database.close());

  const begin = () => devices.begin({ label: 'gate on a laptop', address: '192.0.2.1' });
  const codeOf = async (work: Promise<unknown>) => (await refusalOf(work)).code;
  const wait = (seconds: number) => {
    test.clock.nowMs += seconds * 1_000;
  };

  it('gives a token that acts as the person does, once', async () => {
    const { deviceCode, userCode, intervalSeconds } = await begin();
    expect(userCode).to.match(/^[BCDFGHJKLMNPQRSTVWXZ]{4}-[BCDFGHJKLMNPQRSTVWXZ]{4}$/);
    expect(await codeOf(devices.claim(deviceCode))).to.equal('device-code-pending');
    expect(await devices.read(userCode.toLowerCase().replace('-', ' '))).to.include({
      label: 'gate on a laptop',
      address: '192.0.2.1',
    });
    await devices.approve(ada, { userCode, organisation: 'arcade' });
    wait(intervalSeconds);
    const outcomes = await Promise.allSettled([devices.claim(deviceCode), devices.claim(deviceCode)]);
    const made = outcomes.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []));
    expect(made).to.have.length(1);
    const principal = await test.registry.authenticate(made[0]!.secret);
    expect(principal).to.deep.include({ role: 'operator-owner', account: ada.account, organisation });
    expect(Date.parse(made[0]!.token.expiresAt!) - test.clock.nowMs).to.equal(90 * 86_400_000);
    wait(60);
    expect(await codeOf(devices.claim(deviceCode))).to.equal('device-code-expired');
    expect(await codeOf(devices.approve(ada, { userCode, organisation: 'arcade' }))).to.equal('device-code-unknown');
  });

  it('slows down who asks too often, and tells them by how much', async () => {
    const { deviceCode, userCode } = await begin();
    expect(await codeOf(devices.claim(deviceCode))).to.equal('device-code-pending');
    wait(4);
    const early = await refusalOf(devices.claim(deviceCode));
    expect([early.code, early.facts.intervalSeconds]).to.deep.equal(['device-code-slow-down', 10]);
    await devices.approve(ada, { userCode, organisation: 'arcade' });
    wait(5);
    // Approved or not: who hurries gets nothing.
    expect((await refusalOf(devices.claim(deviceCode))).facts.intervalSeconds).to.equal(15);
    wait(15);
    expect((await devices.claim(deviceCode)).secret).to.match(/^gh_op_/);
  });

  it('ends after ten minutes, approved or not', async () => {
    const [waiting, approved] = [await begin(), await begin()];
    await devices.approve(ada, { userCode: approved.userCode, organisation: 'arcade' });
    wait(600);
    for (const { deviceCode } of [waiting, approved]) {
      expect(await codeOf(devices.claim(deviceCode))).to.equal('device-code-expired');
    }
    expect(await codeOf(devices.read(waiting.userCode))).to.equal('device-code-unknown');
    wait(3_601);
    await devices.sweep();
    expect(
      await test.database.system('device_codes').where('expires_at', '<', new Date(test.clock.nowMs)),
    ).to.have.length(0);
  });

  it('is denied by a person, or by their leaving before the program asked', async () => {
    const denied = await begin();
    await devices.deny(ada, denied.userCode);
    expect(await codeOf(devices.claim(denied.deviceCode))).to.equal('device-code-denied');
    const guest = await people.person('guest');
    await people.join(guest, organisation.id, 'operator-manager');
    const left = await begin();
    await devices.approve(guest, { userCode: left.userCode, organisation: 'arcade' });
    await people.organisations.leave(guest, 'arcade');
    expect(await codeOf(devices.claim(left.deviceCode))).to.equal('device-code-denied');
  });

  it('is approved for organisations that the person belongs to, and no others', async () => {
    const stranger = await people.person('stranger');
    const { deviceCode, userCode } = await begin();
    for (const slug of ['arcade', 'nobody', "' or 1=1"]) {
      expect(await codeOf(devices.approve(stranger, { userCode, organisation: slug }))).to.equal(
        'organisation-foreign',
      );
    }
    expect(await codeOf(devices.claim(deviceCode))).to.equal('device-code-pending');
  });

  it('knows no code that nobody made', async () => {
    for (const code of ['BCDF-GHJK', '', 'aaaa-aaaa', "BCDF' or 1=1", 'BCDFGHJKL']) {
      expect(await codeOf(devices.read(code))).to.equal('device-code-unknown');
    }
    for (const code of [`ghd_${'a'.repeat(43)}`, '', '\0', 'x'.repeat(10_000)]) {
      expect(await codeOf(devices.claim(code))).to.equal('device-code-expired');
    }
  });

  it('stores neither code nor token', async () => {
    const { deviceCode, userCode } = await begin();
    const rows = JSON.stringify(await test.database.system('device_codes'));
    expect(rows).not.to.include(deviceCode).and.not.to.include(userCode).and.not.to.include(userCode.replace('-', ''));
  });
});
