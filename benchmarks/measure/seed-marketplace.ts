import { createHash } from 'node:crypto';
import type { Knex } from 'knex';
import { v7 as uuidv7 } from 'uuid';
import { CATEGORIES } from '../../plugins-sdk/contract/index.ts';
import { createCatalogue } from '../../registry/index.ts';

const PUBLISHERS = 200;
const BATCH = 500;
const WORDS = (
  'keeps counts sells watches sends orders keys inventory reports players servers accounts subscription backup mail ' +
  'calendar weather chess cards puzzle stream video music library search export import billing invoices tickets chat ' +
  'forum moderation alerts metrics logs uptime proxy tunnel password vault editor notes tasks timer translation'
).split(' ');
const SIGNS = ['库存', '订单', '查询', '快递', '游戏', '邮件', '统计', '备份', '翻译', '日历', '密码', '音乐'];

/** So many published plugins with titles and descriptions of drawn words, the same ones every time. */
export async function seedMarketplace(
  system: Knex,
  plugins: number,
  /** Tells PostgreSQL how large its tables have become. */
  analyze: () => Promise<unknown>,
): Promise<void> {
  const draw = sequence(7);
  const pick = <Item>(items: readonly Item[]): Item => items[Math.floor(draw() * items.length)]!;
  const publishers = Array.from({ length: PUBLISHERS }, (_, at) => ({
    id: uuidv7(),
    slug: `seed-${at}`,
    kind: 'publisher',
    name: `Seed ${at}`,
  }));
  await system('organisations').insert(publishers);
  for (let from = 0; from < plugins; from += BATCH) {
    const rows = Array.from({ length: Math.min(BATCH, plugins - from) }, (_, offset) => {
      const at = from + offset;
      const words = (count: number) => Array.from({ length: count }, () => pick(WORDS)).join(' ');
      const publisher = publishers[at % PUBLISHERS]!;
      const name = `plugin-${at}`;
      const manifest = {
        name,
        version: '1.0.0',
        kind: draw() < 0.1 ? 'game' : 'plugin',
        publisher: publisher.slug,
        title: draw() < 0.2 ? `${pick(SIGNS)}${pick(SIGNS)}助手` : `${words(2)} word${Math.floor(draw() * 5_000)}`,
        description: `The best plugin that ${words(12)}, ${draw() < 0.3 ? `${pick(SIGNS)}和${pick(SIGNS)}` : words(6)}.`,
        category: pick(CATEGORIES),
        entry: 'index.ts',
        engine: '^0.1.0',
        capabilities: draw() < 0.5 ? [{ name: pick(['kv', 'fetch', 'queue']), reason: 'Needs it for its work.' }] : [],
      };
      return { pluginId: uuidv7(), releaseId: uuidv7(), organisationId: publisher.id, name, manifest };
    });
    const digest = (text: string) => createHash('sha256').update(text).digest('hex');
    await system.transaction(async (transaction) => {
      await transaction('plugins').insert(
        rows.map(({ pluginId, organisationId, name }) => ({ id: pluginId, organisation_id: organisationId, name })),
      );
      await transaction('releases').insert(
        rows.map(({ pluginId, releaseId, organisationId, manifest }) => ({
          id: releaseId,
          plugin_id: pluginId,
          organisation_id: organisationId,
          version: '1.0.0',
          state: 'published',
          manifest,
          digest: digest(releaseId),
          bundle_digest: digest(pluginId),
          bundle_bytes: 1,
          envelope: {},
          reviewed_at: new Date(Date.UTC(2026, 0, 1) + draw() * 2e10),
        })),
      );
      for (const { pluginId, releaseId } of rows) {
        await transaction('plugins').where({ id: pluginId }).update({ latest_release_id: releaseId });
      }
    });
    if ((from / BATCH) % 8 === 0) await analyze();
  }
  await createCatalogue({ database: system }).refresh();
}

/** Numbers from 0 to 1 that look random and are always the same (mulberry32). */
function sequence(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
