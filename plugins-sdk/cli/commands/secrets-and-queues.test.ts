import { expect } from 'chai';
import type { Manifest } from '../../contract/index.ts';
import type { Paint } from '../terminal.ts';
import { reachText } from './install.ts';
import { messageText } from './queue.ts';
import { secretText } from './secrets.ts';

const paint: Paint = (_style, text) => text;

describe('reachText', () => {
  it('names every host, and the secrets that go there', () => {
    const manifest = {
      capabilities: [{ name: 'fetch', reason: 'Asks for prices.' }],
      fetchHosts: ['api.example.com', '*.cdn.example.com'],
      secrets: [{ name: 'API_KEY', reason: 'x', send: { hosts: ['api.example.com'], header: 'authorization' } }],
    } as unknown as Manifest;
    expect(reachText(paint, manifest)).to.equal(
      '\nIt can send requests to:\n  api.example.com with the secret API_KEY\n  *.cdn.example.com',
    );
    expect(reachText(paint, { ...manifest, capabilities: [] })).to.equal('');
  });
});

describe('secretText', () => {
  it('says whether a secret is set, where it goes and what it is for', () => {
    const secret = {
      name: 'API_KEY',
      reason: 'Opens the shop.',
      optional: false,
      send: { hosts: ['a.example'], header: 'x-key' },
      isSet: false,
      updatedAt: null,
    };
    expect(secretText(paint, secret)).to.equal(
      '✖ missing  API_KEY\n    Opens the shop.\n    sent to a.example as x-key',
    );
    expect(secretText(paint, { ...secret, isSet: true, updatedAt: '2026-01-01T00:00:00Z' })).to.match(/^✔ set {4}/);
    expect(secretText(paint, { ...secret, optional: true, send: null })).to.include('not sent by the host');
  });
});

describe('messageText', () => {
  it('says what became of a message, and shows no line break of a stranger', () => {
    const message = {
      id: 'm1',
      queue: 'mails\nevil',
      state: 'dead' as const,
      attempts: 3,
      attemptsMax: 3,
      dueAt: '2026-01-01T00:00:00Z',
      createdAt: '2026-01-01T00:00:00Z',
      error: 'plugin-threw',
      payload: null,
    };
    expect(messageText(paint, message)).to.match(/^dead {4}m1 mails\S* ?evil plugin-threw \(attempt 3 of 3\)$/);
    expect(messageText(paint, { ...message, state: 'waiting', error: null })).to.match(/ due 2026-01-01T00:00:00Z$/);
  });
});
