import { type Harness, startHarness } from '@gatehouse/plugin-sdk/testing';
import { expect } from 'chai';
import type { GameView } from '../src/rules.ts';

type Answer = GameView & { gameId: string; player: string; token: string; code: string };

describe('coin-duel', () => {
  let harness: Harness;
  before(async () => {
    harness = await startHarness({ folder: `${import.meta.dirname}/..`, config: { coins: 6 } });
  });
  after(() => harness.close());
  beforeEach(() => harness.reset());

  const send = async (method: string, path: string, body?: unknown, token?: string) => {
    const headers: Record<string, string> = token === undefined ? {} : { 'X-Player-Token': token };
    const response = await harness.fetch(path, { method, headers, ...(body ? { body: JSON.stringify(body) } : {}) });
    return { status: response.status, ...((await response.json()) as Answer) };
  };
  const start = async () => {
    const one = await send('POST', '/games');
    const two = await send('POST', `/games/${one.gameId}/join`);
    const move = (token: string, turn: unknown, end: unknown) =>
      send('POST', `/games/${one.gameId}/moves`, { turn, end }, token);
    return { gameId: one.gameId, one: one.token, two: two.token, move };
  };

  it('is played from the first coin to the last', async () => {
    const { gameId, one, two, move } = await start();
    const { row } = await send('GET', `/games/${gameId}`);
    expect(row).to.have.length(6);
    for (const turn of [1, 3, 5]) {
      expect((await move(one, turn, 'left')).status).to.equal(200);
      expect((await move(two, turn + 1, 'right')).status).to.equal(200);
    }
    const over = await send('GET', `/games/${gameId}`);
    const sum = (coins: number[]) => coins.reduce((total, coin) => total + coin, 0);
    expect(over.score).to.deep.equal({ one: sum(row.slice(0, 3)), two: sum(row.slice(3)) });
    expect(over).to.include({ state: 'over', next: null });
    expect(over.winner).to.equal(
      over.score.one === over.score.two ? 'draw' : over.score.one > over.score.two ? 'one' : 'two',
    );
    expect(harness.logs.map(({ message }) => message)).to.deep.equal(['game opened', 'game over']);
  });

  it('gives each player a token of their own, and shows it to nobody else', async () => {
    const { gameId, one, two, move } = await start();
    expect(one).to.not.equal(two);
    const seen = JSON.stringify([await send('GET', `/games/${gameId}`), await move(one, 1, 'left')]);
    expect(seen).to.not.contain(one).and.not.contain(two);
  });

  it('takes no move from strangers, nor from one player in the name of the other', async () => {
    const { one, two, move } = await start();
    for (const token of [
      '',
      'x',
      one.slice(0, -1),
      `${one}x`,
      one.replace(/.$/, (last) => (last === '0' ? '1' : '0')),
    ]) {
      expect(await move(token, 1, 'left')).to.include({ status: 403, code: 'player-unknown' });
    }
    expect(await move(two, 1, 'left')).to.include({ status: 409, code: 'not-your-turn' });
  });

  it('refuses malformed and illegal moves and leaves the game as it was', async () => {
    const { gameId, one, move } = await start();
    const before = await send('GET', `/games/${gameId}`);
    for (const [turn, end] of [
      [0, 'left'],
      [1.5, 'left'],
      ['1', 'left'],
      [1, 'middle'],
      [undefined, undefined],
    ]) {
      expect(await move(one, turn, end)).to.include({ status: 422, code: 'move-malformed' });
    }
    expect(await move(one, 2, 'left')).to.include({ status: 409, code: 'turn-mismatch' });
    expect(await send('GET', `/games/${gameId}`)).to.deep.equal(before);
  });

  it('counts a move that is sent many times at once only once', async () => {
    const { gameId, one, move } = await start();
    const answers = await Promise.all(Array.from({ length: 8 }, () => move(one, 1, 'left')));
    expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).to.equal(1);
    expect((await send('GET', `/games/${gameId}`)).moves).to.have.length(1);
  });

  it('lets one of two different moves at once win', async () => {
    const { gameId, one, move } = await start();
    const answers = await Promise.all([move(one, 1, 'left'), move(one, 1, 'right')]);
    expect(answers.map(({ status }) => status).sort()).to.deep.equal([200, 409]);
    expect((await send('GET', `/games/${gameId}`)).moves).to.have.length(1);
  });

  it('lets one of many join, and nobody move before', async () => {
    const { gameId, token } = await send('POST', '/games');
    expect(await send('POST', `/games/${gameId}/moves`, { turn: 1, end: 'left' }, token)).to.include({
      status: 409,
      code: 'game-not-started',
    });
    const joins = await Promise.all(Array.from({ length: 5 }, () => send('POST', `/games/${gameId}/join`)));
    expect(joins.map(({ status }) => status).sort()).to.deep.equal([201, 409, 409, 409, 409]);
  });

  it('knows no game of another name', async () => {
    for (const path of ['/games/nope', '/games/00000000-0000-4000-8000-000000000000', '/games/%2fgame%2f']) {
      expect(await send('GET', path)).to.include({ status: 404, code: 'game-unknown' });
    }
    expect(await send('POST', '/games/nope/join')).to.include({ status: 404 });
  });

  it('forgets a game that nobody has touched for a day', async () => {
    harness.clock.set(Date.UTC(2026, 10, 21));
    const { gameId } = await send('POST', '/games');
    harness.clock.advance(86_400_000 - 1);
    expect((await send('GET', `/games/${gameId}`)).status).to.equal(200);
    harness.clock.advance(2);
    expect((await send('GET', `/games/${gameId}`)).status).to.equal(404);
  });

  it('is the same game, byte for byte, from the same seed and moves', async () => {
    const record = async () => {
      const own = await startHarness({ folder: `${import.meta.dirname}/..`, nowMs: 0 });
      try {
        const opened = await (await own.fetch('/games', { method: 'POST' })).text();
        const { gameId, token } = JSON.parse(opened) as Answer;
        const joined = await (await own.fetch(`/games/${gameId}/join`, { method: 'POST' })).text();
        const moved = await own.fetch(`/games/${gameId}/moves`, {
          method: 'POST',
          headers: { 'x-player-token': token },
          body: '{"turn":1,"end":"right"}',
        });
        return [opened, joined, await moved.text()];
      } finally {
        await own.close();
      }
    };
    expect(await record()).to.deep.equal(await record());
  });

  it('is well, and wants an even number of coins', async () => {
    expect(await harness.health()).to.deep.equal({ status: 'ok' });
    expect(await harness.configure({ coins: 8 })).to.deep.equal({ ok: true });
    expect(await harness.configure({ coins: 7 })).to.deep.include({ ok: false });
  });
});
