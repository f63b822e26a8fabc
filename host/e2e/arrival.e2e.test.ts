import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { expect } from 'chai';
import { v7 as uuidv7 } from 'uuid';
import { createApiClient } from '../../plugins-sdk/cli/api-client.ts';
import { installRequired } from '../../plugins-sdk/cli/commands/install-required.ts';
import { registerKey } from '../../plugins-sdk/cli/commands/keygen.ts';
import { publishPlugin } from '../../plugins-sdk/cli/commands/publish.ts';
import { manageStaging, stagingsText } from '../../plugins-sdk/cli/commands/stagings.ts';
import type { Paint } from '../../plugins-sdk/cli/terminal.ts';
import { keyIdOf, type Manifest } from '../../plugins-sdk/contract/index.ts';
import type { Provenance, Release } from '../../registry/index.ts';
import type { Installation } from '../installations/contract.ts';
import { isInStage } from '../rollouts/stagings/rules/in-stage.ts';
import { callerRoutes, startTestPlatform, type TestPlatform } from './test-platform.ts';

const DEADLINE_MS = 60_000;
const DAY_MS = 86_400_000;
const PROVENANCE: Provenance = {
  repository: 'https://example.com/acme/shop',
  commit: 'a'.repeat(40),
  builder: 'gate 0.1.0',
};

const sourceOf = (version: string, broken = '') => `
import { definePlugin } from '@gatehouse/plugin-sdk';
export default definePlugin({ routes: { 'GET /version': () => { ${broken} return { version: '${version}' }; } } });
`;

