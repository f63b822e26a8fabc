import type { Knex } from 'knex';
import type { Json } from '../../plugins-sdk/contract/index.ts';
import type { Page, PageRequest } from '../../registry/index.ts';
import { storableJson } from '../storable-json.ts';
import type { InstallationLogEntry } from './contract.ts';
import { InstallationLogModel } from './installation-log-model.ts';
import { readCursor, toPage } from './page.ts';

export type LogLine = InstallationLogEntry & { installationId: string };
export type LogFilter = PageRequest & { level?: InstallationLogEntry['level']; invocationId?: string };

export interface InstallationLogStore {
  /** Lines of installations that are gone meanwhile are left out. */
  append(lines: LogLine[]): Promise<void>;
  /** Newest first; `level` means this level and above. */
  page(installationId: string, filter: LogFilter): Promise<Page<InstallationLogEntry>>;
  /** Oldest first, with ids above `after` and below `before`; `level` as in `page`. */
  linesAfter(
    installationId: string,
    range: { after: string; before?: string; limit: number; level?: InstallationLogEntry['level'] },
  ): Promise<InstallationLogEntry[]>;
}

const LEVELS = ['debug', 'info', 'warn', 'error'] as const;

export function installationLogStore(database: Knex): InstallationLogStore {
  return {
    append: async (lines) => {
      await database.raw(
        `INSERT INTO installation_logs (id, installation_id, at, invocation_id, source, level, message, facts)
         SELECT line.* FROM json_to_recordset(:lines) AS line
           (id uuid, installation_id uuid, at timestamptz, invocation_id text, source text, level text, message text, facts json)
         WHERE EXISTS (SELECT 1 FROM installations WHERE installations.id = line.installation_id)`,
        { lines: storableJson(lines.map(toRow)) },
      );
    },
    page: async (installationId, { cursor, limit = 50, level, invocationId }) => {
      const found = await InstallationLogModel.query(database)
        .where({ installation_id: installationId, ...(invocationId && { invocation_id: invocationId }) })
        .modify((query) => {
          if (level) query.whereIn('level', LEVELS.slice(LEVELS.indexOf(level)));
          if (cursor !== undefined) query.where('id', '<', readCursor(cursor));
        })
        .orderBy('id', 'desc')
        .limit(limit + 1);
      return toPage(found.map(fromRow), limit);
    },
    linesAfter: async (installationId, { after, before, limit, level }) => {
      const found = await InstallationLogModel.query(database)
        .where({ installation_id: installationId })
        .where('id', '>', after)
        .modify((query) => {
          if (before !== undefined) query.where('id', '<', before);
          if (level) query.whereIn('level', LEVELS.slice(LEVELS.indexOf(level)));
        })
        .orderBy('id', 'asc')
        .limit(limit);
      return found.map(fromRow);
    },
  };
}

const toRow = ({ installationId, invocationId, ...line }: LogLine) => ({
  ...line,
  installation_id: installationId,
  invocation_id: invocationId,
});

const fromRow = (row: InstallationLogModel): InstallationLogEntry => ({
  id: row.id,
  at: row.at.toISOString(),
  invocationId: row.invocation_id,
  source: row.source as InstallationLogEntry['source'],
  level: row.level as InstallationLogEntry['level'],
  message: row.message,
  facts: row.facts as Json,
});
