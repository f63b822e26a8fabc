import { expect } from 'chai';
import type { AuditRecord } from '../../registry/index.ts';
import { CSV_HEAD, csvLine } from './csv.ts';

const record = (subjectId: string): AuditRecord => ({
  sequence: 7,
  id: 'i',
  at: '2026-01-01T00:00:00.000Z',
  action: 'token.issue',
  outcome: 'done',
  organisationId: null,
  actor: { via: 'system', part: 'rollouts' },
  subject: { kind: 'token', id: subjectId },
  before: null,
  after: { a: 1 },
  address: null,
  requestId: null,
  hash: 'h',
});

describe('csvLine', () => {
  it('has a cell for each column, and quotes what needs it', () => {
    const line = csvLine(record('a "b", c'));
    expect(line).to.equal(
      '7,2026-01-01T00:00:00.000Z,token.issue,done,,system,,,rollouts,token,"a ""b"", c",,"{""a"":1}",,,i,h\r\n',
    );
    expect(CSV_HEAD.split(',')).to.have.length(17);
  });

  it('lets no cell be a formula', () => {
    for (const text of ['=1+1', '+1', '-1', '@SUM(A1)', '\t=1']) expect(csvLine(record(text))).to.include(`'${text}`);
  });
});
