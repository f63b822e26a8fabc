import { expect } from 'chai';
import { Type } from 'typebox';
import { HostRefusal } from '../errors.ts';
import { addressReader, bodyValidator } from './validate.ts';

describe('times in requests', () => {
  const schema = Type.Object({ at: Type.String({ format: 'date-time' }) });
  const isRefused = (work: () => unknown): boolean => {
    try {
      work();
      return false;
    } catch (error) {
      if (error instanceof HostRefusal) return true;
      throw error;
    }
  };
  const check = bodyValidator(schema);
  const read = addressReader(undefined, schema);

  it('are those that exist, and that can be computed with', () => {
    const times: [string, boolean][] = [
      ['2030-01-01T00:00:00Z', true],
      ['2030-01-01T00:00:00.123456789+14:00', true],
      ['2028-02-29T23:59:59Z', true],
      ['2030-02-30T00:00:00Z', false],
      ['2036-12-31T23:59:60Z', false],
      ['2030-01-01T24:00:00Z', false],
      ['2030-01-01', false],
      ['1893456000', false],
    ];
    for (const [at, good] of times) {
      expect(
        isRefused(() => check({ at }, 50)),
        at,
      ).to.equal(!good);
      expect(
        isRefused(() => read({}, new URLSearchParams({ at }).toString())),
        at,
      ).to.equal(!good);
    }
  });
});
