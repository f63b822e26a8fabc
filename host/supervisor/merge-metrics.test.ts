import { expect } from 'chai';
import { mergeMetrics } from './merge-metrics.ts';

const textOf = (count: number, extra = '') =>
  [
    '# HELP calls_total Calls.',
    '# TYPE calls_total counter',
    `calls_total{kind="a{b}",end="done"} ${count}`,
    '',
    '# HELP wait_seconds Waiting.',
    '# TYPE wait_seconds histogram',
    `wait_seconds_bucket{le="+Inf"} ${count}`,
    `wait_seconds_sum ${count}`,
    extra,
    '',
  ].join('\n');

describe('The metrics of several hosts', () => {
  it('stand in one text, each family once, each sample with its host', () => {
    const merged = mergeMetrics([
      { number: 1, restarts: 0, pid: 11, text: textOf(3) },
      { number: 2, restarts: 2, pid: 12, text: textOf(4, '# HELP only_two Two.\n# TYPE only_two gauge\nonly_two 1') },
    ]);
    expect(merged.split('\n')).to.deep.equal([
      '# HELP calls_total Calls.',
      '# TYPE calls_total counter',
      'calls_total{host="1",kind="a{b}",end="done"} 3',
      'calls_total{host="2",kind="a{b}",end="done"} 4',
      '# HELP wait_seconds Waiting.',
      '# TYPE wait_seconds histogram',
      'wait_seconds_bucket{host="1",le="+Inf"} 3',
      'wait_seconds_sum{host="1"} 3',
      'wait_seconds_bucket{host="2",le="+Inf"} 4',
      'wait_seconds_sum{host="2"} 4',
      '# HELP only_two Two.',
      '# TYPE only_two gauge',
      'only_two{host="2"} 1',
      '# HELP gatehouse_host_up 1 for each host process on this port that serves.',
      '# TYPE gatehouse_host_up gauge',
      'gatehouse_host_up{host="1"} 1',
      'gatehouse_host_up{host="2"} 1',
      '# HELP gatehouse_host_pid Process id of each of them.',
      '# TYPE gatehouse_host_pid gauge',
      'gatehouse_host_pid{host="1"} 11',
      'gatehouse_host_pid{host="2"} 12',
      '# HELP gatehouse_host_restarts_total Host processes that were started again because one had ended.',
      '# TYPE gatehouse_host_restarts_total counter',
      'gatehouse_host_restarts_total{host="1"} 0',
      'gatehouse_host_restarts_total{host="2"} 2',
      '',
    ]);
  });

  it('say of a host that does not serve that it is down, and nothing else', () => {
    const merged = mergeMetrics([{ number: 1, restarts: 1, pid: 11, text: null }]);
    expect(merged).to.match(/^gatehouse_host_up\{host="1"\} 0$/m);
    expect(merged).to.match(/^gatehouse_host_restarts_total\{host="1"\} 1$/m);
  });
});
