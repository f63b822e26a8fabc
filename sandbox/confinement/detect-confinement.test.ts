import { expect } from 'chai';
import { detectLayers } from './detect-confinement.ts';
import { ALL_LAYERS, type KernelLayer } from './layers.ts';

const stateOf = async (probe: (layers: ReadonlySet<KernelLayer>) => string | null): Promise<Record<string, string>> =>
  Object.fromEntries((await detectLayers(async (layers) => probe(layers))).map(({ layer, state }) => [layer, state]));

describe('detectLayers', () => {
  it('takes all layers after one try where all work', async () => {
    let tries = 0;
    const states = await stateOf(() => {
      tries++;
      return null;
    });
    expect(Object.values(states)).to.deep.equal(ALL_LAYERS.map(() => 'active'));
    expect(tries).to.equal(1);
  });

  it('keeps what works where one layer does not, and says why and what to do', async () => {
    const findings = await detectLayers(async (layers) =>
      layers.has('own-root') ? 'mount: permission denied.' : null,
    );
    expect(findings.filter(({ state }) => state === 'active').map(({ layer }) => layer)).to.deep.equal(
      ALL_LAYERS.filter((layer) => layer !== 'own-root'),
    );
    const { why } = findings.find(({ layer }) => layer === 'own-root')!;
    expect(why).to.match(/^mount: permission denied\. .*masked/);
  });

  it('gives up one layer after the other where they do not work together', async () => {
    const clash = (layers: ReadonlySet<KernelLayer>) => layers.has('own-root') && layers.has('system-call-filter');
    const states = await stateOf((layers) => (clash(layers) ? 'no' : null));
    expect(states).to.include({ 'own-root': 'unavailable', 'system-call-filter': 'active', 'own-network': 'active' });
  });

  it('ends with none where none works, and calls none of them active', async () => {
    expect(new Set(Object.values(await stateOf(() => 'no')))).to.deep.equal(new Set(['unavailable']));
    const onlyAlone = (layers: ReadonlySet<KernelLayer>) => (layers.size > 1 ? 'no' : null);
    expect(Object.values(await stateOf(onlyAlone)).filter((state) => state === 'active')).to.have.length(1);
  });
});
