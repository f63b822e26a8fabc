import { expect } from 'chai';
import type { Installation } from '../installations/contract.ts';
import { callerRoutes, KV, startTestPlatform, type TestPlatform } from './test-platform.ts';

/** Counts in kv on both sides of a wait, so that an invocation is open long enough to lose its cordon. */
const SOURCE = `
import { definePlugin } from '@gatehouse/plugin-sdk';
export default definePlugin({
  routes: {
    'POST /count': async (_request, ctx) => {
      const before = await ctx.kv.increment('before');
      await new Promise((resolve) => setTimeout(resolve, 2_000));
      const after = await ctx.kv.increment('after');
      return { before: before.value, after: after.value, random: Math.random() >= 0 };
    },
    'GET /sums': async (_request, ctx) => [await ctx.kv.get('before'), await ctx.kv.get('after')].map((entry) => entry?.value ?? 0),
  },
});
`;

describe('kill -9 of every cordon', () => {
  let platform: TestPlatform;
  let installations: Installation[];
  before(async () => {
    platform = await startTestPlatform({ GATEHOUSE_CORDONS: '2' });
    const manifest = { ...callerRoutes('POST /count', 'GET /sums'), capabilities: [KV] };
    installations = [];
    for (let at = 0; at < 3; at++) installations.push(await platform.install({ source: SOURCE, manifest }));
  });
  after(() => platform.close());

  it('fails no call that runs, and repeats no effect', async () => {
    const each = 10;
    const calls = installations.flatMap((installation) =>
      Array.from({ length: each }, () => platform.call(installation, '/count', { method: 'POST' })),
    );
    const sums = async (installation: Installation) => (await platform.call(installation, '/sums')).json();
    const pids = platform.host.sandbox.status().cordons.map(({ pid }) => pid);
    const everyFirstCount = async () => {
      const counts = await platform.database.knex('kv_entries').where({ key: 'before' }).select('value');
      return counts.reduce((sum, { value }) => sum + Number(value), 0) === installations.length * each;
    };
    while (!(await everyFirstCount())) await new Promise((resolve) => setTimeout(resolve, 5));
    for (const pid of pids) process.kill(pid, 'SIGKILL');
    const answers = await Promise.all(calls);
    expect(answers.map(({ status }) => status)).to.deep.equal(calls.map(() => 200));
    for (const installation of installations) expect(await sums(installation)).to.deep.equal([each, each]);
    // The system tells of the end of a process when it finds the time.
    const { sandbox } = platform.host;
    while (sandbox.status().cordonDeaths < pids.length) await new Promise((resolve) => setTimeout(resolve, 5));
    for (const { pid } of sandbox.status().cordons) expect(pids).to.not.include(pid);
  });

  it('leaves calls that come afterwards as they were', async () => {
    for (const installation of installations) {
      const answer = await platform.call(installation, '/count', { method: 'POST' });
      expect(answer.status).to.equal(200);
    }
  });
});
