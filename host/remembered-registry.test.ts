import { expect } from 'chai';
import { rememberedRegistry } from './remembered-registry.ts';

const asked: string[] = [];
const ask = (name: string) => async (key: string) => {
  asked.push(`${name} ${key}`);
  return { id: key, code: `${name} ${key}`, sourceMap: null } as never;
};
const registry = () =>
  rememberedRegistry({
    findOrganisation: ask('organisation'),
    releaseById: ask('release'),
    loadBundle: ask('code'),
  });

describe('rememberedRegistry', () => {
  beforeEach(() => asked.splice(0));

  it('asks once for what many installations need', async () => {
    const { findOrganisation, releaseById, loadCode } = registry();
    for (let time = 0; time < 3; time++) {
      expect(await findOrganisation('acme')).to.include({ id: 'acme' });
      expect(await releaseById('r')).to.include({ id: 'r' });
      expect(await loadCode('d')).to.equal('code d');
    }
    expect(asked).to.deep.equal(['organisation acme', 'release r', 'code d']);
  });

  it('verifies the signatures of a bundle anew after a change', async () => {
    const remembered = registry();
    await remembered.loadCode('d');
    remembered.clear();
    await remembered.loadCode('d');
    expect(asked).to.deep.equal(['code d', 'code d']);
  });

  it('remembers no failure', async () => {
    let fails = true;
    const { loadCode } = rememberedRegistry({
      findOrganisation: ask('organisation'),
      releaseById: ask('release'),
      loadBundle: async () => {
        if (fails) throw new Error('revoked');
        return { code: 'good', sourceMap: null };
      },
    });
    expect(await Promise.resolve(loadCode('d')).catch(({ message }) => message)).to.equal('revoked');
    fails = false;
    expect(await loadCode('d')).to.equal('good');
  });
});
