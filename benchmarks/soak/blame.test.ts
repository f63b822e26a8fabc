import { expect } from 'chai';
import { blameOf } from './blame.ts';

const by = (...installationIds: string[]) =>
  installationIds.map((installationId) => ({ invocationId: 'i', installationId, digest: 'd' }));
const isHostile = (installationId: string) => installationId === 'villain';

describe('blameOf', () => {
  it('is perfect when kills blame nobody and culprits are named', () => {
    const deaths = [
      { pid: 1, reason: 'killed', culprits: [] },
      { pid: 2, reason: 'overdue', culprits: by('villain') },
    ] as const;
    const blame = blameOf(
      [...deaths].map((death) => ({ ...death, culprits: [...death.culprits] })),
      [{ pid: 1 }],
      isHostile,
    );
    expect(blame).to.include({ outside: 1, inside: 1, named: 1, precision: 1, recall: 1, outsideBlamed: 0 });
    expect(blame.reasons).to.deep.equal({ killed: 1, overdue: 1 });
  });

  it('loses precision when a bystander is named, or anybody for a kill from outside', () => {
    const bystander = blameOf([{ pid: 2, reason: 'overdue', culprits: by('villain', 'neighbour') }], [], isHostile);
    expect(bystander).to.include({ precision: 0.5, recall: 1, honestNamed: 1 });
    const outside = blameOf([{ pid: 1, reason: 'killed', culprits: by('villain') }], [{ pid: 1 }], isHostile);
    expect(outside).to.include({ precision: 0, outsideBlamed: 1 });
  });

  it('loses recall when a death that nobody ordered has no culprit', () => {
    const deaths = [
      { pid: 1, reason: 'aborted' as const, culprits: [] },
      { pid: 2, reason: 'killed' as const, culprits: [] },
      { pid: 3, reason: 'aborted' as const, culprits: by('villain') },
    ];
    expect(blameOf(deaths, [], isHostile)).to.include({ inside: 3, unnamed: 2, recall: 1 / 3, precision: 1 });
  });

  it('takes a death that the watchdog explains for that, although the cordon was hit too', () => {
    const blame = blameOf([{ pid: 1, reason: 'overdue', culprits: by('villain') }], [{ pid: 1 }], isHostile);
    expect(blame).to.include({ outside: 0, inside: 1, precision: 1, recall: 1 });
  });
});
