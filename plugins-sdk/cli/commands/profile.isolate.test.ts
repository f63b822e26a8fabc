import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { profilePlugin } from '../profile-plugin.ts';
import { refusalOf } from '../test-refusal.ts';
import { initPlugin } from './init.ts';
import { readTarget } from './profile.ts';

const BUSY = `import { definePlugin } from '@gatehouse/plugin-sdk';

function busy(n: number): number {
  return n < 2 ? n : busy(n - 1) + busy(n - 2);
}

export default definePlugin({
  routes: {
    'GET /': () => ({ n: busy(22) }),
    'GET /greetings/:name': async (_request, { params, kv }) => kv.get(params.name),
    'DELETE /greetings/:name': () => {
      throw new RangeError('on purpose');
    },
  },
});
`;

describe('profilePlugin', () => {
  let folder: string;
  before(async () => {
    folder = join(await mkdtemp(join(tmpdir(), 'profile-')), 'busy');
    await initPlugin({ folder, template: 'http', name: 'busy', publisher: 'acme-labs' });
    await writeFile(join(folder, 'src/index.ts'), BUSY);
  });
  after(() => rm(join(folder, '..'), { recursive: true, force: true }));

  it('says what runs cost, and finds the function that costs it, in the sources', async () => {
    const target = readTarget('GET /', undefined);
    const { runs, cpuMs, limits, hotSpots, profile } = await profilePlugin({ folder, target, runs: 40 });
    expect(runs).to.equal(40);
    expect(cpuMs.p50).to.be.greaterThan(0).and.at.most(cpuMs.max);
    expect(limits.cpuMs).to.equal(50);
    expect(hotSpots.map(({ name, place }) => `${name} ${place}`)).to.include('busy src/index.ts:3');
    const frames = profile.nodes.map(({ callFrame }) => callFrame);
    expect(frames.find(({ functionName }) => functionName === 'busy')!.url).to.match(/^file:.*\/src\/index\.ts$/);
    expect(profile.samples).to.have.length(profile.timeDeltas!.length);
  });

  it('counts capability calls, and refuses what fails or is not there', async () => {
    const run = (text: string) => profilePlugin({ folder, target: readTarget(text, undefined), runs: 2 });
    expect((await run('GET /greetings/ada')).hostCalls).to.equal(1);
    const failed = await refusalOf(run('DELETE /greetings/ada'));
    expect(failed.message).to.match(/plugin-threw: on purpose/);
    expect((failed.facts.frames as string[])[0]).to.match(/src\/index\.ts:12:/);
    expect((await refusalOf(run('GET /nowhere'))).code).to.equal('usage');
    expect((await refusalOf(run('hook order.gone'))).code).to.equal('usage');
  });
});

describe('readTarget', () => {
  it('reads requests, hooks and jobs, and nothing else', async () => {
    expect(readTarget('POST /a?b=1', { n: 1 })).to.deep.equal({
      kind: 'http',
      method: 'POST',
      path: '/a?b=1',
      body: '{"n":1}',
    });
    expect(readTarget(' hook  order.paid ', { n: 1 })).to.deep.equal({
      kind: 'hook',
      hook: 'order.paid',
      payload: { n: 1 },
    });
    expect(readTarget('job tidy', undefined)).to.deep.equal({ kind: 'schedule', name: 'tidy' });
    for (const text of ['', '/a', 'get /a', 'GET', 'hook', 'GET a']) {
      expect(() => readTarget(text, undefined), text).to.throw(/Say what to run/);
    }
  });
});
