import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { type CpuProfile, flameGraphOf } from './flame-graph.ts';
import { type RunningHost, startHost } from './processes.ts';

/** A profile for the developer tools of a browser, and a flame graph; names of files. */
export interface KeptProfile {
  of: 'host' | 'cordon';
  data: string;
  picture: string;
}

/**
 * Does `work` on a host of its own that profiles itself and its cordons, and leaves in `folder`, under `name`, a profile and a flame graph
 * of the host and of the lane that was busy first. What is profiled is slower: nothing is measured on it.
 */
export async function profileHost(
  { folder, name }: { folder: string; name: string },
  work: (host: RunningHost) => Promise<unknown>,
): Promise<KeptProfile[]> {
  const profiles = fs.mkdtempSync(path.join(os.tmpdir(), 'gatehouse-profile-'));
  try {
    const cordons = path.join(profiles, 'cordons');
    // The launcher profiles itself too; cordons start with an empty environment and no place to write to, and send theirs.
    const host = await startHost({
      NODE_OPTIONS: `--cpu-prof --cpu-prof-dir=${profiles}`,
      GATEHOUSE_PROFILE_CORDONS: cordons,
    });
    try {
      await work(host);
    } finally {
      await host.close();
    }
    const textsIn = (place: string) =>
      fs
        .readdirSync(place, { withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map((entry) => fs.readFileSync(path.join(place, entry.name), 'utf8'));
    const keep = (of: KeptProfile['of'], text: string | undefined): KeptProfile => {
      if (text === undefined) throw new Error(`the ${of} left no profile`);
      const [data, picture] = [`${name}.${of}.cpuprofile`, `${name}.${of}.flame.svg`];
      fs.writeFileSync(path.join(folder, data), text);
      fs.writeFileSync(path.join(folder, picture), flameGraphOf(JSON.parse(text) as CpuProfile, `${name}, ${of}`));
      return { of, data, picture };
    };
    fs.mkdirSync(folder, { recursive: true });
    return [
      keep(
        'host',
        textsIn(profiles).find((text) => text.includes('/host/compose.ts')),
      ),
      // Its code is bundled into one file; it is that of /sandbox/.
      // And what it waits in, for the host's next words, is no work.
      keep(
        'cordon',
        textsIn(cordons)[0]
          ?.replaceAll('"functionName":"read","scriptId":"0"', '"functionName":"(idle)","scriptId":"0"')
          .replaceAll(/"url":"[^"]*\/lane\.js"/g, '"url":"/sandbox/lane.js"'),
      ),
    ];
  } finally {
    fs.rmSync(profiles, { recursive: true, force: true });
  }
}
