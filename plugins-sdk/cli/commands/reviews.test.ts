import { expect } from 'chai';
import type { Rating } from '../../../registry/index.ts';
import { ratingText, reportsText } from './reviews.ts';

const plain = (_style: unknown, text: string) => text;
const RATING: Rating = {
  id: '0197c0de-0000-7000-8000-000000000000',
  plugin: 'acme/hello',
  stars: 4,
  body: 'Greets well.\n\u001b[2JTwice.',
  version: '1.0.0',
  own: true,
  helpful: 2,
  unhelpful: 1,
  hidden: null,
  reply: { body: 'Thanks.', at: '2026-11-21T12:00:00.000Z' },
  createdAt: '2026-11-21T12:00:00.000Z',
  updatedAt: '2026-11-21T12:00:00.000Z',
};

describe('gate reviews', () => {
  it('shows stars, votes and the reply, and nothing that moves the cursor', () => {
    const lines = ratingText(plain, RATING).split('\n');
    expect(lines[0]).to.match(/^★★★★☆ 1\.0\.0 .* \(yours\) 2 of 3 found it helpful$/);
    expect(lines.slice(1)).to.deep.equal(['    Greets well.', lines[2], '    The publisher replied:', '    Thanks.']);
    expect(lines.join('')).not.to.include('\u001b');
    const silent = ratingText(plain, { ...RATING, body: '', reply: null, helpful: 0, unhelpful: 0, own: false });
    expect(silent.split('\n')).to.have.length(1);
  });

  it('shows its author and moderators why one is hidden, and moderators what was reported', () => {
    const hidden = { ...RATING, hidden: 'It advertises.\u001b[2J' };
    expect(ratingText(plain, hidden).split('\n')[1]).to.match(/^ {4}Hidden by a moderator: It advertises\./);
    const report = { id: RATING.id, rating: hidden, reason: 'Spam\u001b[2J', createdAt: RATING.createdAt };
    const text = reportsText(plain, [report]);
    expect(text).to.match(/^acme\/hello reported 2026-11-21T12:00:00\.000Z: Spam/);
    expect(text).not.to.include('\u001b');
    expect(reportsText(plain, [])).to.equal('Nothing is reported.');
  });
});
