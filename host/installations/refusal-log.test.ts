import { expect } from 'chai';
import type { InstallationLogEntry } from './contract.ts';
import { refusalLog, type Whose } from './refusal-log.ts';

const [a, b] = ['a', 'b'].map((id) => ({ id, bundleDigest: 'd' })) as [Whose, Whose];

describe('refusalLog', () => {
  const drain = (log: ReturnType<typeof refusalLog>) => {
    const lines: (Omit<InstallationLogEntry, 'id'> & { of: string })[] = [];
    log.drain(({ id }, entry) => lines.push({ of: id, ...entry }));
    return lines;
  };

  it('tells one line for each installation and code, with how many and since when', () => {
    let nowMs = 1_000;
    const log = refusalLog(() => nowMs);
    log.add(a, 'cpu-budget-exhausted');
    nowMs = 2_000;
    for (let n = 0; n < 4_999; n++) log.add(a, 'cpu-budget-exhausted');
    log.add(a, 'installation-saturated');
    log.add(b, 'installation-saturated');
    const lines = drain(log);
    expect(lines.map(({ of, facts }) => [of, facts])).to.deep.equal([
      ['a', { code: 'cpu-budget-exhausted', invocations: 5_000, since: '1970-01-01T00:00:01.000Z' }],
      ['a', { code: 'installation-saturated', invocations: 1, since: '1970-01-01T00:00:02.000Z' }],
      ['b', { code: 'installation-saturated', invocations: 1, since: '1970-01-01T00:00:02.000Z' }],
    ]);
    expect(lines[0]).to.include({ source: 'host', level: 'warn', at: '1970-01-01T00:00:02.000Z' });
    expect(lines[0]!.message).to.include('5000 invocations were refused');
    expect(drain(log)).to.deep.equal([]);
  });

  it('says nothing about callers that went away or a host that closes', () => {
    const log = refusalLog(() => 0);
    log.add(a, 'invocation-aborted');
    log.add(a, 'sandbox-closed');
    expect(drain(log)).to.deep.equal([]);
  });
});
