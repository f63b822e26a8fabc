import { expect } from 'chai';
import { checkManifest } from './check-manifest.ts';

const faultsOf = (config: object) => {
  const manifest = {
    kind: 'plugin',
    name: 'abc',
    version: '1.0.0',
    publisher: 'acme',
    category: 'vpn',
    engine: '^0.1.0',
  };
  const checked = checkManifest({ ...manifest, title: 'Title', description: 'Text', entry: 'a.ts', config });
  return checked.ok ? [] : checked.faults.map(({ pointer }) => pointer);
};

describe('The schema of a configuration', () => {
  const slow = { patternProperties: { '^(a+)+$': false } };

  it('holds no regular expression, also not under a field that is called like a keyword', () => {
    expect(faultsOf({ type: 'object', properties: { x: { pattern: '^(a+)+$' } } })).to.deep.equal([
      '/config/properties/x/pattern',
    ]);
    for (const keyword of ['dependencies', 'dependentSchemas', 'definitions', '$defs']) {
      expect(faultsOf({ type: 'object', [keyword]: { properties: slow } }), keyword).to.deep.equal([
        `/config/${keyword}/properties/patternProperties`,
      ]);
    }
  });

  it('may have fields that are called like keywords', () => {
    expect(faultsOf({ type: 'object', properties: { pattern: {}, format: {}, properties: {} } })).to.deep.equal([]);
    expect(faultsOf({ type: 'object', dependencies: { format: { required: ['pattern'] } } })).to.deep.equal([]);
  });
});
