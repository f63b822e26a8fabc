import { pino } from 'pino';
import type { Log } from './http/log.ts';

/** JSON lines on standard error, so that standard output stays free for what a command prints. */
export const createLog = (level: string): Log & { flush(): void } =>
  pino({ level, base: null, timestamp: pino.stdTimeFunctions.isoTime }, pino.destination({ dest: 2, sync: false }));
