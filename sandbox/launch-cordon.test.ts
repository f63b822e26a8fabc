import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { expect } from 'chai';

const file = (name: string) => JSON.stringify(join(import.meta.dirname, name));

describe('startCordon', () => {
  it('throws where descriptors run out, keeps none open, and does not end the host', function () {
    if (process.platform !== 'linux') this.skip();
    const script = `
      import { closeSync, openSync, readdirSync } from 'node:fs';
      import { closeAll, takeLanePipes } from ${file('lane-pipes.ts')};
      import { startCordon } from ${file('launch-cordon.ts')};
      const open = () => readdirSync('/proc/self/fd').length;
      const start = () => startCordon(['/bin/true'], 1);
      // So that pipes are there already; what is left is enough for the black box.
      closeAll(takeLanePipes(1).flatMap((pipe) => Object.values(pipe)));
      let [why, leaked] = ['', 0];
      // The first time libuv keeps one for itself.
      for (let times = 0; times < 2; times++) {
        const taken = [];
        try { for (;;) taken.push(openSync('/dev/null', 'r')); } catch {}
        closeAll(taken.splice(-4));
        const before = open();
        try { start(); } catch (error) { why = error.message; }
        await new Promise((resolve) => setTimeout(resolve, 20));
        // Three belonged to the pipe that was there.
        leaked = open() - before + 3;
        closeAll(taken);
      }
      const { child } = start();
      child.once('exit', (code) => {
        console.log(JSON.stringify({ why, leaked, code }));
        process.exit();
      });`;
    const command = 'ulimit -n 200 && exec "$0" --input-type=module-typescript -e "$1"';
    const said = execFileSync('bash', ['-c', command, process.execPath, script], { encoding: 'utf8' });
    expect(JSON.parse(said)).to.deep.equal({ why: 'there are no descriptors left for a process', leaked: 0, code: 0 });
  });
});
