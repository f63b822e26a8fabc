import { expect } from 'chai';
import fc from 'fast-check';
import { closeBlackBox, LanePen, markBlackBox, openBlackBox, readBlackBox, turnText } from './black-box.ts';

describe('black box', () => {
  let fd: number;
  beforeEach(() => {
    fd = openBlackBox(3);
  });
  afterEach(() => closeBlackBox(fd));

  it('names who is inside a turn, and nobody who has left', () => {
    const [one, two] = [new LanePen(fd, 0), new LanePen(fd, 2)];
    one.enter(turnText('i1', 'a', 'd1'), 10, 20);
    two.enter(turnText('i2', 'b', 'd2'), 11, 21);
    one.leave();
    expect(readBlackBox(fd, 3)).to.deep.equal({
      mark: null,
      openTurns: [
        {
          lane: 2,
          startedAtMs: 11,
          mustEndByMs: 21,
          invocationId: 'i2',
          installationId: 'b',
          digest: 'd2',
          startingUp: false,
        },
      ],
    });
  });

  it('holds texts of any length that the sandbox lets in', () => {
    const id = fc.stringMatching(/^[a-z0-9-]{1,124}$/);
    const pen = new LanePen(fd, 1);
    fc.assert(
      fc.property(fc.array(fc.tuple(id, id), { minLength: 1, maxLength: 5 }), (turns) => {
        for (const [invocationId, installationId] of turns) {
          pen.enter(turnText(invocationId, installationId, 'ab'.repeat(32)), 1, 2);
          const [open] = readBlackBox(fd, 3).openTurns;
          expect(open).to.include({ invocationId, installationId, digest: 'ab'.repeat(32) });
        }
      }),
    );
  });

  it('keeps the mark of the watchdog', () => {
    markBlackBox(fd, 1, 'memory', 12.5);
    expect(readBlackBox(fd, 3).mark).to.deep.equal({ lane: 1, reason: 'memory', cpuMs: 12.5 });
  });
});
