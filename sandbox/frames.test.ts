import { expect } from 'chai';
import fc from 'fast-check';
import { FRAME_BYTES_MAX, FrameFault, FrameReader, FrameWriter } from './frames.ts';

const frame = fc.record({
  head: fc.record({ op: fc.string(), n: fc.integer() }),
  tail: fc.string({ unit: 'grapheme' }),
});

function written(frames: { head: object; tail: string }[]): Buffer {
  const writer = new FrameWriter();
  for (const { head, tail } of frames) writer.add(head, tail);
  return Buffer.from(writer.take());
}

function readBack(bytes: Buffer, cuts: number[]): { head: unknown; tail: string }[] {
  const read: { head: unknown; tail: string }[] = [];
  const reader = new FrameReader((head, tail) => read.push({ head, tail }));
  const ends = [...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length].sort((a, b) => a - b);
  let at = 0;
  for (const end of ends) {
    reader.push(bytes.subarray(at, end));
    at = end;
  }
  return read;
}

describe('frames', () => {
  it('come back as they were, however the stream was cut', () => {
    fc.assert(
      fc.property(fc.array(frame, { maxLength: 12 }), fc.array(fc.nat(), { maxLength: 40 }), (frames, cuts) => {
        expect(readBack(written(frames), cuts)).to.deep.equal(frames);
      }),
    );
  });

  it('come back when each byte arrives alone', () => {
    const frames = [
      { head: { op: 'a' }, tail: '' },
      { head: { op: 'b' }, tail: 'é✓𝄞' },
    ];
    const bytes = written(frames);
    expect(readBack(bytes, [...bytes.keys()])).to.deep.equal(frames);
  });

  it('carry tails far larger than their buffers', () => {
    const frames = [
      { head: { op: 'big' }, tail: '✓'.repeat(1_000_000) },
      { head: { op: 'small' }, tail: 'x' },
    ];
    expect(readBack(written(frames), [10, 70_000, 2_000_000])).to.deep.equal(frames);
  });

  it('refuse a length that no frame has, before any memory is taken for it', () => {
    const header = Buffer.alloc(8);
    header.writeUInt32LE(FRAME_BYTES_MAX, 4);
    expect(() => new FrameReader(() => {}).push(header)).to.throw(FrameFault, /over/);
    const cut = new FrameReader(() => {});
    cut.push(header.subarray(0, 5));
    expect(() => cut.push(header.subarray(5))).to.throw(FrameFault, /over/);
  });

  it('refuse a head that is not JSON', () => {
    const bytes = written([{ head: {}, tail: '' }]);
    bytes[8] = 0x78;
    expect(() => readBack(bytes, [])).to.throw(FrameFault, /JSON/);
  });
});
