import { pino } from 'pino';
import type { Log } from './http/log.ts';

/** JSON lines on standard error, so that standard output stays free for what a command prints. `base` stands in each of them. */
export const createLog = (level: string, base: object | null = null): Log & { flush(): void } =>
  pino(
    { level, base: base as Record<string, unknown> | null, timestamp: pino.stdTimeFunctions.isoTime },
    pino.destination({ dest: 2, sync: false }),
  );
