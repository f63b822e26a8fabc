import type { Knex } from 'knex';
import type { Log } from '../http/log.ts';
import { every } from '../repeat-work.ts';

const LOOK_INTERVAL_MS = 2_000;
const BATCH = 200;
/** So often an entry is tried before it is left out: one that cannot be told must not keep all after it. */
const TRIES_MAX = 5;

export interface TrailPorts<Entry> {
  /** Sees everything. */
  system: Knex;
  /** Whose position is kept; see migration 0035. */
  reader: 'alerts' | 'mail';
  /** May be called again with an entry, after a failure or a restart and by every host. */
  tell(entry: Entry): Promise<void>;
  log: Log;
}

export interface TrailReader {
  /** Tells what the audit trail has got since the last time. */
  look(): Promise<void>;
  close(): Promise<void>;
}

/** Reads the audit trail as it grows, from where any host came to before. What was undone is in no trail, whichever host did it. */
export async function followTrail<Entry extends { id: string }>(ports: TrailPorts<Entry>): Promise<TrailReader> {
  const { system, reader, tell, log } = ports;
  const position = () => system('trail_readers').where({ reader });
  let seen: string = (await position().first('sequence')).sequence;
  let tries = 0;
  const look = async () => {
    for (;;) {
      const links: { sequence: string; content: string }[] = await system('audit_links as l')
        .join('audit_entries as e', 'e.id', 'l.entry_id')
        .where('l.sequence', '>', seen)
        .orderBy('l.sequence')
        .limit(BATCH)
        .select('l.sequence', 'e.content');
      for (const { sequence, content } of links) {
        const entry = JSON.parse(content) as Entry;
        try {
          await tell(entry);
        } catch (error) {
          tries += 1;
          if (tries < TRIES_MAX) throw error;
          log.error({ err: error, reader, entryId: entry.id }, 'nobody could be told of an entry of the audit trail');
        }
        tries = 0;
        seen = sequence;
      }
      if (links.length > 0) await position().where('sequence', '<', seen).update({ sequence: seen });
      if (links.length < BATCH) return;
    }
  };
  return { look, close: every(LOOK_INTERVAL_MS, look, log) };
}
