import { expect } from 'chai';
import type { Manifest } from '../contract/index.ts';
import { compareShape } from './compare-shape.ts';

const manifest = {
  entry: 'src/index.ts',
  routes: [
    { method: 'GET', path: '/', access: 'public' },
    { method: 'GET', path: '/orders/:id', access: 'public' },
  ],
  hooks: ['order.paid'],
  schedule: [{ name: 'nightly', cron: '0 4 * * *' }],
} as unknown as Manifest;
const shape = {
  routes: ['GET /', 'GET /orders/:id'],
  hooks: ['order.paid'],
  schedule: ['nightly'],
  health: false,
  configure: false,
};

describe('compareShape', () => {
  it('finds nothing where manifest and code agree', () => {
    expect(compareShape(manifest, shape)).to.deep.equal([]);
  });
  it('points at each promise without a handler', () => {
    const faults = compareShape(manifest, { ...shape, routes: ['GET /'], hooks: [], schedule: [] });
    expect(faults.map(({ pointer }) => pointer)).to.deep.equal(['/routes/1', '/hooks/0', '/schedule/0']);
    expect(faults[0]!.message).to.contain('"GET /orders/:id" has no handler').and.to.contain('src/index.ts');
  });
  it('names each handler that nobody could reach', () => {
    const faults = compareShape(manifest, { ...shape, routes: [...shape.routes, 'POST /orders/:id'] });
    expect(faults).to.have.length(1);
    expect(faults[0]!.pointer).to.equal('/routes');
    expect(faults[0]!.message).to.contain('"POST /orders/:id"');
  });
});
