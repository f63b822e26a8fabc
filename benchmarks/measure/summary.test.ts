import { expect } from 'chai';
import type { Report } from './report.ts';
import { summaryOf } from './summary.ts';

const circumstances = {
  at: '2026-11-22T00:00:00.000Z',
  commit: 'abc1234',
  machine: { cpu: 'A processor', cores: 2, memoryGiB: 8, platform: 'linux-x64', node: '26.10.0' },
};

describe('summaryOf', () => {
  it('says of every target whether it was met, of every peer that it is missing, and of every failure why', () => {
    const report: Report = {
      name: 'density',
      question: 'How many?',
      setup: {},
      series: [],
      verdicts: [
        { name: 'ratio', value: 0.5, target: 0.7, good: 'at least' },
        { name: 'time', value: 812.4, target: 1_000, good: 'at most' },
      ],
      missing: [{ candidate: 'workerd', why: 'no\nnetwork' }],
      ...circumstances,
    };
    const failed = { name: 'scaling', question: 'How much?', why: 'it | broke' };
    const text = summaryOf([report, failed], circumstances, 61_000);
    expect(text).to.include('1 of 2 targets met, 1 benchmarks failed. Commit abc1234');
    expect(text).to.include('| [density](density.md) | ratio | ≥ 0.7 | 0.5 | **missed** |');
    expect(text).to.include('| [density](density.md) | time | ≤ 1,000 | 812 | met |');
    expect(text).to.include('| scaling | - | - | - | **failed:** it \\| broke |');
    expect(text).to.include('- **workerd is missing** in density: no network');
  });
});
