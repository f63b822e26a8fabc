import { expect } from 'chai';
import fc from 'fast-check';
import {
  ABSENT_CALLS,
  assembleFilter,
  CONDITIONAL_CALLS,
  DENIED_CALLS,
  encodeFilter,
  FILTER_TARGETS,
  type Instruction,
  PID_MARK,
} from './seccomp-filter.ts';

interface SystemCall {
  number: number;
  audit?: number;
  args?: number[];
}

const [KILL, ALLOW] = ['kill', 'allow'];
const verdictOf = (value: number): string => {
  if (value >>> 0 === 0x8000_0000) return KILL!;
  if (value >>> 0 === 0x7fff_0000) return ALLOW!;
  return { 1: 'EPERM', 38: 'ENOSYS' }[value & 0xffff] ?? `${value}`;
};

/** The kernel's machine for classic BPF, as far as the filter uses it. Throws where a jump leaves the program. */
function runFilter(program: readonly Instruction[], { number, audit = 0, args = [] }: SystemCall): string {
  const words = new Map([[0, number], [4, audit], ...args.map((value, at): [number, number] => [16 + 8 * at, value])]);
  let loaded = 0;
  for (let at = 0; ; at++) {
    const [code, whenTrue, whenFalse, operand] = program[at]!;
    if (code === 0x06) return verdictOf(operand);
    if (code === 0x20) loaded = (words.get(operand) ?? 0) >>> 0;
    else {
      const holds =
        code === 0x15
          ? loaded === operand >>> 0
          : code === 0x35
            ? loaded >= operand >>> 0
            : (loaded & operand) >>> 0 !== 0;
      at += holds ? whenTrue : whenFalse;
    }
  }
}

const isFree = (name: string): boolean =>
  !(name in CONDITIONAL_CALLS) && !DENIED_CALLS.includes(name) && !ABSENT_CALLS.includes(name);

/** arm64 has only the newer forms of these. */
const ONLY_ON_X64 =
  'fork vfork inotify_init iopl ioperm modify_ldt vserver creat mkdir mknod rmdir unlink rename link symlink chmod chown lchown utime utimes futimesat open'.split(
    ' ',
  );

for (const [arch, target] of Object.entries(FILTER_TARGETS)) {
  describe(`the system call filter on ${arch}`, () => {
    const program = assembleFilter(target);
    const call = (name: string, ...args: number[]) =>
      runFilter(program, { number: target.numbers[name]!, audit: target.audit, args });
    const there = (names: string[]) => names.filter((name) => target.numbers[name] !== undefined);

    it('denies what it lists and calls absent what callers can do without', () => {
      for (const name of there(DENIED_CALLS)) expect(call(name), name).to.equal('EPERM');
      for (const name of there(ABSENT_CALLS)) expect(call(name), name).to.equal('ENOSYS');
    });

    it('knows a number for every call that it lists, or the machine has none', () => {
      const missing = [...DENIED_CALLS, ...ABSENT_CALLS, ...Object.keys(CONDITIONAL_CALLS)].filter(
        (name) => target.numbers[name] === undefined,
      );
      expect(missing).to.deep.equal(arch === 'x64' ? [] : ONLY_ON_X64);
      const numbers = Object.values(target.numbers);
      expect(new Set(numbers).size).to.equal(numbers.length);
    });

    it('ends a process that speaks for another machine', () => {
      expect(runFilter(program, { number: 0, audit: 0x4000_0003 })).to.equal('kill');
    });

    it('lets a process signal itself and nobody else', () => {
      expect([call('kill', PID_MARK, 9), call('tgkill', PID_MARK, 7, 6)]).to.deep.equal(['allow', 'allow']);
      fc.assert(
        fc.property(fc.integer(), (pid) => {
          fc.pre(pid >>> 0 !== PID_MARK);
          expect([call('kill', pid), call('tgkill', pid)]).to.deep.equal(['EPERM', 'EPERM']);
        }),
      );
    });

    it('lets threads start, and no process and no namespace', () => {
      const glibcThread = 0x3d_0f00;
      expect(call('clone', glibcThread)).to.equal('allow');
      expect(call('clone', 17)).to.equal('EPERM');
      expect(call('clone', glibcThread | 0x1000_0000)).to.equal('EPERM');
    });

    it('lets files be opened to read them', () => {
      const opens: [string, number][] = [
        ['openat', 2],
        ...(target.numbers.open === undefined ? [] : [['open', 1] as [string, number]]),
      ];
      for (const [name, at] of opens) {
        const flags = (value: number) => call(name, ...Array<number>(at).fill(0), value);
        expect(flags(0o2_000_000), name).to.equal('allow');
        for (const value of [0o1, 0o2, 0o100, 0o1000]) expect(flags(value), `${name} ${value}`).to.equal('EPERM');
      }
    });

    it('knows no call that is newer than its list', () => {
      fc.assert(
        fc.property(fc.integer({ min: target.numberMax, max: 0x3fff_ffff }), (number) => {
          expect(runFilter(program, { number, audit: target.audit })).to.equal('ENOSYS');
        }),
      );
      expect(runFilter(program, { number: 0x4000_0000, audit: target.audit })).to.equal('EPERM');
    });

    it('allows everything else, whatever its arguments are', () => {
      const listed = new Set(Object.entries(target.numbers).flatMap(([name, number]) => (isFree(name) ? [] : number)));
      fc.assert(
        fc.property(fc.nat(target.numberMax - 1), fc.array(fc.integer(), { maxLength: 6 }), (number, args) => {
          fc.pre(!listed.has(number));
          expect(runFilter(program, { number, audit: target.audit, args })).to.equal('allow');
        }),
      );
    });

    it('is short enough for the kernel and jumps no further than it can', () => {
      expect(program.length).to.be.lessThan(4096);
      for (const [at, [, whenTrue, whenFalse]] of program.entries()) {
        expect(Math.max(whenTrue, whenFalse)).to.be.lessThan(256);
        expect(at + 1 + Math.max(whenTrue, whenFalse)).to.be.lessThan(program.length + 1);
      }
      expect(encodeFilter(program)).to.have.length(program.length * 8);
    });
  });
}
