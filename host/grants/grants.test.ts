import { expect } from 'chai';
import type { CapabilityName } from '../../plugins-sdk/contract/index.ts';
import { createCapabilityMeter } from './capability-meter.ts';
import type { CapabilitySum } from './contract.ts';
import { createGrantWatch } from './grant-watch.ts';
import { describeGrants, isUnused } from './rules/describe-grants.ts';

const DAY_MS = 86_400_000;

describe('describeGrants', () => {
  it('lists what is asked for in the order of the manifest, then what is granted and not asked for any more', () => {
    const capabilities = [
      { name: 'log' as const, reason: 'Says what it does.' },
      { name: 'kv' as const, reason: 'Keeps what it knows.', optional: true },
    ];
    const times = [{ capability: 'kv', grantedAtMs: 0, usedAtMs: DAY_MS }];
    const grants = describeGrants({ capabilities }, ['kv', 'notify'], times, 31 * DAY_MS);
    expect(
      grants.map(({ capability, granted, optional, unused }) => [capability, granted, optional, unused]),
    ).to.deep.equal([
      ['log', false, false, false],
      ['kv', true, true, true],
      ['notify', true, false, false],
    ]);
    expect(grants[1]).to.include({ usedAt: '1970-01-02T00:00:00.000Z', reason: 'Keeps what it knows.' });
    expect(grants[2]).to.include({ reason: null, purpose: 'Send you messages that stand among your notifications.' });
  });

  it('calls unused only what had thirty days to be used', () => {
    const at = (grantedAtMs: number, usedAtMs: number | null, now: number) =>
      isUnused({ capability: 'kv', grantedAtMs, usedAtMs }, now);
    expect(at(0, null, 30 * DAY_MS - 1)).to.equal(false);
    expect(at(0, null, 30 * DAY_MS)).to.equal(true);
    expect(at(0, 5 * DAY_MS, 34 * DAY_MS)).to.equal(false);
    expect(at(10 * DAY_MS, 5 * DAY_MS, 36 * DAY_MS)).to.equal(false);
  });
});

describe('createCapabilityMeter', () => {
  const call = { installationId: 'i', capability: 'kv', code: null, bytes: 10, wallMs: 2 } as const;

  it('adds calls up, and writes one row for each installation and capability', async () => {
    const written: CapabilitySum[][] = [];
    const meter = createCapabilityMeter({ add: async (sums) => void written.push(sums) }, () => 7);
    meter.called(call);
    meter.called({ ...call, code: 'kv-version-conflict' });
    meter.used('i', 'log');
    await meter.flush();
    await meter.flush();
    expect(written).to.deep.equal([
      [
        { installationId: 'i', capability: 'kv', calls: 2, refused: 1, bytes: 20, wallMs: 4, usedAtMs: 7 },
        { installationId: 'i', capability: 'log', calls: 0, refused: 0, bytes: 0, wallMs: 0, usedAtMs: 7 },
      ],
    ]);
  });

  it('does not count as use what was not granted', async () => {
    const written: CapabilitySum[][] = [];
    const meter = createCapabilityMeter({ add: async (sums) => void written.push(sums) }, () => 7);
    meter.called({ ...call, code: 'capability-denied' });
    await meter.flush();
    expect(written[0]![0]).to.include({ calls: 1, refused: 1, usedAtMs: null });
  });

  it('keeps what could not be written for the next time', async () => {
    let now = 1;
    let down = true;
    const written: CapabilitySum[][] = [];
    const add = async (sums: CapabilitySum[]) => {
      if (down) throw new Error('down');
      written.push(sums);
    };
    const meter = createCapabilityMeter({ add }, () => now);
    meter.called(call);
    await meter.flush().catch(() => {});
    down = false;
    now = 2;
    meter.called(call);
    await meter.flush();
    expect(written).to.have.length(1);
    expect(written[0]![0]).to.include({ calls: 2, bytes: 20, usedAtMs: 2 });
  });
});

describe('createGrantWatch', () => {
  it('knows the grants of what changed while invocations of it may run, and forgets them afterwards', async () => {
    let now = 0;
    const watch = createGrantWatch(
      async (id) => (id === 'gone' ? null : ['kv']),
      () => now,
    );
    expect(watch.grantsOf('i')).to.equal(undefined);
    await watch.changed('i');
    await watch.changed('gone');
    expect(watch.grantsOf('i')).to.deep.equal(['kv']);
    expect(watch.grantsOf('gone')).to.deep.equal([]);
    now = 120_000;
    await watch.changed('other');
    expect(watch.grantsOf('i')).to.equal(undefined);
  });

  it('knows what came last of two changes at once, whichever is read sooner', async () => {
    const answers: ((grants: CapabilityName[]) => void)[] = [];
    const watch = createGrantWatch(
      () => new Promise((resolve) => answers.push(resolve)),
      () => 0,
    );
    const both = [watch.changed('i'), watch.changed('i')];
    answers[1]!([]);
    await both[1];
    answers[0]!(['kv']);
    await both[0];
    expect(watch.grantsOf('i')).to.deep.equal([]);
  });
});
