import { Writable } from 'node:stream';
import { expect } from 'chai';
import { createCli, reportError } from '../../plugins-sdk/cli/command-line.ts';
import { configureCommand } from '../../plugins-sdk/cli/commands/configure.ts';
import { disableCommand } from '../../plugins-sdk/cli/commands/disable.ts';
import { enableCommand } from '../../plugins-sdk/cli/commands/enable.ts';
import { outdatedCommand } from '../../plugins-sdk/cli/commands/outdated.ts';
import { restoreCommand } from '../../plugins-sdk/cli/commands/restore.ts';
import { rollbackCommand } from '../../plugins-sdk/cli/commands/rollback.ts';
import { rolloutsCommand } from '../../plugins-sdk/cli/commands/rollouts.ts';
import { uninstallCommand } from '../../plugins-sdk/cli/commands/uninstall.ts';
import { updateCommand } from '../../plugins-sdk/cli/commands/update.ts';
import type { Manifest } from '../../plugins-sdk/contract/index.ts';
import type { Release } from '../../registry/index.ts';
import type { Host } from '../compose.ts';
import type { Installation } from '../installations/contract.ts';
import { callerRoutes, codeOf, KV, startTestPlatform, type TestPlatform } from './test-platform.ts';

const DEADLINE_MS = 60_000;

/** Answers with its version; does what its configuration and its requests ask for. */
const sourceOf = (version: string, { broken = '', hook = '', configure = '' } = {}) => `
import { definePlugin } from '@gatehouse/plugin-sdk';
export default definePlugin({
  routes: {
    'GET /version': () => { ${broken} return { version: '${version}' }; },
    'GET /slow': async () => {
      await new Promise((resolve) => setTimeout(resolve, 5_000));
      return { version: '${version}' };
    },
    'GET /hooks': async (_request, { kv }) => (await kv.list({ prefix: 'hook:' })).entries.map(({ value }) => value),
  },
  hooks: Object.fromEntries(['install', 'update', 'enable', 'disable', 'uninstall'].map((name) => [
    name,
    async ({ payload, eventId }, { kv }) => {
      const { value } = await kv.increment('hooks');
      await kv.set('hook:' + String(value).padStart(3, '0'), '${version} ' + name + ' ' + JSON.stringify(payload));
      ${hook}
    },
  ])),
  configure: (config) => { ${configure} return { ok: true }; },
});
`;
const SETTINGS = { type: 'object', properties: { greeting: { type: 'string' } }, additionalProperties: false };
const manifestOf = (name: string, version: string, more: Partial<Manifest> = {}): Partial<Manifest> => ({
  name,
  version,
  ...callerRoutes('GET /version', 'GET /slow', 'GET /hooks'),
  hooks: ['install', 'update', 'enable', 'disable', 'uninstall'],
  capabilities: [KV],
  config: SETTINGS,
  ...more,
});

