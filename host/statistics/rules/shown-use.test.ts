import { expect } from 'chai';
import fc from 'fast-check';
import { shownUse, type UseCell } from './shown-use.ts';

const cell = (releaseId: string, operators: number, invocations: number): UseCell => ({
  releaseId,
  operators,
  invocations,
  faults: 1,
  durations: [0, invocations],
});

describe('shownUse', () => {
  it('tells releases that enough operators ran apart, and nothing of a plugin that too few ran', () => {
    const releases = [cell('a', 3, 10), cell('b', 4, 20)];
    expect(shownUse({ operators: 5 }, releases, 3)).to.deep.equal(releases);
    expect(shownUse({ operators: 2 }, [cell('a', 2, 10)], 3)).to.deep.equal([]);
  });

  it('puts a release that too few ran together with the smallest of the others, so that it cannot be subtracted', () => {
    const cells = shownUse({ operators: 8 }, [cell('a', 1, 10), cell('b', 7, 200), cell('c', 3, 50)], 3);
    expect(cells).to.deep.equal([
      cell('b', 7, 200),
      { releaseId: null, operators: 3, invocations: 60, faults: 2, durations: [0, 60] },
    ]);
  });

  it('never tells what fewer than enough operators did, and loses nothing, whatever ran', () => {
    const cells = fc.array(fc.tuple(fc.integer({ min: 0, max: 6 }), fc.integer({ min: 0, max: 1_000 })), {
      maxLength: 8,
    });
    fc.assert(
      fc.property(cells, fc.integer({ min: 0, max: 9 }), (drawn, operators) => {
        const releases = drawn.map(([count, invocations], at) =>
          cell(String(at), Math.min(count, operators), invocations),
        );
        const shown = shownUse({ operators }, releases, 3);
        const sum = (all: UseCell[]) => all.reduce((total, { invocations }) => total + invocations, 0);
        if (operators < 3) return shown.length === 0;
        const alone = shown.filter(({ releaseId }) => releaseId !== null);
        return sum(shown) === sum(releases) && alone.every((each) => each.operators >= 3);
      }),
    );
  });
});
