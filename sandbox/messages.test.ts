import { expect } from 'chai';
import fc from 'fast-check';
import { readLaneMessage } from './messages.ts';
import { readFault } from './read-fault.ts';

const cost = { cpuMs: 1, turns: 1, hostCalls: 0, startedAtMs: 5, heapMiB: 1, externalMiB: 0 };

describe('readLaneMessage', () => {
  it('accepts what lanes say', () => {
    const said = { op: 'call', ticket: 1, seq: 1, name: 'kv.get', cost };
    expect(readLaneMessage(said)).to.equal(said);
    expect(readLaneMessage({ op: 'isolates', count: 3 })).to.deep.equal({ op: 'isolates', count: 3 });
  });

  it('accepts the last word on an execution only with what it cost', () => {
    for (const op of ['fault', 'left']) {
      expect(readLaneMessage({ op, ticket: 1, cost })).to.deep.equal({ op, ticket: 1, cost });
      expect(readLaneMessage({ op, ticket: 1 })).to.equal(null);
    }
    const interrupted = { op: 'interrupted', ticket: 1, cost, inside: false };
    expect(readLaneMessage(interrupted)).to.equal(interrupted);
    expect(readLaneMessage({ ...interrupted, inside: undefined })).to.equal(null);
    const started = { op: 'started', installationId: 'i', digest: 'd', cpuMs: 1 };
    expect(readLaneMessage(started)).to.equal(started);
    expect(readLaneMessage({ ...started, cpuMs: Number.NaN })).to.equal(null);
  });

  it('refuses anything else without throwing', () => {
    for (const said of [null, 1, 'x', [], {}, { op: 'call' }, { op: 'done', ticket: -1, cost, outputBytes: 0 }]) {
      expect(readLaneMessage(said)).to.equal(null);
    }
    expect(readLaneMessage({ op: 'done', ticket: 1, outputBytes: 1, cost: { ...cost, cpuMs: '1' } })).to.equal(null);
    fc.assert(fc.property(fc.json(), (json) => readLaneMessage(JSON.parse(json)) === null));
  });
});

describe('readFault', () => {
  it('keeps known fields of the right type, capped, and nothing else', () => {
    const fault = readFault(
      JSON.stringify({ code: 'plugin-threw', message: 'm'.repeat(10_000), used: 'much', allowed: 3, extra: 1 }),
    );
    expect(fault).to.have.all.keys('code', 'message', 'allowed');
    expect(fault.message).to.have.length(8_192);
  });

  it('makes a fault of anything', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
        expect(readFault(text).code).to.be.a('string');
        expect(readFault(text).message).to.be.a('string');
      }),
    );
    expect(readFault('{"code":"toString"}').code).to.equal('plugin-threw');
  });
});
