import { mkdtempSync, rmSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import Koa from 'koa';
import pg from 'pg';
import getRawBody from 'raw-body';
import { startEmbeddedPostgres } from '../../host/embedded-postgres.ts';
import { totalOf } from '../plugins/work/tasks.ts';

/** What somebody would write who trusts the code: parse, work, answer; one pool of connections; the same statements. */
process.once('message', async () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'gatehouse-bench-koa-'));
  const postgres = await startEmbeddedPostgres({ folder });
  const pool = new pg.Pool({ connectionString: postgres.ownerUrl, max: 10 });
  // At the end the database goes first.
  pool.on('error', () => {});
  await pool.query(
    'CREATE TABLE entries (owner text, key text, value jsonb NOT NULL, version bigint NOT NULL, PRIMARY KEY (owner, key))',
  );
  const app = new Koa();
  app.use(async (ctx) => {
    const readJson = async () => JSON.parse((await getRawBody(ctx.req, { limit: '1mb' })).toString('utf8'));
    if (ctx.path === '/total') ctx.body = totalOf(await readJson());
    else if (ctx.method === 'GET') {
      const { rows } = await pool.query('SELECT key, value, version FROM entries WHERE owner = $1 AND key = $2', [
        'a',
        'entry',
      ]);
      ctx.body = rows[0] ?? { key: 'entry', value: null, version: 0 };
    } else {
      const { rows } = await pool.query(
        'INSERT INTO entries VALUES ($1, $2, $3, 1) ON CONFLICT (owner, key) DO UPDATE SET value = EXCLUDED.value, version = entries.version + 1 RETURNING version',
        ['a', 'entry', JSON.stringify(await readJson())],
      );
      ctx.body = { version: Number(rows[0].version) };
    }
  });
  const server = app.listen(0, '127.0.0.1', () => {
    process.send!({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` });
  });
  const end = async () => {
    await pool.end();
    await postgres.stop();
    rmSync(folder, { recursive: true, force: true });
    process.exit();
  };
  process.once('SIGTERM', () => void end());
  process.once('disconnect', () => void end());
});
