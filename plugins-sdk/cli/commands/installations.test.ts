import { expect } from 'chai';
import { GOOD_CONDUCT } from '../../../host/conduct/contract.ts';
import type { Installation } from '../../../host/installations/contract.ts';
import { ServerRefusal } from '../errors.ts';
import { conductText, installationsText, resolveInstallationId } from './installations.ts';

const plain = (_style: unknown, text: string) => text;
const since = '2026-11-21T12:00:00.000Z';

describe('conductText', () => {
  it('says the worst that is true now', () => {
    expect(conductText(GOOD_CONDUCT)).to.equal('good');
    expect(conductText({ ...GOOD_CONDUCT, strikes: 1, score: 0.96 })).to.equal('1 strike, score 1.0');
    const alone = { ...GOOD_CONDUCT, strikes: 3, score: 2.9, solitarySince: since, reason: 'x' };
    expect(conductText(alone)).to.equal(`alone ${since}`);
    expect(conductText({ ...alone, suspendedAt: since })).to.equal(`suspended ${since}`);
  });
});

describe('resolveInstallationId', () => {
  it('asks publishers, who have no list, for the id', async () => {
    const listInstallations = async () => {
      throw new ServerRefusal({ code: 'permission-denied', status: 403, message: 'No.', requestId: null, facts: {} });
    };
    const refusal = await resolveInstallationId({ listInstallations })('shop').catch((error) => error);
    expect(refusal).to.include({ code: 'installation-unknown' });
    expect(refusal.message).to.include('by its id');
    const id = '01a20090-3512-7440-8d4b-4b94073e6401';
    expect(await resolveInstallationId({ listInstallations })(id)).to.equal(id);
  });
});

describe('installationsText', () => {
  const installation = (slug: string, conduct: Installation['conduct']) =>
    ({
      slug,
      plugin: 'acme/x',
      version: '1.0.0',
      enabled: true,
      installing: false,
      blocked: null,
      conduct,
      grants: [],
      id: 'i',
    }) as unknown as Installation;

  it('says below the list why an installation is suspended, and how to resume it', () => {
    const suspended = { ...GOOD_CONDUCT, strikes: 6, solitarySince: since, suspendedAt: since, reason: 'It broke.\n✔' };
    const lines = installationsText(plain, [installation('good', GOOD_CONDUCT), installation('bad', suspended)]).split(
      '\n',
    );
    expect(lines).to.have.length(4);
    expect(lines[1]).to.match(/^good +acme\/x +1\.0\.0 +yes +good +none/);
    expect(lines[3]).to.equal('✖ bad: It broke. ✔ Resume it with: gate resume bad');
  });

  it('says of one whose release was taken down that it runs nowhere, and why', () => {
    const blocked = { at: since, reason: 'malicious-behaviour: It sends orders away.' };
    const lines = installationsText(plain, [{ ...installation('shop', GOOD_CONDUCT), blocked }]).split('\n');
    expect(lines[1]).to.match(/^shop +acme\/x +1\.0\.0 +yes +blocked 2026-11-21T12:00:00\.000Z +none/);
    expect(lines[2]).to.equal(
      '✖ shop: its release was blocked: malicious-behaviour: It sends orders away. Update it with: gate update shop <version>',
    );
  });

  it('says below the list how to go on with one that is not installed to the end', () => {
    const begun = { ...installation('shop', GOOD_CONDUCT), enabled: false, installing: true };
    const lines = installationsText(plain, [begun]).split('\n');
    expect(lines[1]).to.match(/^shop +acme\/x +1\.0\.0 +installing +good +none/);
    expect(lines[2]).to.equal(
      '✖ shop: it is not installed to the end. Repeat it: gate install acme/x@1.0.0 --as shop --id i; or remove it: gate uninstall shop',
    );
  });
});
