/** The rules of the game, pure: no clock, no storage, and randomness only where it is handed in. */

export type Player = 'one' | 'two';
export type End = 'left' | 'right';

export interface Move {
  /** Number of the move, from 1. It makes a move that is sent twice count once. */
  turn: number;
  player: Player;
  end: End;
  coin: number;
}

export interface Game {
  /** The row as it was at the start; `moves` say what is left of it. */
  coins: number[];
  moves: Move[];
  state: 'waiting' | 'playing' | 'over';
}

export type Verdict = { legal: true; game: Game } | { legal: false; code: RuleCode; message: string };

export const RULES = {
  'game-not-started': 'The second player has not joined yet.',
  'game-over': 'The game is over.',
  'not-your-turn': 'It is the other player who moves.',
  'turn-mismatch': 'That is not the number of the next move; read the game again.',
  'move-conflict': 'Another move was made with this number.',
  'game-full': 'Two players are in the game already.',
} as const;
export type RuleCode = keyof typeof RULES;

const COIN_MAX = 9;

/** A new game with `count` coins from 1 to 9. `random` gives numbers in [0, 1). */
export function newGame(count: number, random: () => number): Game {
  const coins = Array.from({ length: count }, () => 1 + Math.floor(random() * COIN_MAX));
  return { coins, moves: [], state: 'waiting' };
}

export const joinGame = (game: Game): Verdict =>
  game.state === 'waiting' ? { legal: true, game: { ...game, state: 'playing' } } : illegal('game-full');

/**
 * Judges a move and makes it. The same move again, by the same player, is legal and changes nothing.
 * Refuses with: game-not-started, game-over, not-your-turn, turn-mismatch, move-conflict.
 */
export function play(game: Game, player: Player, { turn, end }: { turn: number; end: End }): Verdict {
  if (game.state === 'waiting') return illegal('game-not-started');
  const made = game.moves[turn - 1];
  if (made) return made.player === player && made.end === end ? { legal: true, game } : illegal('move-conflict');
  if (game.state === 'over') return illegal('game-over');
  if (turn !== game.moves.length + 1) return illegal('turn-mismatch');
  if (player !== playerAt(turn)) return illegal('not-your-turn');
  const row = rowOf(game);
  const coin = end === 'left' ? row[0]! : row.at(-1)!;
  const moves = [...game.moves, { turn, player, end, coin }];
  return { legal: true, game: { ...game, moves, state: moves.length === game.coins.length ? 'over' : 'playing' } };
}

const illegal = (code: RuleCode): Verdict => ({ legal: false, code, message: RULES[code] });

/** Player one has the odd turns. */
const playerAt = (turn: number): Player => (turn % 2 === 1 ? 'one' : 'two');

/** The coins that still lie there, from left to right. */
export function rowOf({ coins, moves }: Game): number[] {
  const left = moves.filter(({ end }) => end === 'left').length;
  return coins.slice(left, coins.length - (moves.length - left));
}

export interface GameView {
  state: Game['state'];
  row: number[];
  score: Record<Player, number>;
  /** Number of the next move, and who makes it; null while nobody can move. */
  next: { turn: number; player: Player } | null;
  /** Null until the game is over. */
  winner: Player | 'draw' | null;
  moves: Move[];
}

/** What both players may see. */
export function viewOf(game: Game): GameView {
  const score = { one: scoreOf(game, 'one'), two: scoreOf(game, 'two') };
  const turn = game.moves.length + 1;
  return {
    state: game.state,
    row: rowOf(game),
    score,
    next: game.state === 'playing' ? { turn, player: playerAt(turn) } : null,
    winner: game.state === 'over' ? winnerOf(score) : null,
    moves: game.moves,
  };
}

const scoreOf = ({ moves }: Game, player: Player): number =>
  moves.reduce((sum, move) => sum + (move.player === player ? move.coin : 0), 0);

const winnerOf = ({ one, two }: Record<Player, number>): Player | 'draw' =>
  one === two ? 'draw' : one > two ? 'one' : 'two';
