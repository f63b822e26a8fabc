import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { type CpuProfile, flameGraphOf } from './flame-graph.ts';
import { type RunningHost, startHost } from './processes.ts';

/** What a profile is kept as, below a folder. */
const PROFILE = 'host.cpuprofile';
const PICTURE = 'host.flame.svg';

/**
 * Does `work` on a host of its own that profiles itself, and leaves in `folder`, under `name`, the profile (for the
 * developer tools of a browser) and a flame graph. A profiled host is slower: nothing is measured on it. Returns their names.
 */
export async function profileHost(
  { folder, name }: { folder: string; name: string },
  work: (host: RunningHost) => Promise<unknown>,
): Promise<{ data: string; picture: string }> {
  const profiles = fs.mkdtempSync(path.join(os.tmpdir(), 'gatehouse-profile-'));
  try {
    // The launcher profiles itself too; cordons start with an empty environment and do not.
    const host = await startHost({ NODE_OPTIONS: `--cpu-prof --cpu-prof-dir=${profiles}` });
    try {
      await work(host);
    } finally {
      await host.close();
    }
    const read = fs
      .readdirSync(profiles)
      .map((file) => fs.readFileSync(path.join(profiles, file), 'utf8'))
      .find((text) => text.includes('/host/compose.ts'));
    if (read === undefined) throw new Error('the host left no profile');
    fs.mkdirSync(folder, { recursive: true });
    const [data, picture] = [`${name}.${PROFILE}`, `${name}.${PICTURE}`];
    fs.writeFileSync(path.join(folder, data), read);
    fs.writeFileSync(path.join(folder, picture), flameGraphOf(JSON.parse(read) as CpuProfile, `${name}, host`));
    return { data, picture };
  } finally {
    fs.rmSync(profiles, { recursive: true, force: true });
  }
}
