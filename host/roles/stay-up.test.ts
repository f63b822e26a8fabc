import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { expect } from 'chai';

const PROGRAM = `
import { once } from 'node:events';
import { stayUp } from ${JSON.stringify(path.join(import.meta.dirname, 'stay-up.ts'))};
const open = setInterval(() => {}, 1_000);
const close = async () => {
  process.stdout.write('closing');
  await once(process.stdin, 'data');
  process.stdin.destroy();
  clearInterval(open);
};
setTimeout(() => process.stdout.write('up'));
process.exitCode = await stayUp(close, new Promise(() => {}));
`;

describe('stayUp', () => {
  const start = async () => {
    const child = spawn(process.execPath, ['--input-type=module', '-e', PROGRAM], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    const says = async (text: string) => {
      const [chunk] = await once(child.stdout, 'data');
      expect(String(chunk)).to.equal(text);
    };
    await says('up');
    return { child, says, ended: once(child, 'exit') };
  };

  it('closes in peace, however often it is asked to', async () => {
    for (const first of ['SIGTERM', 'SIGINT'] as const) {
      const { child, says, ended } = await start();
      child.kill(first);
      await says('closing');
      child.kill('SIGTERM');
      child.kill('SIGTERM');
      child.kill('SIGINT');
      child.stdin.write('go');
      expect(await ended, first).to.deep.equal([0, null]);
    }
  });
});
