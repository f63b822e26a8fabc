import { expect } from 'chai';
import type { Run } from './run.ts';
import { RunTable } from './run-table.ts';

let made = 0;
const runOf = (installationId: string) => ({ number: ++made, invocation: { installationId } }) as Run;

describe('RunTable', () => {
  it('counts what runs of each installation, once however often it is set and taken away', () => {
    const table = new RunTable();
    const [first, second, third] = [runOf('a'), runOf('a'), runOf('b')];
    for (const run of [first, second, second, third]) table.add(run);
    expect([table.size, table.countOf('a'), table.countOf('b'), table.countOf('c')]).to.deep.equal([3, 2, 1, 0]);
    expect([table.delete(second), table.delete(second), table.delete(third)]).to.deep.equal([true, false, true]);
    expect([table.size, table.countOf('a'), table.countOf('b')]).to.deep.equal([1, 1, 0]);
  });

  it('takes the runs of one installation out of line that no lane has, in the order in which they came', () => {
    const table = new RunTable();
    const inLine = (installationId: string, steps: boolean) => {
      const run = Object.assign(runOf(installationId), { stepBack: () => steps });
      table.add(run);
      return run;
    };
    const first = inLine('a', true);
    inLine('a', false);
    inLine('b', true);
    const last = inLine('a', true);
    expect(table.stepBack('a')).to.deep.equal([first, last]);
  });

  it('counts right when many installations have come and gone', () => {
    const table = new RunTable();
    const kept = [runOf('kept'), runOf('kept')];
    for (const run of kept) table.add(run);
    for (let at = 0; at < 3_000; at += 1) {
      const run = runOf(`guest ${at}`);
      table.add(run);
      expect([table.countOf(`guest ${at}`), table.delete(run), table.countOf(`guest ${at}`)]).to.deep.equal([
        1,
        true,
        0,
      ]);
    }
    expect([table.size, table.countOf('kept')]).to.deep.equal([2, 2]);
  });
});
