import { execFileSync } from 'node:child_process';
import { expect } from 'chai';

/** Makes runs one after the other, collecting all garbage in between; whether V8 keeps each as fields or as a dictionary. */
const keepsFields = (settled: boolean): boolean[] => {
  const code = `
    const { Run } = await import('./run.ts');
    const { NO_INVOCATION, NO_PORTS, settleShape } = await import('./settle-shape.ts');
    const isFast = new Function('object', 'return %HasFastProperties(object)');
    const make = () => {
      const run = new Run(NO_INVOCATION, NO_PORTS, { callsInFlight: null, onOver: () => {} });
      run.outcome.catch(() => {});
      run.refuse('invocation-aborted');
      return isFast(run);
    };
    if (${settled}) settleShape();
    const made = [];
    for (let at = 0; at < 10; at++) {
      made.push(make());
      await new Promise((resolve) => setTimeout(resolve, 2));
      for (let round = 0; round < 3; round++) gc({ type: 'major', execution: 'sync', flavor: 'last-resort' });
    }
    console.log(JSON.stringify(made));`;
  const flags = ['--expose-gc', '--allow-natives-syntax', '--input-type=module'];
  return JSON.parse(
    execFileSync(process.execPath, [...flags, '-e', code], { cwd: import.meta.dirname, encoding: 'utf8' }),
  );
};

describe('settleShape', () => {
  it('lets V8 keep runs as fields, however few there are at first', () => {
    expect(new Set(keepsFields(true))).to.deep.equal(new Set([true]));
    // If this is no longer so, it is needed no longer.
    expect(keepsFields(false)).to.include(false);
  });
});
