import { expect } from 'chai';
import fc from 'fast-check';
import { type End, type Game, joinGame, newGame, type Player, play, rowOf, viewOf } from '../src/rules.ts';

const end = fc.constantFrom<End>('left', 'right');
const started = fc
  .array(fc.integer({ min: 1, max: 9 }), { minLength: 2, maxLength: 40 })
  .map((coins): Game => ({ coins, moves: [], state: 'playing' }));

const playerAt = (turn: number): Player => (turn % 2 === 1 ? 'one' : 'two');
const playAll = (game: Game, ends: End[]): Game =>
  ends.slice(0, game.coins.length).reduce((now, each, at) => {
    const verdict = play(now, playerAt(at + 1), { turn: at + 1, end: each });
    if (!verdict.legal) throw new Error(verdict.code);
    return verdict.game;
  }, game);
const codeOf = (verdict: ReturnType<typeof play>) => (verdict.legal ? 'legal' : verdict.code);

describe('the rules of coin duel', () => {
  it('take every coin from the row into exactly one purse', () => {
    fc.assert(
      fc.property(started, fc.array(end, { minLength: 40, maxLength: 40 }), (game, ends) => {
        const over = viewOf(playAll(game, ends));
        const total = game.coins.reduce((sum, coin) => sum + coin, 0);
        expect(over).to.deep.include({ state: 'over', row: [], next: null });
        expect(over.score.one + over.score.two).to.equal(total);
        expect(over.moves.map(({ coin }) => coin).sort()).to.deep.equal([...game.coins].sort());
      }),
    );
  });

  it('keep purses and row together at every moment, and the row a part of the first row', () => {
    fc.assert(
      fc.property(started, fc.array(end, { maxLength: 20 }), (game, ends) => {
        const now = playAll(game, ends);
        const { score, row } = viewOf(now);
        expect(score.one + score.two + row.reduce((sum, coin) => sum + coin, 0)).to.equal(
          game.coins.reduce((sum, coin) => sum + coin, 0),
        );
        expect(game.coins.join(' ')).to.contain(rowOf(now).join(' '));
      }),
    );
  });

  it('count a repeated move once, and refuse another move with its number', () => {
    fc.assert(
      fc.property(started, fc.array(end, { minLength: 1, maxLength: 20 }), fc.nat(), (game, ends, pick) => {
        const now = playAll(game, ends);
        const made = now.moves[pick % now.moves.length]!;
        const again = play(now, made.player, made);
        expect(again).to.deep.equal({ legal: true, game: now });
        expect(codeOf(play(now, made.player, { ...made, end: made.end === 'left' ? 'right' : 'left' }))).to.equal(
          'move-conflict',
        );
        expect(codeOf(play(now, made.player === 'one' ? 'two' : 'one', made))).to.equal('move-conflict');
      }),
    );
  });

  it('refuse to move out of turn, ahead of time, before the start and after the end', () => {
    const game: Game = { coins: [1, 2], moves: [], state: 'playing' };
    expect(codeOf(play(game, 'two', { turn: 1, end: 'left' }))).to.equal('not-your-turn');
    expect(codeOf(play(game, 'two', { turn: 2, end: 'left' }))).to.equal('turn-mismatch');
    expect(codeOf(play({ ...game, state: 'waiting' }, 'one', { turn: 1, end: 'left' }))).to.equal('game-not-started');
    expect(codeOf(play(playAll(game, ['left', 'left']), 'one', { turn: 3, end: 'left' }))).to.equal('game-over');
    expect(codeOf(joinGame(game))).to.equal('game-full');
  });

  it('name the richer player, or a draw', () => {
    const winner = (coins: number[]) =>
      viewOf(playAll({ coins, moves: [], state: 'playing' }, ['left', 'left'])).winner;
    expect([winner([2, 1]), winner([1, 2]), winner([1, 1])]).to.deep.equal(['one', 'two', 'draw']);
  });

  it('lay coins from 1 to 9, whatever the random numbers are', () => {
    for (const value of [0, 0.5, 1 - Number.EPSILON]) {
      for (const coin of newGame(8, () => value).coins) expect(coin).to.be.within(1, 9);
    }
  });
});
