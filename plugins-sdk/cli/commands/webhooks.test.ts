import { expect } from 'chai';
import type { Delivery, FeedEvent, WebhookEndpoint } from '../../../host/webhooks/contract.ts';
import type { ApiClient } from '../api-client.ts';
import { createCli } from '../command-line.ts';
import type { Streams } from '../terminal.ts';
import { eventsCommand, eventText, readFeed } from './events.ts';
import { deliveryText, endpointText } from './webhooks.ts';

const plain = (_style: unknown, text: string) => text;
const AT = '2026-11-21T12:00:00.000Z';
const event = (position: number): FeedEvent => ({
  ...{ id: `event-${position}`, position, type: 'key.revoked', version: 1, at: AT },
  payload: { keyId: 'aa', blockedReleases: 0 },
});

describe('readFeed', () => {
  const feed = (...pages: number[][]) => {
    const asked: object[] = [];
    const api = {
      readEvents: async (request: object = {}) => {
        asked.push(request);
        const items = (pages.shift() ?? []).map(event);
        return { items, cursor: String(items.at(-1)?.position ?? 9), more: pages.length > 0, missed: false };
      },
    };
    return { api, asked };
  };

  it('reads page after page from where it was told, and ends with the last', async () => {
    const { api, asked } = feed([1, 2], [3]);
    const read: number[] = [];
    for await (const { items } of readFeed(api, { after: '0', types: 'key.revoked' }))
      read.push(...items.map(({ position }) => position));
    expect(read).to.deep.equal([1, 2, 3]);
    expect(asked).to.deep.equal([
      { limit: 100, after: '0', types: 'key.revoked' },
      { limit: 100, after: '2', types: 'key.revoked' },
    ]);
  });

  it('goes on after an empty page while it follows, and lets the host wait', async () => {
    const { api, asked } = feed([1], [], [2]);
    const read: number[] = [];
    for await (const { items } of readFeed(api, { follow: true })) {
      read.push(...items.map(({ position }) => position));
      if (read.length === 2) break;
    }
    expect(read).to.deep.equal([1, 2]);
    expect(asked.at(-1)).to.deep.equal({ limit: 100, after: '9', waitSeconds: 20 });
  });
});

describe('gate events --json', () => {
  it('says that events after the cursor were deleted, on whichever page that was said', async () => {
    let out = '';
    const stream = { write: (text: string) => (out += text) } as unknown as NodeJS.WriteStream;
    const settings = { configFolder: '/', cwd: '/', url: null, token: null };
    const cli = createCli(settings, { out: stream, err: stream, in: process.stdin } satisfies Streams);
    const pages = [
      { items: [event(1)], cursor: '1', more: true, missed: true },
      { items: [event(2)], cursor: '2', more: false, missed: false },
    ];
    cli.api = async () => ({ readEvents: async () => pages.shift() }) as unknown as ApiClient;
    eventsCommand(cli);
    await cli.program.parseAsync(['events', '--after', '0', '--json'], { from: 'user' });
    expect(JSON.parse(out)).to.deep.equal({ items: [event(1), event(2)], cursor: '2', missed: true });
  });
});

describe('what is shown', () => {
  it('is one line for an event, with what its payload says', () => {
    expect(eventText(plain, event(7))).to.equal(`7 ${AT} key.revoked keyId=aa blockedReleases=0`);
  });

  it('says of an endpoint whether it works, and of a delivery every attempt', () => {
    const endpoint: WebhookEndpoint = {
      ...{ id: 'e', url: 'https://example.com/h', label: 'shop', types: [], state: 'paused' },
      ...{ failingSince: AT, waiting: 2, createdAt: AT },
    };
    expect(endpointText(plain, endpoint)).to.equal(
      `paused   e shop https://example.com/h\n    all types, 2 waiting, failing since ${AT}`,
    );
    const delivery: Delivery = {
      ...{ id: 'd', endpointId: 'e', eventId: 'x', type: 'key.revoked', cause: 'replay', state: 'dead' },
      ...{ nextAt: null, createdAt: AT, endedAt: AT },
      attempts: [{ at: AT, ms: 12, status: 500, error: null, excerpt: 'a\n\u001b[2Jb' }],
    };
    const [head, attempt] = deliveryText(plain, delivery).split('\n');
    expect(head).to.equal(`dead      d ${AT} key.revoked (replay)`);
    // Answers are written by strangers.
    expect(attempt)
      .to.match(/^ {4}\S+ 12 ms 500 a /)
      .and.not.include('\u001b');
  });
});
