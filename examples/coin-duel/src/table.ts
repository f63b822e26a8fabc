/** The tables at which games are played: one entry for each game, changed by compare-and-set. */
import type { Kv } from '@gatehouse/plugin-sdk';
import type { Game, Player, Verdict } from './rules.ts';

/** A game with the secrets of its players; never leaves the plugin as a whole. */
export interface Table {
  game: Game;
  /** Whoever knows a token is that player. */
  tokens: Partial<Record<Player, string>>;
}

/** A game that nobody touches is forgotten after a day. */
const IDLE_SECONDS_MAX = 86_400;
/** Two players can get into each other's way once or twice, not more often. */
const ATTEMPTS_MAX = 10;

const entryOf = (gameId: string): string => `game/${gameId}`;
const GAME_ID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

export async function openTable(kv: Kv, gameId: string, table: Table): Promise<void> {
  await kv.set(entryOf(gameId), table, { ifVersion: 0, ttlSeconds: IDLE_SECONDS_MAX });
}

export async function findTable(kv: Kv, gameId: string): Promise<{ table: Table; version: number } | null> {
  const entry = GAME_ID.test(gameId) ? await kv.get<Table>(entryOf(gameId)) : null;
  return entry && { table: entry.value, version: entry.version };
}

/**
 * Changes a game as `judge` decides; where somebody else changed it meanwhile, it is judged again. An illegal change is
 * not stored. Null where there is no such game.
 */
export async function changeTable(
  kv: Kv,
  gameId: string,
  judge: (table: Table) => Verdict & { tokens?: Table['tokens'] },
): Promise<Verdict | null> {
  for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt += 1) {
    const found = await findTable(kv, gameId);
    if (found === null) return null;
    const verdict = judge(found.table);
    if (!verdict.legal || verdict.game === found.table.game) return verdict;
    const table = { game: verdict.game, tokens: verdict.tokens ?? found.table.tokens };
    if (await store(kv, gameId, table, found.version)) return verdict;
  }
  throw new Error(`game ${gameId} changes faster than it can be judged`);
}

async function store(kv: Kv, gameId: string, table: Table, ifVersion: number): Promise<boolean> {
  try {
    await kv.set(entryOf(gameId), table, { ifVersion, ttlSeconds: IDLE_SECONDS_MAX });
    return true;
  } catch (error) {
    if ((error as { code?: string }).code === 'kv-version-conflict') return false;
    throw error;
  }
}

/** Who a token belongs to; null for a stranger. Compares all of it, so that the time tells nothing. */
export function playerOf({ tokens }: Table, token: string | null): Player | null {
  if (token === null) return null;
  const players = (['one', 'two'] as const).filter((player) => sameText(tokens[player] ?? '', token));
  return players[0] ?? null;
}

function sameText(secret: string, given: string): boolean {
  let difference = secret.length ^ given.length;
  for (let at = 0; at < given.length; at += 1)
    difference |= given.charCodeAt(at) ^ secret.charCodeAt(at % secret.length);
  return secret !== '' && difference === 0;
}
