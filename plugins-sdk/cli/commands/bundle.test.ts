import { expect } from 'chai';
import { collectReleases } from './bundle.ts';

const RELEASES: Record<string, { plugin: string; range: string; optional?: boolean }[]> = {
  'acme/shop': [
    { plugin: 'acme/prices', range: '^1' },
    { plugin: 'acme/extras', range: '^1', optional: true },
  ],
  'acme/prices': [{ plugin: 'acme/shop', range: '*' }],
};

describe('what a bundle takes along', () => {
  const exported: string[] = [];
  const api = {
    findRelease: async (plugin: string) => ({ plugin, version: '1.0.0', manifest: { dependencies: RELEASES[plugin] } }),
    exportRelease: async (plugin: string, version: string) => {
      exported.push(`${plugin}@${version}`);
      return { exported: {}, archive: '' };
    },
  };
  const collect = async (withRequired: boolean) => {
    exported.length = 0;
    await collectReleases(api as never)({ plugin: 'acme/shop', version: '1.0.0' }, withRequired);
    return exported;
  };

  it('is the release alone, or with what it requires: that first, each once, also in a circle', async () => {
    expect(await collect(false)).to.deep.equal(['acme/shop@1.0.0']);
    expect(await collect(true)).to.deep.equal(['acme/prices@1.0.0', 'acme/shop@1.0.0']);
  });
});
