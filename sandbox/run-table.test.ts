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
});
