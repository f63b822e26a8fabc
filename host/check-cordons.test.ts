import { expect } from 'chai';
import type { CordonStatus, SandboxAlarm } from '../sandbox/index.ts';
import { checkCordons } from './check-cordons.ts';

const cordon = (kind: CordonStatus['kind'], state: CordonStatus['state']): CordonStatus => ({
  kind,
  state,
  pid: 1,
  startedAtMs: 0,
  lanes: 1,
  running: 0,
  residentMiB: 100,
  installationId: null,
});
const alarm: SandboxAlarm = {
  code: 'cordon-start-failed',
  kind: 'spare',
  failures: 3,
  why: 'Error: /srv/gatehouse/sandbox/lane.ts',
  retryInMs: 400,
};

describe('checkCordons', () => {
  it('is content with one cordon that takes invocations', () => {
    const cordons = [cordon('pool', 'ready'), cordon('pool', 'starting'), cordon('spare', 'starting')];
    expect(checkCordons({ cordons, alarm: null })).to.deep.equal({ ok: true });
  });

  it('counts neither the spare, nor those of one installation, nor those that are going', () => {
    const cordons = [cordon('spare', 'ready'), cordon('solitary', 'ready'), cordon('pool', 'draining')];
    expect(checkCordons({ cordons, alarm: null })).to.include({ ok: false });
  });

  it('says that it is degraded while cordons do not start, and gives nothing of what they said away', () => {
    const degraded = checkCordons({ cordons: [cordon('pool', 'ready')], alarm });
    expect(degraded.ok).to.equal(true);
    expect(degraded.message)
      .to.match(/^Degraded/)
      .and.not.include('/srv');
    expect(checkCordons({ cordons: [], alarm }).ok).to.equal(false);
  });
});
