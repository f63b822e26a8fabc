import { expect } from 'chai';
import type { ImportReport, Principal } from '../../registry/index.ts';
import type { NewNotification } from '../notifications/notification-store.ts';
import { tellOfImports } from './tell-of-imports.ts';

const NAME = { id: 'r', plugin: 'north/carried', version: '1.0.0' };
const YANKED = { yanked: { at: '', reason: 'It loses orders.', replacement: '1.0.1' } };

/** What operators are told of an import that did this. */
async function toldOf(report: object, add?: () => Promise<void>): Promise<NewNotification[]> {
  const told: NewNotification[] = [];
  const installation = { enabled: true, follows: null, operator: 'any' };
  const { importRelease } = tellOfImports({
    transfers: {
      importRelease: async () => report as ImportReport,
      exportRelease: () => Promise.reject(new Error('not here')),
    },
    store: {
      running: async () =>
        ['one', 'two', 'three'].map((slug, at) => ({ ...installation, id: slug, slug, operatorId: `o${at % 2}` })),
    },
    notifications: { add: add ?? (async (notifications) => void told.push(...notifications)) },
    log: { error: () => {} },
    nowMs: () => 1_000,
  });
  expect(await importRelease({} as Principal, {} as never)).to.equal(report);
  return told;
}

describe('tellOfImports', () => {
  it('tells each operator once what was yanked elsewhere, as of now', async () => {
    const told = await toldOf({ event: 'release.yank', dryRun: false, release: { ...NAME, ...YANKED } });
    expect(
      told.map(({ organisationId, at, facts }) => [
        organisationId,
        at,
        (facts as { installations: string[] }).installations,
      ]),
    ).to.deep.equal([
      ['o0', '1970-01-01T00:00:01.000Z', ['one', 'three']],
      ['o1', '1970-01-01T00:00:01.000Z', ['two']],
    ]);
    expect(told[0]!.body).to.equal(
      'It loses orders. It goes on where it runs, and is not installed anew. Take 1.0.1 instead.',
    );
  });

  it('tells nobody of what stops nothing, or was only tried', async () => {
    const release = { ...NAME, ...YANKED };
    for (const event of ['release.import', 'release.deprecate', null])
      expect(await toldOf({ event, dryRun: false, release })).to.deep.equal([]);
    expect(await toldOf({ event: 'release.yank', dryRun: true, release })).to.deep.equal([]);
  });

  it('does not undo an import of which nobody can be told', async () => {
    const release = { ...NAME, blocked: { reason: 'Malicious.' } };
    await toldOf({ event: 'release.takedown', dryRun: false, release }, () => Promise.reject(new Error('database')));
  });
});
