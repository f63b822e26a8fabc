import { expect } from 'chai';
import type { PluginFigures, PluginStatistics } from '../../../host/statistics/contract.ts';
import { chart, lastDays, publisherCsv, publisherText, statisticsCsv, statisticsText } from './stats.ts';

const plain = (_style: unknown, text: string) => text;
const use = {
  ...{ invocations: 12_345, errors: 123, errorRate: 0.00996, p95Ms: 41.2 },
  capabilities: [{ name: 'kv', calls: 99, refused: 1 }],
};
const figures: PluginFigures = { views: 40, installs: 3, updates: 2, uninstalls: 1, active: 7, use };
const STATISTICS: PluginStatistics = {
  plugin: 'acme/hello',
  ...{ from: '2026-11-21', to: '2026-11-22', countedAt: '2026-11-22T10:00:00.000Z', operatorsMin: 3 },
  total: figures,
  days: [
    { day: '2026-11-21', ...figures, use: null },
    { day: '2026-11-22', ...figures },
  ],
  releases: [
    { version: '1.1.0', ...figures, use: null },
    { version: null, ...figures },
  ],
};

describe('gate stats', () => {
  it('shows totals, releases, capabilities and a chart of days', () => {
    const text = statisticsText(plain, STATISTICS);
    expect(text).to.match(/^acme\/hello from 2026-11-21 to 2026-11-22\n {2}views {7}██ {2}at most 40 a day\n/);
    expect(text).to.match(/invocations ·█ {2}at most 12,345 a day/);
    expect(text).to.match(/total +40 +3 +2 +1 +7 +12,345 +1\.00 % +41\.2 ms/);
    expect(text).to.match(/1\.1\.0 +40 +3 +2 +1 +7 +- +- +-\n/);
    expect(text).to.match(/\(several\) +40/);
    expect(text).to.match(/kv +99 +1\n/);
    expect(text).to.match(/at least 3 operators made it\.$/);
    const none = { publisher: 'acme', from: 'a', to: 'b', countedAt: null, operatorsMin: 3, plugins: [] };
    expect(publisherText(plain, none)).to.match(/Nothing was published yet\.\nNo day was counted yet/);
    const one = { ...none, plugins: [{ plugin: 'acme/hello', ...figures }] };
    expect(publisherText(plain, one)).to.match(/acme\/hello +40 +3/);
    expect(publisherCsv(one).split('\n')[1]).to.equal('acme/hello,40,3,2,1,7,12345,123,41.2');
  });

  it('draws bars as high as their share of the largest', () => {
    expect(chart([0, 1, 4, 8, null])).to.equal(' ▂▅█·');
    expect(chart([0, 0])).to.equal('  ');
    expect(chart([])).to.equal('');
  });

  it('writes a line for each day, empty where use is not told', () => {
    expect(statisticsCsv(STATISTICS).split('\n')).to.deep.equal([
      'day,views,installs,updates,uninstalls,active,invocations,errors,p95Ms',
      '2026-11-21,40,3,2,1,7,,,',
      '2026-11-22,40,3,2,1,7,12345,123,41.2',
    ]);
  });

  it('asks for so many days up to today', () => {
    const now = Date.parse('2026-11-22T23:59:59Z');
    expect(lastDays(1, now)).to.deep.equal({ from: '2026-11-22', to: '2026-11-22' });
    expect(lastDays(30, now)).to.deep.equal({ from: '2026-10-24', to: '2026-11-22' });
  });
});
