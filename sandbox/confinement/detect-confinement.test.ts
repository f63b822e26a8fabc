import { expect } from 'chai';
import { detectLayers, type Probe } from './detect-confinement.ts';
import { ALL_LAYERS, type KernelLayer } from './layers.ts';

const stateOf = (probe: Probe): Record<string, string> =>
  Object.fromEntries(detectLayers(probe).map(({ layer, state }) => [layer, state]));

describe('detectLayers', () => {
  it('takes all layers after one try where all work', () => {
    let tries = 0;
    const states = stateOf(() => {
      tries++;
      return null;
    });
    expect(Object.values(states)).to.deep.equal(ALL_LAYERS.map(() => 'active'));
    expect(tries).to.equal(1);
  });

  it('keeps what works where one layer does not, and says why and what to do', () => {
    const findings = detectLayers((layers) => (layers.has('own-root') ? 'mount: permission denied.' : null));
    expect(findings.filter(({ state }) => state === 'active').map(({ layer }) => layer)).to.deep.equal(
      ALL_LAYERS.filter((layer) => layer !== 'own-root'),
    );
    const { why } = findings.find(({ layer }) => layer === 'own-root')!;
    expect(why).to.match(/^mount: permission denied\. .*masked/);
  });

  it('gives up one layer after the other where they do not work together', () => {
    const clash = (layers: ReadonlySet<KernelLayer>) => layers.has('own-root') && layers.has('system-call-filter');
    const states = stateOf((layers) => (clash(layers) ? 'no' : null));
    expect(states).to.include({ 'own-root': 'unavailable', 'system-call-filter': 'active', 'own-network': 'active' });
  });

  it('ends with none where none works, and calls none of them active', () => {
    expect(new Set(Object.values(stateOf(() => 'no')))).to.deep.equal(new Set(['unavailable']));
    const onlyAlone: Probe = (layers) => (layers.size > 1 ? 'no' : null);
    expect(Object.values(stateOf(onlyAlone)).filter((state) => state === 'active')).to.have.length(1);
  });
});
