import { expect } from 'chai';
import type { HostCallResult } from '../../sandbox/index.ts';
import { CallTrace } from './call-trace.ts';

const call = (name: string, args = '[]') => ({ invocationId: 'i', installationId: 'n', seq: 1, name, args });

describe('CallTrace', () => {
  it('notes name, order, bytes and success of every call, and leaves open what has no result', async () => {
    const trace = new CallTrace(40);
    const answered = Promise.resolve<HostCallResult>({ ok: true, json: '"é"' });
    expect(trace.follow(call('kv.get', '["a"]'), answered)).to.equal(answered);
    await answered;
    await trace.follow(call('kv.set'), Promise.resolve({ ok: false, json: '{}' }));
    trace.follow(call('x'.repeat(100)), new Promise(() => {}));
    const { calls, omitted } = trace.waterfall();
    expect(omitted).to.equal(0);
    expect(calls.map(({ startMs, ms, ...rest }) => rest)).to.deep.equal([
      { name: 'kv.get', bytes: 9, ok: true },
      { name: 'kv.set', bytes: 4, ok: false },
      { name: `${'x'.repeat(64)}…`, bytes: 2, ok: null },
    ]);
    expect(calls[0]!.startMs).to.be.at.least(40);
    expect(calls[1]!.startMs).to.be.at.least(calls[0]!.startMs + calls[0]!.ms!);
    expect(calls[2]!.ms).to.equal(null);
  });

  it('keeps a hundred calls and counts the others', () => {
    const trace = new CallTrace(-5);
    for (let n = 0; n < 130; n += 1) trace.follow(call('kv.get'), new Promise(() => {}));
    const { calls, omitted } = trace.waterfall();
    expect([calls.length, omitted]).to.deep.equal([100, 30]);
    expect(calls[0]!.startMs).to.be.at.least(0);
  });
});
