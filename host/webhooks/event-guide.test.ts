import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { eventGuide } from './event-guide.ts';

describe('docs/events.md', () => {
  it('is what the table says: node host/webhooks/event-guide.ts > docs/events.md', () => {
    const stored = readFileSync(join(import.meta.dirname, '../../docs/events.md'), 'utf8');
    expect(stored).to.equal(eventGuide());
  });
});
