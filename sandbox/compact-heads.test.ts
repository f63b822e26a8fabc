import { expect } from 'chai';
import fc from 'fast-check';
import { DEFAULT_LIMITS } from '../plugins-sdk/contract/index.ts';
import { compactHead, createHostHeadExpander, expandLaneHead } from './compact-heads.ts';
import { type HostMessage, type LaneMessage, readLaneMessage } from './messages.ts';

const onTheWay = (head: unknown): unknown => JSON.parse(JSON.stringify(head));
const cost = { cpuMs: 1.5, turns: 1, hostCalls: 0, startedAtMs: 5.25, heapMiB: 1, externalMiB: 0 };
const done: LaneMessage = { op: 'done', ticket: 1, outputBytes: 9, cost };
const limit = fc.oneof(fc.nat(), fc.double({ min: 0, max: 1e9, noNaN: true }));

describe('compactHead', () => {
  it('brings every start over as it was, whichever came before', () => {
    const expand = createHostHeadExpander();
    const some = fc.record(Object.fromEntries(Object.keys(DEFAULT_LIMITS).map((name) => [name, limit])), {
      requiredKeys: [],
    });
    fc.assert(
      fc.property(fc.string(), some, fc.nat(), (id, limits, nowMs) => {
        const start: HostMessage = {
          op: 'start',
          ticket: 7,
          execution: 2,
          id,
          installationId: 'i',
          digest: 'd',
          seed: 's',
          nowMs,
          deadlineMs: nowMs / 3,
          limits: { ...DEFAULT_LIMITS, ...limits },
          pollUs: nowMs % 301,
        };
        expect(expand(onTheWay(compactHead(start)))).to.deep.equal(start);
      }),
    );
  });

  it('brings every other message over as it was', () => {
    const result: HostMessage = { op: 'result', ticket: 1, seq: 2, nowMs: 3, ok: true };
    expect(createHostHeadExpander()(onTheWay(compactHead(result)))).to.deep.equal(result);
    for (const said of [done, { op: 'fault', ticket: 1, cost }, { op: 'isolates', count: 2 }] as LaneMessage[]) {
      expect(readLaneMessage(expandLaneHead(onTheWay(compactHead(said))))).to.deep.equal(said);
    }
  });

  it('leaves no place for an answer that is too short, too long or not made of counts', () => {
    const head = compactHead(done) as unknown[];
    for (const wrong of [head.slice(1), [...head, 1], head.with(2, '1'), head.with(3, -1), head.with(6, null), []]) {
      expect(readLaneMessage(expandLaneHead(onTheWay(wrong)))).to.equal(null);
    }
  });
});
