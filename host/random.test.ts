import { expect } from 'chai';
import { validate, version } from 'uuid';
import { newId, newSeed } from './random.ts';

describe('newId', () => {
  it('makes UUIDv7s that never repeat, over many refills of the pool', () => {
    const ids = Array.from({ length: 5_000 }, newId);
    expect(new Set(ids).size).to.equal(ids.length);
    for (const id of ids.slice(0, 100)) expect(validate(id) && version(id) === 7, id).to.equal(true);
  });

  it('grows with time', async () => {
    const before = newId();
    await new Promise((resolve) => setTimeout(resolve, 5));
    expect(newId() > before).to.equal(true);
  });
});

describe('newSeed', () => {
  it('makes 64 hex digits that never repeat', () => {
    const seeds = Array.from({ length: 5_000 }, newSeed);
    expect(new Set(seeds).size).to.equal(seeds.length);
    for (const seed of seeds.slice(0, 100)) expect(seed).to.match(/^[0-9a-f]{64}$/);
  });
});
