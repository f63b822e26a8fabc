import { expect } from 'chai';
import type { Run } from './run.ts';
import { RunTable } from './run-table.ts';

const runOf = (installationId: string) => ({ invocation: { installationId } }) as Run;

describe('RunTable', () => {
  it('counts what runs of each installation, once however often it is set and taken away', () => {
    const table = new RunTable();
    for (const [id, installation] of [
      ['1', 'a'],
      ['2', 'a'],
      ['2', 'a'],
      ['3', 'b'],
    ] as const) {
      table.set(id, runOf(installation));
    }
    expect([table.size, table.countOf('a'), table.countOf('b'), table.countOf('c')]).to.deep.equal([3, 2, 1, 0]);
    expect([table.delete('2'), table.delete('2'), table.delete('3')]).to.deep.equal([true, false, true]);
    expect([table.size, table.countOf('a'), table.countOf('b')]).to.deep.equal([1, 1, 0]);
  });

  it('takes the runs of one installation out of line that no lane has, in the order in which they came', () => {
    const table = new RunTable();
    const inLine = (installationId: string, id: string, steps: boolean) => {
      const run = { invocation: { installationId }, stepBack: () => steps } as Run;
      table.set(id, run);
      return run;
    };
    const first = inLine('a', '1', true);
    inLine('a', '2', false);
    inLine('b', '3', true);
    const last = inLine('a', '4', true);
    expect(table.stepBack('a')).to.deep.equal([first, last]);
  });
});
