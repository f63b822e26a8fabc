import { definePlugin } from '@gatehouse/plugin-sdk';
import { type End, joinGame, newGame, play, viewOf } from './rules.ts';
import { changeTable, findTable, openTable, playerOf } from './table.ts';

interface Config {
  coins?: number;
}

const COINS = 12;

export default definePlugin<Config>()({
  routes: {
    'POST /games': async (_request, { kv, config, log }) => {
      const gameId = crypto.randomUUID();
      const token = crypto.randomUUID();
      const game = newGame(config?.coins ?? COINS, Math.random);
      await openTable(kv, gameId, { game, tokens: { one: token } });
      log.info('game opened', { gameId, coins: game.coins.length });
      return Response.json({ gameId, player: 'one', token, ...viewOf(game) }, { status: 201 });
    },

    'GET /games/:id': async (_request, { kv, params }) => {
      const found = await findTable(kv, params.id);
      return found === null ? unknownGame(params.id) : { gameId: params.id, ...viewOf(found.table.game) };
    },

    'POST /games/:id/join': async (_request, { kv, params }) => {
      const token = crypto.randomUUID();
      const verdict = await changeTable(kv, params.id, ({ game, tokens }) => ({
        ...joinGame(game),
        tokens: { ...tokens, two: token },
      }));
      if (verdict === null) return unknownGame(params.id);
      if (!verdict.legal) return refusal(409, verdict.code, verdict.message);
      return Response.json({ gameId: params.id, player: 'two', token, ...viewOf(verdict.game) }, { status: 201 });
    },

    'POST /games/:id/moves': async (request, { kv, params, log }) => {
      const move = readMove(await request.text());
      if (move === null) return refusal(422, 'move-malformed', MOVE_FORM);
      const found = await findTable(kv, params.id);
      if (found === null) return unknownGame(params.id);
      const player = playerOf(found.table, request.headers.get('x-player-token'));
      if (player === null) return refusal(403, 'player-unknown', 'Send your token as the header X-Player-Token.');
      const verdict = await changeTable(kv, params.id, ({ game }) => play(game, player, move));
      if (verdict === null) return unknownGame(params.id);
      if (!verdict.legal) return refusal(409, verdict.code, verdict.message);
      const view = viewOf(verdict.game);
      if (view.winner !== null) log.info('game over', { gameId: params.id, winner: view.winner });
      return { gameId: params.id, player, ...view };
    },
  },

  health: async ({ kv }) => {
    await kv.list({ limit: 1 });
    return { status: 'ok' };
  },

  configure: ({ coins = COINS }) =>
    coins % 2 === 0
      ? { ok: true }
      : { ok: false, faults: [{ pointer: '/coins', message: 'must be even, so that both players get as many coins' }] },
});

const MOVE_FORM = 'Send { "turn": <number of the move>, "end": "left" | "right" }.';

function readMove(text: string): { turn: number; end: End } | null {
  try {
    const { turn, end } = JSON.parse(text) as { turn?: unknown; end?: unknown };
    const wellFormed = Number.isSafeInteger(turn) && (turn as number) >= 1 && (end === 'left' || end === 'right');
    return wellFormed ? { turn: turn as number, end } : null;
  } catch {
    return null;
  }
}

const refusal = (status: number, code: string, message: string): Response =>
  Response.json({ code, message }, { status });
const unknownGame = (gameId: string): Response => refusal(404, 'game-unknown', `There is no game "${gameId}".`);
