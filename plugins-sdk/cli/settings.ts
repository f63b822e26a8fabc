import { homedir } from 'node:os';
import { join, resolve } from 'node:path';

/** What the CLI takes from its surroundings. */
export interface Settings {
  /** Absolute; holds credentials.json and keys/. */
  configFolder: string;
  /** Absolute; relative paths on the command line start here. */
  cwd: string;
  /** Override the stored profile. */
  url: string | null;
  token: string | null;
}

/**
 * Reads the environment: the only place of the CLI that does. GATEHOUSE_URL and GATEHOUSE_TOKEN override the stored
 * profile; GATEHOUSE_CONFIG or XDG_CONFIG_HOME move the settings folder. INIT_CWD is where somebody typed
 * `npm run gate`, which npm itself runs in the folder of package.json.
 */
export function readSettings(env: NodeJS.ProcessEnv = process.env, cwd: string = process.cwd()): Settings {
  const base = env.XDG_CONFIG_HOME || join(env.HOME || homedir(), '.config');
  return {
    configFolder: resolve(cwd, env.GATEHOUSE_CONFIG || join(base, 'gatehouse')),
    cwd: env.npm_lifecycle_event === 'gate' && env.INIT_CWD ? env.INIT_CWD : cwd,
    url: env.GATEHOUSE_URL || null,
    token: env.GATEHOUSE_TOKEN || null,
  };
}
