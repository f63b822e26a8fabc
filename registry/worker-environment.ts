import { getCompileCacheDir } from 'node:module';
import { dirname } from 'node:path';

const compileCache = getCompileCacheDir();

/**
 * What a thread that handles the texts of strangers sees of the environment: where Node.js keeps what it has compiled, and nothing else.
 * With that it starts in a third of the time.
 */
export const WORKER_ENVIRONMENT: Readonly<Record<string, string>> =
  compileCache === undefined ? {} : { NODE_COMPILE_CACHE: dirname(compileCache) };
