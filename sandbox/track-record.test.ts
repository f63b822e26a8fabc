import { expect } from 'chai';
import type { PluginFaultCode } from '../plugins-sdk/contract/index.ts';
import type { Outcome } from './contract.ts';
import { TrackRecords, UNREST_MS } from './track-record.ts';

const USAGE = {
  wallMs: 1,
  turns: 1,
  hostCalls: 0,
  heapMiB: 1,
  externalMiB: 0,
  logBytes: 0,
  inputBytes: 0,
  outputBytes: 0,
  queuedMs: 0,
  executions: 1,
};
const completed = (cpuMs = 1): Outcome => ({ status: 'completed', output: '', usage: { ...USAGE, cpuMs } });
const faulted = (code: PluginFaultCode, cpuMs = 1): Outcome => ({
  status: 'faulted',
  fault: { code, message: '' },
  usage: { ...USAGE, cpuMs },
});

function openRecords() {
  let clockMs = 0;
  const records = new TrackRecords(() => clockMs);
  const pass = (ms: number) => {
    clockMs += ms;
  };
  const complete = (id: string, times: number, cpuMs?: number) => {
    for (let time = 0; time < times; time++) records.note(id, completed(cpuMs));
  };
  return { records, pass, complete };
}

describe('TrackRecords', () => {
  it('holds nothing against anybody as long as nobody breaks a limit', () => {
    const { records } = openRecords();
    expect(records.standingOf('new')).to.equal('clean');
    expect(records.isUnrest).to.equal(false);
  });

  it('sets whoever breaks a limit apart at the first time, and for twice as long at each further one', () => {
    const { records, pass } = openRecords();
    for (const apartMs of [60_000, 120_000, 240_000]) {
      expect(records.note('villain', faulted('cpu-limit', 60))).to.equal(true);
      pass(apartMs - 1);
      expect(records.standingOf('villain')).to.equal('offender');
      pass(1);
      expect(records.standingOf('villain')).to.equal('newcomer');
    }
  });

  it('takes a burst for one offence', () => {
    const { records, pass } = openRecords();
    for (let time = 0; time < 20; time++) records.note('villain', faulted('heap-limit'));
    pass(60_000);
    expect(records.standingOf('villain')).to.equal('newcomer');
  });

  it('asks newcomers for fifty light invocations in times of unrest, and those that have proved themselves for nothing', () => {
    const { records, complete } = openRecords();
    complete('old', 50);
    records.offend('villain');
    complete('new', 49);
    expect(['old', 'new', 'villain'].map((id) => records.standingOf(id))).to.deep.equal([
      'clean',
      'newcomer',
      'offender',
    ]);
    complete('new', 1);
    expect(records.standingOf('new')).to.equal('clean');
  });

  it('lets heavy invocations prove less', () => {
    const { records, complete } = openRecords();
    records.offend('villain');
    complete('heavy', 499, 50);
    expect(records.standingOf('heavy')).to.equal('newcomer');
    complete('heavy', 2, 50);
    expect(records.standingOf('heavy')).to.equal('clean');
  });

  it('makes an offender begin from nothing when its time is over', () => {
    const { records, pass, complete } = openRecords();
    complete('sleeper', 1_000);
    records.note('sleeper', faulted('sandbox-killed'));
    expect(records.standingOf('sleeper')).to.equal('offender');
    pass(60_000);
    expect(records.standingOf('sleeper')).to.equal('newcomer');
  });

  it('counts only what keeps a lane from others', () => {
    const { records } = openRecords();
    const harmless: Outcome[] = [
      faulted('plugin-threw'),
      faulted('output-too-large'),
      faulted('host-call-limit'),
      faulted('plugin-never-answered'),
      faulted('wall-limit', 5),
    ];
    for (const outcome of [...harmless, null]) expect(records.note('clumsy', outcome)).to.equal(false);
    expect(records.isUnrest).to.equal(false);
    expect(records.note('clumsy', faulted('wall-limit', 500))).to.equal(true);
    expect(records.note('clumsy', faulted('startup-cpu-limit'))).to.equal(true);
  });

  it('forgets everything when nobody has broken a limit for ten minutes', () => {
    const { records, pass } = openRecords();
    records.offend('villain');
    pass(UNREST_MS - 1);
    expect(records.standingOf('new')).to.equal('newcomer');
    pass(1);
    expect(['villain', 'new'].map((id) => records.standingOf(id))).to.deep.equal(['clean', 'clean']);
  });

  it('keeps a bounded number of records, and those of offenders longest', () => {
    const { records, complete } = openRecords();
    records.offend('villain');
    complete('first', 50);
    for (let each = 0; each < 20_000; each++) complete(`flood-${each}`, 1);
    expect(records.size).to.equal(10_000);
    expect(records.standingOf('villain')).to.equal('offender');
    expect(records.standingOf('first')).to.equal('newcomer');
  });
});
