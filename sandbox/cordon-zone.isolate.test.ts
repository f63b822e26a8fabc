import { execFile, execFileSync } from 'node:child_process';
import { promisify } from 'node:util';
import { expect } from 'chai';

/** What a plugin is told in a cordon of its own process, on a machine that stands in India as far as its files say. */
const PROGRAM = `
  import { answerOf, jobIn, openTestSandbox } from './test-sandbox.ts';
  const rig = await openTestSandbox({ confinement: 'off' });
  const code = jobIn('return [new Date(0).toTemporalInstant().toLocaleString(), new Date(0).toLocaleString()]');
  console.log(JSON.stringify([String(new Date(0)), answerOf(await rig.run(code))]));
  await rig.close();
  process.exit(0);`;
const ELSEWHERE = `mount -t tmpfs etc /etc && ln -s /usr/share/zoneinfo/Asia/Kolkata /etc/localtime && exec "$0" "$@"`;

const mayMount = (): boolean => {
  try {
    execFileSync('unshare', ['-m', 'mount', '-t', 'tmpfs', 'etc', '/etc'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
};

describe('the time zone of a cordon', () => {
  it("is UTC, whatever the machine's is", async function () {
    if (!mayMount()) this.skip();
    const node = [process.execPath, '--input-type=module-typescript', '-e', PROGRAM];
    const { stdout } = await promisify(execFile)('unshare', ['-m', 'sh', '-c', ELSEWHERE, ...node], {
      cwd: import.meta.dirname,
    });
    const [machine, plugin] = JSON.parse(stdout) as [string, string[]];
    expect(machine).to.contain('GMT+0530');
    expect(plugin).to.deep.equal(['1/1/1970, 12:00:00 AM', '1/1/1970, 12:00:00 AM']);
  });
});
