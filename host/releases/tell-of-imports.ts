import type { Transfers } from '../../registry/index.ts';
import type { Log } from '../http/log.ts';
import { type TellPorts, takedownNotice, tellOperators, yankNotice } from './tell-operators.ts';

export interface TellOfImportsPorts extends TellPorts {
  transfers: Transfers;
  log: Pick<Log, 'error'>;
  nowMs(): number;
}

const NOTICES = new Map([
  ['release.yank', yankNotice],
  ['release.takedown', takedownNotice],
]);

/** Operators hear of what stops by an import as of what stops here. That somebody cannot be told undoes no import. */
export function tellOfImports(ports: TellOfImportsPorts): Transfers {
  const { transfers, log, nowMs } = ports;
  return {
    ...transfers,
    importRelease: async (actor, brought) => {
      const report = await transfers.importRelease(actor, brought);
      const { release, event, dryRun } = report;
      const noticeOf = NOTICES.get(event ?? '');
      if (noticeOf === undefined || dryRun) return report;
      const notice = { ...noticeOf(release), at: new Date(nowMs()).toISOString() };
      await tellOperators(ports, release, notice).catch((error) =>
        log.error({ err: error }, 'nobody was told of an import'),
      );
      return report;
    },
  };
}