describe('the life cycle of an installation', () => {
  let platform: TestPlatform;
  before(async () => {
    platform = await startTestPlatform({ GATEHOUSE_CORDONS: '1' });
  });
  after(() => platform.close());

  const publish = async (
    name: string,
    version: string,
    {
      manifest = {},
      approve = true,
      ...behaviour
    }: Parameters<typeof sourceOf>[1] & {
      manifest?: Partial<Manifest>;
      approve?: boolean;
    } = {},
  ): Promise<Release> => {
    const source = sourceOf(version, behaviour);
    const folder = await platform.writePlugin({ source, manifest: manifestOf(name, version, manifest) });
    const release = await platform.publish(folder);
    return approve ? platform.as.moderator.approveRelease(release.id) : release;
  };
  const install = async (name: string, version: string, more = {}): Promise<Installation> => {
    const { v7 } = await import('uuid');
    const request = { id: v7(), plugin: `acme-labs/${name}`, version, slug: name, grants: ['kv' as const] };
    return platform.as.operator.install({ ...request, ...more });
  };
  const find = ({ id }: Installation) => platform.as.operator.findInstallation(id);
  const versionOf = async (installation: Installation, token?: string) => {
    const answer = await platform.call(installation, '/version', token === undefined ? {} : { token });
    return answer.ok ? ((await answer.json()) as { version: string }).version : `${answer.status}`;
  };
  const versionAt = async ({ url }: Host, { slug }: Installation, token: string) => {
    const headers = { authorization: `Bearer ${token}` };
    const answer = await fetch(`${url}/run/arcade-one/${slug}/version`, { headers });
    return answer.ok ? ((await answer.json()) as { version: string }).version : `${answer.status}`;
  };
  const hooksOf = async (installation: Installation) =>
    (await (await platform.call(installation, '/hooks')).json()) as string[];
  const refusalOf = (
    call: Promise<unknown>,
  ): Promise<{ code: string; facts: Record<string, unknown>; message: string }> =>
    call.then(
      () => ({ code: 'accepted', facts: {}, message: '' }),
      (error) => error,
    );
  async function until<Value>(look: () => Promise<Value>, done: (value: Value) => boolean): Promise<Value> {
    for (const endMs = Date.now() + DEADLINE_MS; ; ) {
      const value = await look();
      if (done(value)) return value;
      if (Date.now() > endMs) throw new Error(`not reached: ${JSON.stringify(value)}`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
  const runs = (installation: Installation, version: string) =>
    until(
      () => find(installation),
      (found) => found.version === version,
    );
  const eventsOf = async ({ id }: Installation) =>
    (await platform.as.operator.listLogs(id, { limit: 100 })).items
      .filter(({ source }) => source === 'host')
      .map(({ facts }) => (facts as { event?: string }).event)
      .toReversed();

  describe('versions', () => {
    it('stays where it was put, and follows a range where that was asked for', async () => {
      await publish('ranged', '1.0.0');
      const pinned = await install('ranged', '1.0.0', { slug: 'pinned' });
      const following = await install('ranged', '^1', { slug: 'following' });
      expect([pinned.updates.follows, following.updates.follows]).to.deep.equal([null, '^1']);
      await publish('ranged', '1.1.0');
      await publish('ranged', '2.0.0');
      await runs(following, '1.1.0');
      expect(await versionOf(following)).to.equal('1.1.0');
      expect(await versionOf(pinned)).to.equal('1.0.0');
      const [rollout] = (await platform.as.operator.listRollouts(following.id)).items;
      expect(rollout).to.include({
        fromVersion: '1.0.0',
        toVersion: '1.1.0',
        state: 'done',
        cause: 'policy',
        percent: 100,
      });
      for (const person of ['operator', 'publisher'] as const) {
        const { items } = await platform.as[person].listNotifications();
        expect(items.map(({ kind, subject }) => `${kind} ${subject}`)).to.include(
          'installation-updated acme-labs/ranged at arcade-one/following runs 1.1.0',
        );
      }
    });

    it('shows what it could have', async () => {
      const { items } = await platform.as.operator.listOutdated();
      const of = (slug: string) => items.find(({ installation }) => installation.slug === slug);
      expect(of('following')).to.include({
        version: '1.1.0',
        inRange: '1.1.0',
        latest: '2.0.0',
        releaseState: 'published',
      });
      expect(of('pinned')).to.include({ version: '1.0.0', inRange: null, latest: '2.0.0' });
    });

    it('refuses versions that are unknown, not approved or yanked, ranges that nobody satisfies, and no ranges', async () => {
      const installation = await find(
        (await platform.as.operator.listInstallations()).items.find(({ slug }) => slug === 'pinned')!,
      );
      await publish('ranged', '1.2.0', { approve: false });
      const yanked = await publish('ranged', '2.1.0');
      await platform.database.knex('releases').where({ id: yanked.id }).update({ state: 'yanked' });
      const update = (version: string) =>
        refusalOf(platform.as.operator.updateInstallation(installation.id, { version }));
      expect((await update('9.9.9')).code).to.equal('release-unknown');
      expect((await update('1.2.0')).code).to.equal('release-unknown');
      const refusal = await update('2.1.0');
      expect([refusal.code, refusal.facts.state]).to.deep.equal(['release-not-installable', 'yanked']);
      const unsatisfied = await update('^3');
      expect(unsatisfied.code).to.equal('version-range-unsatisfied');
      expect(unsatisfied.facts.published).to.deep.equal(['2.0.0', '1.1.0', '1.0.0']);
      expect((await update('1.x.y')).code).to.equal('version-range-invalid');
      expect(
        (await refusalOf(platform.as.caller.updateInstallation(installation.id, { version: '1.1.0' }))).code,
      ).to.equal('permission-denied');
      expect(await versionOf(installation)).to.equal('1.0.0');
    });
  });

  describe('consent', () => {
    it('is waited for where a release may do more, and given to exactly what was shown', async () => {
      await publish('modest', '1.0.0', { manifest: { capabilities: [KV] } });
      const installation = await install('modest', '^1');
      const log = { name: 'log', reason: 'Writes down what it sold.' } as const;
      const routes = [
        ...manifestOf('modest', '1.1.0').routes!,
        { method: 'GET', path: '/open', access: 'public' } as const,
      ];
      const more = { capabilities: [KV, log], routes, fetchHosts: ['api.example.com'] };
      const source = sourceOf('1.1.0').replace("'GET /slow'", "'GET /open': () => 'hello',\n    'GET /slow'");
      const folder = await platform.writePlugin({ source, manifest: manifestOf('modest', '1.1.0', more) });
      await platform.as.moderator.approveRelease((await platform.publish(folder)).id);
      const { updates } = await until(
        () => find(installation),
        (found) => found.updates.waiting !== null,
      );
      expect(updates.waiting).to.include({ version: '1.1.0' });
      expect(await versionOf(installation)).to.equal('1.0.0');

      const preview = await platform.as.operator.previewUpdate(installation.id);
      expect(preview).to.include({ toVersion: '1.1.0', needsConsent: true, consented: false });
      expect(preview.grantsMissing).to.deep.equal(['log']);
      const needed = preview.changes.filter(({ needsConsent }) => needsConsent).map(({ name }) => name);
      expect(needed).to.deep.equal(['log', 'GET /open', 'api.example.com']);

      const { operator, caller, publisher } = platform.as;
      const version = '^1';
      const refused = await refusalOf(operator.updateInstallation(installation.id, { version }));
      expect([refused.code, refused.facts.digest]).to.deep.equal(['consent-needed', preview.digest]);
      const stale = await refusalOf(operator.updateInstallation(installation.id, { version, consent: '0'.repeat(64) }));
      expect(stale.code).to.equal('consent-needed');
      for (const stranger of [caller, publisher]) {
        const foreign = stranger.updateInstallation(installation.id, { version, consent: preview.digest });
        expect((await refusalOf(foreign)).code).to.equal('permission-denied');
      }
      const ungranted = operator.updateInstallation(installation.id, { version, consent: preview.digest });
      expect((await refusalOf(ungranted)).code).to.equal('grant-missing');
      const consented = await operator.updateInstallation(installation.id, {
        version,
        consent: preview.digest,
        grants: ['kv', 'log'],
      });
      expect([consented.version, consented.updates.waiting, consented.updates.follows]).to.deep.equal([
        '1.1.0',
        null,
        '^1',
      ]);
      expect(await (await platform.call(installation, '/open', { token: null })).text()).to.equal('"hello"');
      const told = (await platform.as.operator.listNotifications()).items.find(
        ({ kind }) => kind === 'update-waiting',
      )!;
      expect(told.body).to.include('- capabilities: added log (required: Writes down what it sold.)');
    });

    it('is not waited for any more when the release was yanked, and a release that needs none goes ahead', async () => {
      await publish('passed', '1.0.0');
      const installation = await install('passed', '^1');
      const wide = await publish('passed', '1.2.0', { manifest: { fetchHosts: ['api.example.com'] } });
      const waits = (version: string | undefined) =>
        until(
          () => find(installation),
          (found) => found.updates.waiting?.version === version,
        );
      await waits('1.2.0');
      await publish('passed', '1.1.0');
      await runs(installation, '1.1.0');
      // Any change of a release of the plugin makes hosts look.
      await publish('passed', '1.0.1');
      await waits('1.2.0');
      await platform.database.knex('releases').where({ id: wide.id }).update({ state: 'yanked' });
      await waits(undefined);
      expect((await find(installation)).version).to.equal('1.1.0');
    });
  });

  describe('an installation', () => {
    it('that a host died in is reached by nobody, and finished by whoever sends it again', async () => {
      await publish('begun', '1.0.0', { hook: "await kv.set('hook:' + eventId, eventId);" });
      const installation = await install('begun', '1.0.0');
      const { id } = installation;
      const { knex } = platform.database;
      const { operator } = platform.as;
      // What a dead host leaves behind: its hook ran, and nothing was written after it.
      await knex('installations').where({ id }).update({ enabled: false, installing: true });
      const answer = async () => codeOf(await platform.call(installation, '/version'));
      await until(answer, (code) => code === 'installation-busy');
      expect(await find(installation)).to.include({ enabled: false, installing: true });
      const enabling = await refusalOf(operator.updateInstallation(id, { enabled: true }));
      expect([enabling.code, enabling.message.includes(id)]).to.deep.equal(['installation-busy', true]);
      expect((await refusalOf(operator.health(id))).code).to.equal('installation-busy');
      expect(await install('begun', '1.0.0', { id })).to.include({ enabled: true, installing: false });
      expect(await versionOf(installation)).to.equal('1.0.0');
      const raised = '1.0.0 install {"version":"1.0.0"}';
      expect(await hooksOf(installation)).to.deep.equal([raised, raised, `install:${id}:1.0.0`]);
    });
  });

  describe('an update', () => {
    it('lets running invocations end on the old release, and its isolate go with the last of them', async () => {
      await publish('drained', '1.0.0');
      await publish('drained', '1.1.0');
      const installation = await install('drained', '1.0.0');
      const slow = platform.call(installation, '/slow');
      await until(
        async () => platform.host.sandbox.status().running,
        (running) => running > 0,
      );
      await platform.as.operator.updateInstallation(installation.id, { version: '1.1.0' });
      expect(await versionOf(installation)).to.equal('1.1.0');
      const isolates = platform.host.sandbox.status().isolates;
      expect(await (await slow).json()).to.deep.equal({ version: '1.0.0' });
      await until(
        async () => platform.host.sandbox.status().isolates,
        (count) => count < isolates,
      );
      expect(await hooksOf(installation)).to.deep.equal([
        '1.0.0 install {"version":"1.0.0"}',
        '1.1.0 update {"fromVersion":"1.0.0","toVersion":"1.1.0"}',
      ]);
    });

    it('is prevented by a fault of its hook, and leaves everything as it was', async () => {
      await publish('stubborn', '1.0.0');
      await publish('stubborn', '1.1.0', { hook: "throw new Error('not today');" });
      const installation = await install('stubborn', '^1.0.0 <1.1');
      const { operator } = platform.as;
      const change = { version: '1.1.0', config: { greeting: 'Hi' } };
      expect((await refusalOf(operator.updateInstallation(installation.id, change))).code).to.equal('plugin-threw');
      const after = await find(installation);
      expect(after).to.deep.include({ version: '1.0.0', config: {}, updates: installation.updates });
    });

    it('by the policy that fails is told once, and not tried again until something has changed', async () => {
      await publish('failing', '1.0.0');
      const installation = await install('failing', '^1');
      await publish('failing', '1.1.0', { hook: "throw new Error('not today');" });
      const rollouts = async () => (await platform.as.operator.listRollouts(installation.id)).items;
      await until(rollouts, ([newest]) => newest?.state === 'failed');
      await publish('failing', '1.0.1');
      await runs(installation, '1.0.1');
      const states = (await rollouts()).map(({ state, toVersion }) => `${state} ${toVersion}`);
      expect(states).to.deep.equal(['done 1.0.1', 'failed 1.1.0']);
      const { items } = await platform.as.publisher.listNotifications();
      expect(items.find(({ kind }) => kind === 'update-failed')!.body).to.include('plugin-threw');
    });

    it('is made one at a time: of two at once the second stands on the first', async () => {
      await publish('contended', '1.0.0');
      await publish('contended', '1.1.0');
      await publish('contended', '1.2.0');
      const installation = await install('contended', '1.0.0');
      const both = await Promise.allSettled(
        ['1.1.0', '1.2.0'].map((version) => platform.as.operator.updateInstallation(installation.id, { version })),
      );
      expect(both.map(({ status }) => status)).to.deep.equal(['fulfilled', 'fulfilled']);
      const { items } = await platform.as.operator.listRollouts(installation.id);
      expect(items).to.have.length(2);
      expect(items[0]!.fromVersion).to.equal(items[1]!.toVersion);
      expect((await find(installation)).version).to.equal(items[0]!.toVersion);
    });

    it('that a host died in is made again, and the plugin sees the same event', async () => {
      await publish('crashed', '1.0.0');
      await publish('crashed', '1.1.0', { hook: "await kv.set('hook:' + eventId, eventId);" });
      const installation = await install('crashed', '1.0.0');
      // What a dead host leaves behind: its lease, and a hook that ran without the update being written.
      const lease = { installation_id: installation.id, lease_id: installation.id };
      const { knex } = platform.database;
      await knex('installation_leases').insert({ ...lease, until: knex.raw("now() + interval '1 hour'") });
      const update = () => platform.as.operator.updateInstallation(installation.id, { version: '1.1.0' });
      const busy = await refusalOf(update());
      expect(busy.code).to.equal('installation-busy');
      expect(await versionOf(installation)).to.equal('1.0.0');
      await knex('installation_leases').update({ until: knex.raw("now() - interval '1 second'") });
      expect((await update()).version).to.equal('1.1.0');
      expect((await hooksOf(installation)).filter((text) => text.startsWith('update:'))).to.deep.equal([
        `update:${installation.id}:1:1.1.0`,
      ]);
    });
  });

  describe('a rollback', () => {
    it('goes to the release before, and the policy does not send it forward again', async () => {
      await publish('back', '1.0.0');
      const installation = await install('back', '^1');
      await publish('back', '1.1.0');
      await runs(installation, '1.1.0');
      const back = await platform.as.operator.rollBack(installation.id);
      expect([back.version, back.updates.follows]).to.deep.equal(['1.0.0', '^1']);
      const again = await refusalOf(platform.as.operator.rollBack(installation.id));
      expect(again.code).to.equal('rollback-target-unknown');
      await publish('back', '1.1.1');
      await runs(installation, '1.1.1');
      expect((await hooksOf(installation)).slice(1)).to.deep.equal([
        '1.1.0 update {"fromVersion":"1.0.0","toVersion":"1.1.0"}',
        '1.0.0 update {"fromVersion":"1.1.0","toVersion":"1.0.0"}',
        '1.1.1 update {"fromVersion":"1.0.0","toVersion":"1.1.1"}',
      ]);
      const named = await platform.as.operator.rollBack(installation.id, { version: '1.1.0' });
      expect(named.version).to.equal('1.1.0');
    });

    it('is not prevented by a fault, but by a configuration that the older release refuses: with the way out', async () => {
      await publish('picky', '1.0.0', { hook: "if (payload.fromVersion) throw new Error('no way back');" });
      const wider = { ...SETTINGS, properties: { ...SETTINGS.properties, colour: { type: 'string' } } };
      await publish('picky', '1.1.0', { manifest: { config: wider } });
      const installation = await install('picky', '1.0.0', { config: { greeting: 'Hi' } });
      const { operator } = platform.as;
      const config = { greeting: 'Hi', colour: 'red' };
      await operator.updateInstallation(installation.id, { version: '1.1.0', config });
      const refusal = await refusalOf(operator.rollBack(installation.id));
      expect(refusal.code).to.equal('config-invalid');
      expect(refusal.message).to.include('--restore-config');
      expect(refusal.facts.faults).to.deep.equal([{ pointer: '/colour', message: 'is not a known field' }]);
      const back = await operator.rollBack(installation.id, { restoreConfig: true });
      expect(back).to.deep.include({ version: '1.0.0', config: { greeting: 'Hi' } });
    });

    it('is refused where there is nothing to go back to, or only a yanked release', async () => {
      const first = await publish('alone', '1.0.0');
      await publish('alone', '1.1.0');
      const installation = await install('alone', '1.0.0');
      const back = (version?: string) => refusalOf(platform.as.operator.rollBack(installation.id, { version }));
      expect((await back()).code).to.equal('rollback-target-unknown');
      await platform.as.operator.updateInstallation(installation.id, { version: '1.1.0' });
      await platform.database.knex('releases').where({ id: first.id }).update({ state: 'yanked' });
      expect((await back()).code).to.equal('release-not-installable');
      expect((await back('0.9.0')).code).to.equal('release-unknown');
      expect((await refusalOf(platform.as.operator.promote(installation.id))).code).to.equal('rollout-unknown');
    });
  });

  describe('a canary', () => {
    /** So many that chance gives no release all of them. */
    const CALLERS = 24;
    let tokens: string[];
    let another: Host;
    before(async () => {
      const { operator } = platform.as;
      another = await platform.startAnotherHost();
      const issued = Array.from({ length: CALLERS }, (_, at) =>
        operator.issueToken({ organisation: 'arcade-one', role: 'caller', label: `headset ${at}` }),
      );
      tokens = (await Promise.all(issued)).map(({ secret }) => secret);
    });

    it('answers its share of the callers, each by the same release, and takes over when it was no worse', async () => {
      await publish('grown', '1.0.0');
      await publish('grown', '1.1.0');
      const installation = await install('grown', '1.0.0');
      const { operator } = platform.as;
      const canary = { percent: 50, promoteAfterSeconds: null };
      const started = await operator.updateInstallation(installation.id, { version: '1.1.0', canary });
      expect([started.version, started.updates.canary!.version]).to.deep.equal(['1.0.0', '1.1.0']);
      const answered = () => Promise.all(tokens.map((token) => versionOf(installation, token)));
      const first = await answered();
      expect(new Set(first)).to.deep.equal(new Set(['1.0.0', '1.1.0']));
      expect(await answered()).to.deep.equal(first);
      const elsewhere = await Promise.all(tokens.map((token) => versionAt(another, installation, token)));
      expect(elsewhere).to.deep.equal(first);

      const again = await operator.updateInstallation(installation.id, { version: '1.1.0', canary });
      expect(again.updates.canary).to.deep.equal(started.updates.canary);
      for (const change of [{ version: '1.0.1' }, { grants: [] }, { config: {} }, { version: '1.1.0' }]) {
        if (change.version === '1.0.1') await publish('grown', '1.0.1');
        expect((await refusalOf(operator.updateInstallation(installation.id, change))).code).to.equal(
          'rollout-running',
        );
      }
      await operator.updateInstallation(installation.id, { canary: { percent: 99, promoteAfterSeconds: 1 } });
      await until(
        async () => (await answered()) && find(installation),
        (found) => found.version === '1.1.0',
      );
      const [rollout] = (await operator.listRollouts(installation.id)).items;
      expect(rollout).to.include({ state: 'done', percent: 99, toVersion: '1.1.0' });
      expect(rollout!.reason).to.match(/no worse .* 0 failed/);
      expect((await hooksOf(installation)).at(-1)).to.equal('1.1.0 update {"fromVersion":"1.0.0","toVersion":"1.1.0"}');
      expect(await eventsOf(installation)).to.deep.equal([
        'installed',
        'canary-started',
        'canary-changed',
        'canary-promoted',
      ]);
    });

    it('is dropped by itself when it fails, with a reason for operator and publisher', async () => {
      await publish('broken', '1.0.0');
      const installation = await install('broken', '^1', {
        updates: { canaryPercent: 50, promoteAfterSeconds: 3_600 },
      });
      await publish('broken', '1.1.0', { broken: "throw new Error('broken');" });
      await until(
        () => find(installation),
        (found) => found.updates.canary !== null,
      );
      const seen = new Set<string>();
      await until(
        async () => {
          for (const token of tokens) {
            seen.add(await versionOf(installation, token));
            seen.add(await versionAt(another, installation, token));
          }
          return find(installation);
        },
        (found) => found.updates.canary === null,
      );
      expect(seen).to.deep.equal(new Set(['1.0.0', '502']));
      for (const host of [platform.host, another]) {
        const answers = () => Promise.all(tokens.map((token) => versionAt(host, installation, token)));
        await until(answers, (versions) => versions.every((version) => version === '1.0.0'));
      }
      const [rollout] = (await platform.as.operator.listRollouts(installation.id)).items;
      expect(rollout).to.include({ state: 'rolled-back', cause: 'policy' });
      expect(rollout!.reason).to.match(/calls of the canary failed, /);
      for (const person of ['operator', 'publisher'] as const) {
        const { items } = await platform.as[person].listNotifications();
        const told = items.find(({ kind }) => kind === 'canary-rolled-back')!;
        expect(told.subject).to.equal('acme-labs/broken at arcade-one/broken dropped the canary 1.1.0');
        expect(told.body).to.include(rollout!.reason);
      }
      // The policy has learnt: it does not try this one again, but the next.
      await publish('broken', '1.1.1');
      const next = await until(
        () => find(installation),
        (found) => found.updates.canary !== null,
      );
      expect(next.updates.canary!.version).to.equal('1.1.1');
      expect((await platform.as.operator.rollBack(installation.id)).updates.canary).to.equal(null);
    });

    it('is dropped at the first sandbox process that it breaks, before its strikes suspend the installation', async () => {
      await publish('violent', '1.0.0');
      await publish('violent', '1.1.0', { broken: 'Array.prototype.includes.call({ length: 2 ** 53 - 1 }, 1);' });
      const installation = await install('violent', '1.0.0');
      const canary = { percent: 99, promoteAfterSeconds: null };
      await platform.as.operator.updateInstallation(installation.id, { version: '1.1.0', canary });
      let calls = 0;
      const after = await until(
        async () => {
          // One of a hundred callers never meets the canary, so they take turns.
          await versionOf(installation, tokens[calls++ % CALLERS]);
          return find(installation);
        },
        (found) => found.updates.canary === null,
      );
      expect(after.conduct.suspendedAt).to.equal(null);
      const [rollout] = (await platform.as.operator.listRollouts(installation.id)).items;
      expect(rollout!.reason).to.match(/broke its sandbox process/);
      expect(await versionOf(installation, tokens[0])).to.equal('1.0.0');
    });

    it('is taken at once when its operator says so', async () => {
      await publish('trusted', '1.0.0');
      await publish('trusted', '1.1.0');
      const installation = await install('trusted', '1.0.0');
      await platform.as.operator.updateInstallation(installation.id, { version: '1.1.0', canary: { percent: 1 } });
      const promoted = await platform.as.operator.promote(installation.id);
      expect([promoted.version, promoted.updates.canary]).to.deep.equal(['1.1.0', null]);
    });
  });

  describe('out of service', () => {
    it('tells the plugin, which may refuse to come back but not to go', async () => {
      await publish('toggled', '1.0.0', { hook: "if (eventId.startsWith('disable')) throw new Error('never');" });
      const installation = await install('toggled', '1.0.0');
      const { operator } = platform.as;
      await operator.updateInstallation(installation.id, { enabled: false });
      expect(await codeOf(await platform.call(installation, '/version'))).to.equal('installation-disabled');
      await operator.updateInstallation(installation.id, { enabled: true });
      expect((await hooksOf(installation)).slice(1)).to.deep.equal([
        '1.0.0 disable {"version":"1.0.0"}',
        '1.0.0 enable {"version":"1.0.0"}',
      ]);
      expect((await eventsOf(installation)).filter(Boolean)).to.deep.equal(['installed', 'disabled', 'enabled']);
    });

    it('stays out of service where the plugin refuses to come back', async () => {
      await publish('refusing', '1.0.0', { hook: "if (eventId.startsWith('enable')) throw new Error('never');" });
      const installation = await install('refusing', '1.0.0');
      const { operator } = platform.as;
      await operator.updateInstallation(installation.id, { enabled: false });
      const refusal = await refusalOf(operator.updateInstallation(installation.id, { enabled: true }));
      expect(refusal.code).to.equal('plugin-threw');
      expect((await find(installation)).enabled).to.equal(false);
    });

    it('ends with an update that says so: the release that takes over is told, and may refuse', async () => {
      await publish('returning', '1.0.0', { hook: '' });
      await publish('returning', '1.1.0', { hook: '' });
      await publish('returning', '1.2.0', { hook: "if (eventId.startsWith('enable')) throw new Error('never');" });
      const installation = await install('returning', '1.0.0');
      const { operator } = platform.as;
      const update = (change: object) => operator.updateInstallation(installation.id, change);
      await update({ enabled: false });
      expect((await refusalOf(update({ version: '1.2.0', enabled: true }))).code).to.equal('plugin-threw');
      expect(await find(installation)).to.include({ version: '1.0.0', enabled: false });
      await update({ version: '1.1.0', enabled: true });
      expect((await hooksOf(installation)).slice(-2)).to.deep.equal([
        '1.1.0 update {"fromVersion":"1.0.0","toVersion":"1.1.0"}',
        '1.1.0 enable {"version":"1.1.0"}',
      ]);
      expect((await eventsOf(installation)).filter(Boolean).slice(-2)).to.deep.equal(['updated', 'enabled']);
      const canary = { version: '1.0.0', canary: { percent: 1 }, enabled: false };
      expect((await refusalOf(update(canary))).code).to.equal('installation-disabled');
    });

    it('keeps what an uninstalled plugin stored until the grace is over, or deletes it at once', async () => {
      await publish('gone', '1.0.0');
      const installation = await install('gone', '1.0.0');
      const { operator } = platform.as;
      const stored = () => platform.database.knex('kv_entries').where({ installation_id: installation.id });
      await operator.uninstall(installation.id);
      await operator.uninstall(installation.id);
      expect(await codeOf(await platform.call(installation, '/version'))).to.equal('installation-unknown');
      expect(await stored()).not.to.deep.equal([]);
      const taken = await install('gone', '1.0.0');
      expect((await refusalOf(operator.restore(installation.id))).code).to.equal('installation-slug-taken');
      await operator.uninstall(taken.id, { deleteNow: true });
      expect((await refusalOf(operator.restore(taken.id))).code).to.equal('installation-unknown');
      expect((await operator.restore(installation.id)).id).to.equal(installation.id);
      expect(await versionOf(installation)).to.equal('1.0.0');
      await operator.uninstall(installation.id, { deleteNow: true });
      expect(await stored()).to.deep.equal([]);
      const foreign = refusalOf(platform.as.operator.uninstall('0197c0de-0000-7000-8000-000000000000'));
      expect((await foreign).code).to.equal('installation-unknown');
    });
  });

  describe('on the command line', () => {
    /** Runs `gate` in this process: what it prints, and its exit code. */
    const gate = async (...argv: string[]) => {
      const written = { out: '', err: '' };
      const stream = (name: 'out' | 'err') =>
        new Writable({
          write: (chunk, _encoding, done) => {
            written[name] += chunk;
            done();
          },
        });
      const settings = {
        configFolder: '/nowhere',
        cwd: '/',
        url: platform.host.url,
        token: platform.credentials.operator,
      };
      const cli = createCli(settings, { out: stream('out'), err: stream('err'), in: {} } as never);
      const verbs = [updateCommand, rollbackCommand, rolloutsCommand, configureCommand, disableCommand];
      for (const add of [...verbs, enableCommand, uninstallCommand, restoreCommand, outdatedCommand]) add(cli);
      const exitCode = await cli.program.parseAsync(argv, { from: 'user' }).then(
        () => cli.exitCode,
        (error) => reportError(cli, error, argv),
      );
      return { ...written, exitCode, said: `${exitCode} ${written.out}${written.err}` };
    };

    it('updates, shows a diff, asks for consent, runs canaries and goes back', async () => {
      await publish('typed', '1.0.0');
      await publish('typed', '1.1.0');
      const hosts = ['api.example.com'];
      const log = { name: 'log', reason: 'Writes down what it sold.' } as const;
      await publish('typed', '2.0.0', { manifest: { fetchHosts: hosts, capabilities: [KV, log] } });
      const { id } = await install('typed', '1.0.0');
      expect((await gate('outdated')).out).to.match(/typed +acme-labs\/typed +1\.0\.0 +pinned +- +2\.0\.0/);
      expect((await gate('update', 'typed', '1.1.0', '--show')).said).to.match(/^0 1\.0\.0 → 1\.1\.0\nNothing changes/);
      expect((await gate('update', 'typed', '^1')).said).to.match(
        /^0 ✔ typed runs acme-labs\/typed 1\.1\.0 \(follows \^1\)/,
      );
      expect((await gate('update', 'typed', '--pin')).said).to.include('1.1.0 (pinned)');
      const shown = await gate('update', 'typed', '--show');
      expect(shown.said).to.match(
        /^0 1\.1\.0 → 2\.0\.0\n\+ capabilities: log .*needs consent\n\+ fetchHosts: api\.example\.com .*needs consent/,
      );
      const unasked = await gate('update', 'typed', '2.0.0');
      expect(unasked.said)
        .to.match(/^1 /)
        .and.include('add --yes to consent')
        .and.include('+ fetchHosts: api.example.com');
      const json = await gate('--json', 'update', 'typed', '2.0.0');
      expect(JSON.parse(json.err).error).to.include({ code: 'confirmation-needed' });
      const canary = await gate('update', 'typed', '2.0.0', '--canary', '10', '--promote-after', '2h', '--yes');
      expect(canary.said).to.match(/^0 /).and.include('1.1.0 (pinned), canary 2.0.0 at 10 %');
      expect((await gate('update', 'typed', '--canary', '25')).said).to.include('canary 2.0.0 at 25 %');
      expect((await gate('rollback', 'typed')).said).to.match(/^0 ✔ typed runs acme-labs\/typed 1\.1\.0 \(pinned\)\n$/);
      await gate('update', 'typed', '2.0.0', '--canary', '10', '--yes');
      expect((await gate('update', 'typed', '--promote')).said).to.include('2.0.0 (pinned)');
      expect((await platform.as.operator.findInstallation(id)).grants).to.deep.equal(['kv', 'log']);
      const history = await gate('rollouts', 'typed');
      expect(
        history.out
          .trim()
          .split('\n')
          .slice(1)
          .map((row) => row.split(/ {2,}/).slice(1, 3).join(' ')),
      ).to.deep.equal(['1.1.0 → 2.0.0 done', '1.1.0 → 2.0.0 rolled-back', '1.0.0 → 1.1.0 done']);
      expect((await gate('update', 'typed', '--auto-canary', '5', '--promote-after', 'never')).said).to.match(/^0 ✔/);
      const { updates } = await platform.as.operator.findInstallation(id);
      expect(updates).to.include({ canaryPercent: 5, promoteAfterSeconds: null });
    });

    it('configures with the faults by field, disables, enables, uninstalls and restores', async () => {
      const configure =
        "if (config.greeting === 'Hi') return { ok: false, faults: [{ pointer: '/greeting', message: 'is too short' }] };";
      await publish('handled', '1.0.0', { configure });
      const { id } = await install('handled', '1.0.0');
      expect((await gate('configure', 'handled', '{"greeting":1}')).said).to.match(
        /^1 .*config-invalid[\s\S]*\/greeting.*must be string/,
      );
      expect((await gate('configure', 'handled', '{"greeting":"Hi"}')).said).to.match(
        /^1 [\s\S]*\/greeting.*is too short/,
      );
      expect((await gate('configure', 'handled', '{"greeting":"Hello"}')).said).to.equal('0 ✔ handled is configured\n');
      expect((await gate('disable', 'handled')).said).to.equal('0 ✔ handled is disabled\n');
      expect((await gate('enable', 'handled')).said).to.equal('0 ✔ handled is enabled\n');
      expect((await gate('uninstall', 'handled')).said).to.match(/^1 .*Add --yes/);
      expect((await gate('uninstall', 'handled', '--yes')).said).to.include(`gate restore ${id}`);
      expect((await gate('restore', id)).said).to.match(/^0 ✔ handled runs/);
      const removed = await gate('--json', 'uninstall', 'handled', '--delete-stored', '--yes');
      expect(JSON.parse(removed.out)).to.deep.equal({ id, uninstalled: true, storedDeleted: true });
      expect((await gate('restore', id)).said).to.match(/^1 .*installation-unknown/);
    });

    for (const [name, ...argv] of [
      ['a share that is none', 'update', 'typed', '2.0.0', '--canary', '100'],
      ['a time that is none', 'update', 'typed', '2.0.0', '--canary', '5', '--promote-after', 'soon'],
      ['two configurations at once', 'rollback', 'typed', '--config', '{}', '--restore-config'],
    ] as const) {
      it(`does not understand ${name}`, async () => {
        expect((await gate(...argv)).said).to.match(/^2 .*\(usage\)/);
      });
    }
  });
});
