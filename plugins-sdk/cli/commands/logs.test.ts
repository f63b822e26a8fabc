import { expect } from 'chai';
import type { InstallationLogEntry } from '../../../host/installations/contract.ts';
import { logLine } from './logs.ts';

const entry: InstallationLogEntry = {
  id: 'l-1',
  at: '2026-11-21T12:34:56.789Z',
  invocationId: 'i-1',
  source: 'log',
  level: 'warn',
  message: 'low on keys',
  facts: {},
};
const plain = (_style: unknown, text: string) => text;

describe('logLine', () => {
  it('shows time, level, source and message', () => {
    expect(logLine(plain, entry)).to.equal('12:34:56.789 warn  log     low on keys');
  });
  it('adds the facts, if there are any', () => {
    expect(logLine(plain, { ...entry, facts: { left: 3 } })).to.equal(
      '12:34:56.789 warn  log     low on keys {"left":3}',
    );
  });
  it('shows what a failed invocation cost, which one it was, and where it failed', () => {
    const usage = { cpuMs: 1.66, wallMs: 20.02, queuedMs: 12.3, hostCalls: 2 };
    const fault = { code: 'plugin-threw', message: 'odd', stack: '    at pay (bundle.js:4:1)\n    at bundle.js:6:2' };
    const failed = {
      ...entry,
      source: 'host' as const,
      message: 'plugin-threw: odd',
      facts: { kind: 'hook', fault, usage },
    };
    expect(logLine(plain, failed).split('\n')).to.deep.equal([
      '12:34:56.789 warn  host    plugin-threw: odd (hook, cpu 1.7 ms, wall 20 ms, queued 12 ms, calls 2) i-1',
      '    at pay (bundle.js:4:1)',
      '    at bundle.js:6:2',
    ]);
  });
  it('shows what a host of another version notes as it is', () => {
    expect(logLine(plain, { ...entry, source: 'host', facts: { other: 1 } })).to.contain('{"other":1}');
  });
  it('lets nothing through that could forge a line', () => {
    expect(
      logLine(plain, { ...entry, message: 'a\n12:00 error', facts: { x: '\u001b[2J\n' } }).split('\n'),
    ).to.have.length(1);
  });
});
