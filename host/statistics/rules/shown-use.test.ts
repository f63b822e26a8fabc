import { expect } from 'chai';
import fc from 'fast-check';
import { type CapabilityCell, shownCapabilities, shownUse, type UseCell } from './shown-use.ts';

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

describe('shownCapabilities', () => {
  const calling = (releaseId: string, operators: number, calls: number): CapabilityCell => ({
    releaseId,
    capabilities: calls === 0 ? {} : { fetch: { calls, refused: 0, operators } },
  });
  const shown = (releases: CapabilityCell[], alone = releases) => {
    const told = shownCapabilities(releases, new Set(alone.map(({ releaseId }) => releaseId)), 3);
    return releases.flatMap(({ releaseId }) => (told.get(releaseId)?.fetch ? [releaseId] : []));
  };

  it('are told with every release that enough operators made call them', () => {
    expect(shown([calling('a', 3, 10), calling('b', 4, 20), calling('c', 0, 0)])).to.deep.equal(['a', 'b']);
  });

  it('are not told with the smallest where too few made another release call them, so that they cannot be subtracted', () => {
    expect(shown([calling('a', 3, 10), calling('b', 7, 20), calling('c', 1, 5)])).to.deep.equal(['b']);
    expect(shown([calling('a', 3, 10), calling('c', 2, 5)])).to.deep.equal([]);
  });

  it('of releases that are told together hide others in them', () => {
    const [a, b, c] = [calling('a', 3, 10), calling('b', 7, 20), calling('c', 1, 5)];
    expect(shown([a, b, c], [b])).to.deep.equal(['b']);
    expect(shown([calling('a', 2, 10), b, c], [b])).to.deep.equal([]);
  });

  it('never leave what fewer than enough operators did, whatever was called', () => {
    const drawing = fc.array(fc.tuple(fc.integer({ min: 0, max: 5 }), fc.integer({ min: 0, max: 9 }), fc.boolean()));
    fc.assert(
      fc.property(drawing, (drawn) => {
        const releases = drawn.map(([operators, calls], at) => calling(String(at), operators, calls));
        const told = shown(
          releases,
          releases.filter((_, at) => drawn[at]![2]),
        );
        if (told.length === 0) return true;
        const rest = releases.filter(({ releaseId, capabilities }) => capabilities.fetch && !told.includes(releaseId));
        return rest.length === 0 || rest.some(({ capabilities }) => capabilities.fetch!.operators >= 3);
      }),
    );
  });
});