describe('releases on their way to operators', () => {
  let platform: TestPlatform;
  before(async () => {
    platform = await startTestPlatform({ GATEHOUSE_CORDONS: '1' });
  });
  after(() => platform.close());

  interface Publishing {
    key?: KeyObject;
    provenance?: Provenance;
    manifest?: Partial<Manifest>;
    broken?: string;
  }
  const publish = async (
    name: string,
    version: string,
    { key = platform.signingKey, provenance, manifest = {}, broken }: Publishing = {},
  ): Promise<Release> => {
    const whole = { name, version, ...callerRoutes('GET /version'), ...manifest };
    const folder = await platform.writePlugin({ source: sourceOf(version, broken), manifest: whole });
    const source = { folder, privateKey: key, ...(provenance && { provenance }) };
    const { release } = await publishPlugin(platform.as.publisher)(source);
    return platform.as.moderator.approveRelease(release.id);
  };
  const install = (name: string, version: string, more = {}): Promise<Installation> =>
    platform.as.operator.install({
      id: uuidv7(),
      plugin: `acme-labs/${name}`,
      version,
      slug: name,
      grants: [],
      ...more,
    });
  const find = ({ id }: Pick<Installation, 'id'>) => platform.as.operator.findInstallation(id);
  const refusalOf = (
    call: Promise<unknown>,
  ): Promise<{ code: string; message: string; facts: Record<string, unknown> }> =>
    call.then(
      () => ({ code: 'accepted', message: '', facts: {} }),
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
  const waits = (installation: Installation, version: string) =>
    until(
      () => find(installation),
      (found) => found.updates.waiting?.version === version,
    );
  /** Any change of a release of the plugin makes hosts look. */
  const outSince = ({ id }: Release, daysAgo: number) =>
    platform.database
      .knex('releases')
      .where({ id })
      .update({ reviewed_at: new Date(Date.now() - daysAgo * DAY_MS) });

  describe('a delay', () => {
    it('lets a release arrive only when it has been out for so long', async () => {
      await publish('patient', '1.0.0');
      const installation = await install('patient', '^1', { updates: { delaySeconds: 3 * 86_400 } });
      const newer = await publish('patient', '1.1.0');
      const older = await publish('patient', '1.0.1');
      await outSince(older, 4);
      await runs(installation, '1.0.1');
      expect((await find(installation)).updates.delaySeconds).to.equal(3 * 86_400);
      await outSince(newer, 2);
      const outdated = (await platform.as.operator.listOutdated()).items.find((each) => each.inRange === '1.1.0')!;
      expect(outdated.held!.reason).to.match(/^It arrives on .*, when it has been out for long enough\.$/);
      await outSince(newer, 3.1);
      await runs(installation, '1.1.0');
    });

    it('never takes what was yanked meanwhile, and holds nobody back who updates by hand', async () => {
      await publish('cautious', '1.0.0');
      const installation = await install('cautious', '^1');
      await platform.as.operator.updateInstallation(installation.id, { updates: { delaySeconds: 86_400 } });
      const yanked = await publish('cautious', '1.1.0');
      const good = await publish('cautious', '1.0.1');
      await platform.database.knex('releases').where({ id: yanked.id }).update({ state: 'yanked' });
      await outSince(yanked, 9);
      await outSince(good, 2);
      await runs(installation, '1.0.1');
      await publish('cautious', '1.2.0');
      const updated = await platform.as.operator.updateInstallation(installation.id, { version: '1.2.0' });
      expect(updated.version).to.equal('1.2.0');
    });
  });

  describe('in stages', () => {
    /** So many that chance gives no release all of them, or none. */
    const MANY = 24;
    const staging = async (name: string, version: string) =>
      (await platform.as.publisher.listStagings(`acme-labs/${name}`)).items.find((each) => each.version === version)!;
    const installMany = (name: string, count: number) =>
      Promise.all(Array.from({ length: count }, (_, at) => install(name, '^1', { slug: `${name}-${at}` })));
    const versionsOf = (installations: Installation[]) =>
      Promise.all(installations.map(async (each) => (await find(each)).version));
    /** As if the present stage had begun so long ago. */
    const age = (version: string, hours: number) =>
      platform.database
        .knex('stagings')
        .where({ version })
        .update({ stage_at: new Date(Date.now() - hours * 3_600_000) });

    it('are planned for twenty versions that are not out, and for no more', async () => {
      const { publisher } = platform.as;
      await publish('hoarded', '1.0.0');
      const plan = (version: number, everySeconds = 3_600) =>
        publisher.planStaging('acme-labs/hoarded', `2.0.${version}`, { percents: [10, 100], everySeconds });
      const codes = await Promise.all(
        Array.from({ length: 23 }, (_, version) =>
          plan(version).then(
            () => 'planned',
            ({ code }) => code as string,
          ),
        ),
      );
      expect(codes.filter((code) => code === 'planned')).to.have.length(20);
      expect(codes.filter((code) => code === 'staging-invalid')).to.have.length(3);
      const first = codes.indexOf('planned');
      expect((await plan(first, 7_200)).everySeconds, 'changed').to.equal(7_200);
    });

    it('a release comes to a share first, always the same, and to all when nothing speaks against it', async () => {
      const { publisher } = platform.as;
      await publish('staged', '1.0.0');
      const installations = await installMany('staged', MANY);
      const plan = { percents: [50, 100], everySeconds: 3_600 };
      const planned = await publisher.planStaging('acme-labs/staged', '1.7.1', { ...plan, percents: [10, 100] });
      expect(planned).to.deep.include({ state: 'planned', percent: 0, percents: [10, 100] });
      await publisher.planStaging('acme-labs/staged', '1.7.1', plan);
      const release = await publish('staged', '1.7.1');
      const facts = { state: 'rolling', percents: plan.percents, stage: 0, digest: release.digest } as const;
      const expected = installations.map(({ id }) => (isInStage(facts, id) ? '1.7.1' : '1.0.0'));
      await until(
        () => versionsOf(installations),
        (versions) => versions.join() === expected.join(),
      );
      const taken = expected.filter((version) => version === '1.7.1').length;
      const rolling = await staging('staged', '1.7.1');
      expect(rolling).to.deep.include({ state: 'rolling', stage: 0, percent: 50 });
      expect(rolling.installations).to.deep.include({ following: MANY, taken });
      const others = (await platform.as.operator.listOutdated({ limit: 100 })).items.filter(({ held }) => held);
      expect(others.map(({ held }) => held)).to.deep.equal(
        Array.from({ length: MANY - taken }, () => ({
          version: '1.7.1',
          reason: 'It comes in stages, and 50 % have it.',
        })),
      );
      const replanned = await refusalOf(
        publisher.planStaging('acme-labs/staged', '1.7.1', { ...plan, percents: [1, 100] }),
      );
      expect(replanned.code).to.equal('staging-state-invalid');
      // Nobody called, and nothing failed: patience is four periods.
      await age('1.7.1', 5);
      await until(
        () => versionsOf(installations),
        (versions) => versions.every((version) => version === '1.7.1'),
      );
      expect(await staging('staged', '1.7.1')).to.deep.include({ state: 'rolling', stage: 1, percent: 100 });
      await age('1.7.1', 5);
      await until(
        () => staging('staged', '1.7.1'),
        ({ state }) => state === 'done',
      );
      const told = (await publisher.listNotifications()).items.find(({ kind }) => kind === 'staging-done')!;
      expect(told.subject).to.equal('acme-labs/staged@1.7.1 has come to all who follow');
    });

    it('a release that fails more often is stopped, told of, and taken back by its publisher', async () => {
      const { publisher, operator } = platform.as;
      await publish('wanting', '1.0.0');
      const installations = await installMany('wanting', MANY);
      await publisher.planStaging('acme-labs/wanting', '1.7.2', { percents: [50, 100], everySeconds: 3_600 });
      const release = await publish('wanting', '1.7.2', { broken: "throw new Error('It loses orders.');" });
      const facts = { state: 'rolling', percents: [50, 100], stage: 0, digest: release.digest } as const;
      const bad = installations.find(({ id }) => isInStage(facts, id))!;
      const good = installations.find(({ id }) => !isInStage(facts, id))!;
      await runs(bad, '1.7.2');
      const halted = await until(
        async () => {
          await Promise.all([bad, good].flatMap((each) => [1, 2, 3, 4].map(() => platform.call(each, '/version'))));
          return staging('wanting', '1.7.2');
        },
        ({ state }) => state === 'halted',
      );
      expect(halted.reason).to.match(/calls of 1\.7\.2 failed, against 0 of \d+ of earlier releases/);
      expect(halted.staged.errors).to.be.at.least(20);
      expect(halted.earlier).to.deep.include({ errors: 0 });
      for (const person of [publisher, operator]) {
        const told = (await person.listNotifications({ limit: 100 })).items.find(
          ({ kind }) => kind === 'staging-halted',
        )!;
        expect(told.subject).to.equal('acme-labs/wanting@1.7.2 was stopped at 50 %');
        expect(told.body).to.include(halted.reason);
      }
      const { items } = await publisher.listAudit({ action: 'staging.halt' });
      expect(items[0]!.actor.via).to.equal('system');
      expect(items[0]!.after).to.deep.include({ version: '1.7.2', state: 'halted', percent: 50 });
      // Nobody gets it by chance any more, but whoever names it does.
      expect((await install('wanting', '^1', { slug: 'wanting-new' })).version).to.equal('1.0.0');
      const unnamed = { id: uuidv7(), plugin: 'acme-labs/wanting', slug: 'wanting-newest', grants: [] };
      expect((await operator.install(unnamed)).version).to.equal('1.0.0');
      const chosen = await operator.updateInstallation(good.id, { version: '1.7.2' });
      expect(chosen.version).to.equal('1.7.2');
      const shown = async () => {
        const { latestVersion, versions } = await operator.readListing('acme-labs/wanting');
        const found = await operator.searchCatalogue({ search: 'wanting' });
        expect(found.items.map((each) => each.latestVersion)).to.deep.equal([latestVersion]);
        return [latestVersion, ...versions.filter(({ halted }) => halted).map(({ version }) => version)];
      };
      expect(await shown(), 'newest, and what was stopped').to.deep.equal(['1.0.0', '1.7.2']);

      const decide = (version: string, decision: 'halt' | 'resume' | 'roll-back') =>
        publisher.decideStaging('acme-labs/wanting', version, { decision, reason: 'It loses orders.' });
      expect((await refusalOf(decide('1.9.9', 'halt'))).code).to.equal('staging-unknown');
      const resumed = await decide('1.7.2', 'resume');
      expect([resumed.state, resumed.staged.calls]).to.deep.equal(['rolling', 0]);
      expect(await shown(), 'goes on').to.deep.equal(['1.7.2']);
      expect((await decide('1.7.2', 'roll-back')).state).to.equal('rolled-back');
      expect((await decide('1.7.2', 'roll-back')).state).to.equal('rolled-back');
      expect((await refusalOf(decide('1.7.2', 'resume'))).code).to.equal('staging-state-invalid');
      await until(
        () => versionsOf(installations.filter(({ id }) => id !== good.id)),
        (versions) => versions.every((version) => version === '1.0.0'),
      );
      expect(await shown(), 'rolled back').to.deep.equal(['1.0.0', '1.7.2']);
      // Who chose it by hand keeps it.
      expect((await find(good)).version).to.equal('1.7.2');
      const [rollout] = (await operator.listRollouts(bad.id)).items;
      expect(rollout!.reason).to.equal('Its publisher rolled 1.7.2 back. It loses orders.');
      expect((await platform.call(bad, '/version')).status).to.equal(200);
    });

    it('a release stays where the one before was yanked as well, and this is told once', async () => {
      const { publisher, operator } = platform.as;
      const older = await publish('stranded', '1.0.0');
      const installation = await install('stranded', '^1');
      await publisher.planStaging('acme-labs/stranded', '1.1.0', { percents: [100], everySeconds: 3_600 });
      await publish('stranded', '1.1.0');
      await runs(installation, '1.1.0');
      await platform.database.knex('releases').where({ id: older.id }).update({ state: 'yanked' });
      const reason = 'It loses orders.';
      await publisher.decideStaging('acme-labs/stranded', '1.1.0', { decision: 'roll-back', reason });
      const told = async (person = operator) =>
        (await person.listNotifications({ limit: 100 })).items.filter(({ kind }) => kind === 'update-failed');
      await until(told, (all) => all.length > 0);
      for (const person of [operator, publisher]) {
        const [first] = await told(person);
        expect(first!.subject).to.equal('acme-labs/stranded at arcade-one/stranded could not go back to 1.0.0');
        expect(first!.body).to.match(
          /^Its publisher rolled 1\.1\.0 back\. It loses orders\. .+\nIt stays on 1\.1\.0\./,
        );
      }
      // Whatever goes back does so before anything follows.
      await publish('stranded', '1.2.0');
      await runs(installation, '1.2.0');
      const { items } = await operator.listRollouts(installation.id);
      expect(items.map(({ toVersion, state }) => `${toVersion} ${state}`)).to.deep.equal([
        ...['1.2.0 done', '1.0.0 failed', '1.1.0 done'],
      ]);
      expect([(await told()).length, (await told(publisher)).length]).to.deep.equal([1, 1]);
    });

    it('a release that is out already begins at once, and says who has it', async () => {
      const { publisher } = platform.as;
      await publish('late', '1.0.0');
      await publish('late', '1.1.0');
      const plan = { percents: [50, 100], everySeconds: 3_600 };
      const begun = await publisher.planStaging('acme-labs/late', '1.1.0', plan);
      expect(begun).to.deep.include({ state: 'rolling', percent: 50, stage: 0 });
      expect(begun.reason).to.equal(
        'It was out already: whoever has it keeps it, and it comes to others by these shares.',
      );
      expect((await publisher.planStaging('acme-labs/late', '1.1.0', plan)).beganAt).to.equal(begun.beganAt);
    });

    it('is planned with rising shares, by whoever publishes the plugin', async () => {
      const { publisher } = platform.as;
      const everySeconds = 3_600;
      const plan = (plugin: string, percents: number[]) =>
        refusalOf(publisher.planStaging(plugin, '9.0.0', { percents, everySeconds }));
      expect((await plan('acme-labs/staged', [50, 25, 100])).code).to.equal('staging-invalid');
      expect((await plan('acme-labs/unheard-of', [50, 100])).code).to.equal('plugin-unknown');
      expect((await plan('somebody/staged', [50, 100])).code).to.equal('plugin-unknown');
      expect((await refusalOf(platform.as.operator.listStagings('acme-labs/staged'))).code).to.equal(
        'permission-denied',
      );
    });

    it('is shown and decided on the command line', async () => {
      const { publisher } = platform.as;
      const run = (text: string, options = {}) => manageStaging(publisher, text, { every: 3_600, ...options });
      const paint = ((_: string, text: string) => text) as Paint;
      const said = stagingsText(paint, await run('acme-labs/wanting'));
      expect(said).to.match(/^acme-labs\/wanting@1\.7\.2 {2}rolled-back\nIt loses orders\.\nIt runs in \d+ of/);
      expect(said).to.match(/earlier +\d+ +/);
      expect((await run('acme-labs/staged@3.0.0', { stage: [5, 100] }))[0]!.state).to.equal('planned');
      expect(stagingsText(paint, await run('acme-labs/staged@3.0.0'))).to.include(
        'planned: 5 %, 100 %, each for 1h, as soon as it is out',
      );
      expect((await run('acme-labs/staged@3.0.0', { halt: true, reason: 'Not yet.' }))[0]!.state).to.equal('halted');
      expect((await run('acme-labs/staged@3.0.0', { finish: true }))[0]!.state).to.equal('done');
      for (const options of [{ halt: true }, { halt: true, resume: true, reason: 'x' }, { rollback: true }]) {
        expect((await refusalOf(run('acme-labs/staged@3.0.0', options))).code).to.equal('usage');
      }
      expect((await refusalOf(run('acme-labs/staged', { halt: true, reason: 'x' }))).code).to.equal('usage');
    });
  });

  describe('plugins that require each other', () => {
    const needs = (...dependencies: [name: string, range: string][]) => ({
      manifest: { dependencies: dependencies.map(([name, range]) => ({ plugin: `acme-labs/${name}`, range })) },
    });

    it('are refused at publish where nobody has the name, unless it is an own one', async () => {
      const dependencies = [{ plugin: 'nobody-yet/base', range: '^1' }];
      const refusal = await refusalOf(publish('confused', '1.0.0', { manifest: { dependencies } }));
      expect([refusal.code, refusal.facts.unknown]).to.deep.equal(['dependency-unknown', ['nobody-yet/base']]);
      // A bare name is none.
      const bare = publish('confused', '1.0.0', { manifest: { dependencies: [{ plugin: 'base', range: '^1' }] } });
      expect((await refusalOf(bare)).code).to.equal('manifest-invalid');
      await publish('early', '1.0.0', needs(['later', '^1']));
    });

    it('are installed with what they require, and say what is missing', async () => {
      const { operator } = platform.as;
      await publish('base', '1.0.0');
      await publish('base', '2.0.0');
      await publish('middle', '1.0.0', needs(['base', '^1']));
      await publish('top', '1.0.0', needs(['middle', '^1'], ['base', '^1']));
      const refusal = await refusalOf(install('top', '1.0.0'));
      expect(refusal.code).to.equal('requirements-unmet');
      expect(refusal.message.split('\n')[0]).to.equal(
        "acme-labs/top 1.0.0 requires acme-labs/middle ^1, which is not installed: gate install 'acme-labs/middle@^1' --as <slug>",
      );
      const notes: string[] = [];
      const cli = {
        note: (text: string) => notes.push(text),
        paint: (_: string, text: string) => text,
        interactive: () => false,
      };
      const run = (yes?: true) => installRequired(cli as never, operator, 'acme-labs/top', { ...(yes && { yes }) });
      expect((await refusalOf(run())).code).to.equal('confirmation-needed');
      const along = await run(true);
      expect(along.map(({ plugin, version, updates }) => `${plugin} ${version} ${updates.follows}`)).to.deep.equal([
        'acme-labs/base 1.0.0 ^1',
        'acme-labs/middle 1.0.0 ^1',
      ]);
      expect(notes[0]).to.match(/acme-labs\/base +1\.0\.0 +\^1 +acme-labs\/\w+ 1\.0\.0/);
      expect((await install('top', '1.0.0')).version).to.equal('1.0.0');
      expect((await operator.planRequirements({ plugin: 'acme-labs/top' })).steps).to.deep.equal([]);
    });

    it('keep each other from going and from versions that do not fit, unless their operator insists', async () => {
      const { operator } = platform.as;
      const all = (await operator.listInstallations({ limit: 100 })).items;
      const [base, middle] = ['base', 'middle'].map((name) => all.find(({ slug }) => slug === name)!);
      const updating = await refusalOf(operator.updateInstallation(base!.id, { version: '2.0.0' }));
      expect([updating.code, updating.message.split('\n')[0]]).to.deep.equal([
        'required-by-others',
        'middle (acme-labs/middle 1.0.0) requires acme-labs/base ^1, and 2.0.0 does not fit.',
      ]);
      expect((await operator.previewUpdate(base!.id, '2.0.0')).obstacles).to.have.length(2);
      expect((await refusalOf(operator.uninstall(base!.id))).code).to.equal('required-by-others');
      await publish('rival', '1.0.0', needs(['base', '^2']));
      const rival = await refusalOf(install('rival', '1.0.0'));
      expect(rival.message).to.equal(
        "Because acme-labs/rival 1.0.0 requires acme-labs/base ^2 and middle (acme-labs/middle 1.0.0) requires acme-labs/base ^1 and top (acme-labs/top 1.0.0) requires acme-labs/base ^1, no one version of acme-labs/base serves all of them; install another beside base: gate install 'acme-labs/base@^2' --as <slug>",
      );
      await publish('torn', '1.0.0', needs(['middle', '^1'], ['base', '^3']));
      const torn = await refusalOf(operator.planRequirements({ plugin: 'acme-labs/torn' }));
      expect([torn.code, torn.message]).to.deep.equal([
        'requirements-conflict',
        'Because acme-labs/torn 1.0.0 requires acme-labs/base ^3, and there is only 2.0.0, 1.0.0, it cannot be had.',
      ]);
      // Another one beside it serves both.
      await install('base', '^2', { slug: 'base-2' });
      await install('rival', '1.0.0');
      expect(
        (await operator.updateInstallation(base!.id, { version: '2.0.0', ignoreRequirements: true })).version,
      ).to.equal('2.0.0');
      await operator.uninstall(middle!.id, { ignoreRequirements: true });
    });

    it('wait for each other where they follow', async () => {
      await publish('ground', '1.0.0');
      await publish('roof', '1.0.0', needs(['ground', '^1']));
      const ground = await install('ground', '*');
      const roof = await install('roof', '*');
      await publish('ground', '2.0.0');
      const { updates } = await waits(ground, '2.0.0');
      expect(updates.waiting!.reason).to.equal(
        'roof (acme-labs/roof 1.0.0) requires acme-labs/ground ^1, and 2.0.0 does not fit.',
      );
      await publish('ground', '1.1.0');
      await runs(ground, '1.1.0');
      await platform.as.operator.uninstall(roof.id);
      await publish('ground', '1.1.1');
      await runs(ground, '2.0.0');
    });
  });

  describe('a release that is signed more weakly', () => {
    it('does not arrive by itself nor by hand until whoever owns the operator has accepted it', async () => {
      const { operator } = platform.as;
      await publish('proven', '1.0.0', { provenance: PROVENANCE });
      const installation = await install('proven', '^1');
      await publish('proven', '1.1.0');
      const { updates } = await waits(installation, '1.1.0');
      expect(updates.waiting!.reason).to.equal(
        'It is signed more weakly: 1.0.0 said where it was built, and 1.1.0 does not.',
      );
      const told = (await operator.listNotifications()).items.find(({ kind }) => kind === 'update-waiting')!;
      expect(told.subject).to.equal('acme-labs/proven at arcade-one/proven does not take 1.1.0 by itself');
      expect((await operator.previewUpdate(installation.id)).weaknesses.map(({ kind }) => kind)).to.deep.equal([
        'provenance-gone',
      ]);
      const refusal = await refusalOf(operator.updateInstallation(installation.id, { version: '1.1.0' }));
      expect(refusal.code).to.equal('signing-weaker');
      expect((refusal.facts.weaknesses as unknown[]).length).to.equal(1);

      const manager = await operator.issueToken({
        organisation: 'arcade-one',
        role: 'operator-manager',
        label: 'manager',
      });
      const accepted = { version: '1.1.0', reason: 'Its publisher changed its CI.' };
      const asManager = createApiClient({ url: platform.host.url, token: manager.secret });
      expect((await refusalOf(asManager.acceptSigning(installation.id, accepted))).code).to.equal('permission-denied');
      await operator.acceptSigning(installation.id, accepted);
      await operator.acceptSigning(installation.id, accepted);
      const { items } = await operator.listAudit({ action: 'installation.signing-accepted' });
      expect(items.map(({ after }) => (after as { weaknesses: string[] }).weaknesses)).to.deep.equal([
        ['provenance-gone'],
      ]);
      expect((await operator.updateInstallation(installation.id, { version: '^1' })).version).to.equal('1.1.0');
      // What ran here before may come back, however it is signed.
      await operator.updateInstallation(installation.id, { version: '1.0.0' });
      expect((await operator.rollBack(installation.id, { version: '1.1.0' })).version).to.equal('1.1.0');
    });

    it('leaves room for an older one that is signed as before', async () => {
      await publish('overtaken', '1.0.0', { provenance: PROVENANCE });
      const installation = await install('overtaken', '^1');
      await publish('overtaken', '1.2.0');
      await waits(installation, '1.2.0');
      await publish('overtaken', '1.1.0', { provenance: PROVENANCE });
      await runs(installation, '1.1.0');
    });

    it('is one whose key did not overlap with that of the one before', async () => {
      const { operator, publisher } = platform.as;
      const [first, second, third] = [1, 2, 3].map(() => generateKeyPairSync('ed25519').privateKey) as [
        KeyObject,
        KeyObject,
        KeyObject,
      ];
      await registerKey(publisher)(first, 'first');
      await publish('rotated', '1.0.0', { key: first });
      const installation = await install('rotated', '^1');
      await registerKey(publisher)(second, 'second');
      await publish('rotated', '1.1.0', { key: second });
      await runs(installation, '1.1.0');
      // Everything is revoked, and whoever has the account makes a key of their own.
      for (const key of [first, second, platform.signingKey]) await publisher.revokeKey(keyIdOf(key), {});
      await registerKey(publisher)(third, 'third');
      await publish('rotated', '1.2.0', { key: third });
      const { updates } = await waits(installation, '1.2.0');
      expect(updates.waiting!.reason).to.include('it did not come by a rotation');
      const refusal = await refusalOf(operator.updateInstallation(installation.id, { version: '1.2.0' }));
      expect([refusal.code, (refusal.facts.weaknesses as { kind: string }[])[0]!.kind]).to.deep.equal([
        'signing-weaker',
        'signer-new',
      ]);
    });
  });
});
