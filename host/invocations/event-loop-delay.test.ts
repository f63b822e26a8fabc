import { expect } from 'chai';
import fc from 'fast-check';
import { delayWindow, type LoopLook, watchEventLoop } from './event-loop-delay.ts';

describe('delayWindow', () => {
  it('knows no delay where the loop was never blocked', () => {
    const window = delayWindow();
    window.add(0, 100);
    window.add(-3, 200);
    expect(window.meanMs(200)).to.equal(0);
  });

  it('counts one long block for more than the same time in pieces', () => {
    const [long, pieces] = [delayWindow(), delayWindow()];
    long.add(500, 900);
    for (let n = 1; n <= 10; n++) pieces.add(50, n * 90);
    expect(long.meanMs(900)).to.equal(125);
    expect(pieces.meanMs(900)).to.equal(12.5);
  });

  it('is half of a block that takes longer than the window', () => {
    const window = delayWindow();
    window.add(3_000, 3_000);
    expect(window.meanMs(3_000)).to.equal(1_500);
  });

  it('forgets after a second', () => {
    const window = delayWindow();
    window.add(500, 1_000);
    window.add(100, 1_500);
    expect(window.meanMs(1_999)).to.equal(130);
    expect(window.meanMs(2_000)).to.equal(5);
    expect(window.meanMs(2_500)).to.equal(0);
  });

  it('is what arrivals at every millisecond of the last second would have waited on average', () => {
    const pairs = fc.array(fc.tuple(fc.integer({ min: 0, max: 200 }), fc.integer({ min: 0, max: 200 })), {
      minLength: 1,
      maxLength: 8,
    });
    fc.assert(
      fc.property(pairs, (all) => {
        const window = delayWindow();
        const waits: number[] = [];
        for (const [free, blocked] of all) {
          for (let ms = 0; ms < free; ms++) waits.push(0);
          for (let ms = 0; ms < blocked; ms++) waits.push(blocked - ms - 0.5);
          window.add(blocked, waits.length);
        }
        // Blocks that began before the last second count as a whole, so only what fits into one is comparable.
        if (waits.length > 1_000) return;
        const mean = waits.reduce((sum, wait) => sum + wait, 0) / 1_000;
        expect(window.meanMs(waits.length)).to.be.closeTo(mean, 1e-9);
      }),
    );
  });
});

describe('watchEventLoop', () => {
  it('sees a block of the loop at the first look after it, and counts those in a row', async () => {
    const looks: LoopLook[] = [];
    let onLook = () => {};
    const stop = watchEventLoop((look) => {
      looks.push(look);
      onLook();
    });
    for (let blocks = 1; blocks <= 2; blocks++) {
      const seen = new Promise<void>((resolve) => {
        onLook = resolve;
      });
      const untilMs = performance.now() + 450;
      while (performance.now() < untilMs);
      await seen;
    }
    stop();
    expect(looks.map(({ lateInRow }) => lateInRow)).to.deep.equal([1, 2]);
    // 400 ms late give 80, and twice that much gives 160; on a busy machine it is more.
    expect(looks[0]!.meanMs).to.be.at.least(75);
    expect(looks[1]!.meanMs).to.be.at.least(150);
  });
});
