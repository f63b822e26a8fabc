import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { expect } from 'chai';
import { HOST_REFUSALS } from './host/errors.ts';
import { allRoutes, type RoutePorts } from './host/routes/index.ts';
import { CAPABILITY_REFUSALS, PLUGIN_FAULTS } from './plugins-sdk/contract/errors.ts';
import { REGISTRY_REFUSALS } from './registry/index.ts';
import { SANDBOX_REFUSALS } from './sandbox/index.ts';

const root = import.meta.dirname;
/** Everything that is, or would be, committed. */
const files = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], {
  cwd: root,
  encoding: 'utf8',
})
  .split('\n')
  .filter((file) => file !== '' && fs.existsSync(path.join(root, file)));
const read = (file: string) => fs.readFileSync(path.join(root, file), 'utf8');
const isCode = (file: string) => /\.(ts|mjs|cjs|js)$/.test(file);
const isTest = (file: string) => /\.(test|suite)\.ts$|(^|\/)(fake|test)-[^/]*\.ts$/.test(file);

/** The only readers of the environment, each with what it reads there. */
const ENVIRONMENT_READERS: Record<string, string> = {
  'host/config.ts': 'the settings of the host',
  'plugins-sdk/cli/settings.ts': 'the settings of the command line',
  'bin/launch/npm.mjs': 'which npm runs us',
  'bin/launch/hand-over.mjs': 'PATH, to put the right Node.js first',
  'bin/testing/record-reporter.ts': 'keeps coverage from the processes that tests start',
  'bin/testing/run-job.ts': 'passes it on to the tools it starts',
  'sandbox/privileges.ts': 'proves that a cordon has none',
  'sandbox/escape-drill/attempts-processes.ts': 'tries to read it after an escape',
};

/** Who may open connections, each with what they see there; everybody else asks one of the two pools of host/database.ts. */
const CONNECTION_MAKERS: Record<string, string> = {
  'host/database.ts': 'the two pools, that of the owner, and what listens',
  'host/queues/dispatch-messages.ts': 'BullMQ works in a schema of its own',
};
/** Who may name the settings that row-level security reads. */
const CONTEXT_SETTERS = ['host/context-client.ts', 'host/database-context.ts', 'migrations/row-security.ts'];

/** Who may be given the pool that sees everything, each with what cannot be asked for somebody. Others are given `scoped`. */
const SYSTEM_HOLDERS: Record<string, string> = {
  'host/database.ts': 'makes it',
  'host/alerts/alert-store.ts': 'tells organisations of what concerns them, whoever did it',
  'host/alerts/follow-trail.ts': 'reads the trail of everybody, to tell whom it concerns',
  'host/alerts/open-alerts.ts': 'events of logins, before anybody is known',
  'host/audit/sign-heads.ts': 'signs the end of the one chain',
  'host/catalogue/open-listings.ts':
    'makes pages from archives, which their publishers alone may read, and counts views',
  'host/catalogue/open-marketplace.ts': 'counts over the installations of everybody',
  'host/factors/open-factors.ts': 'second steps of logins, and resets by an admin',
  'host/mail/open-mail.ts': 'delivers the outbox of everybody',
  'host/mail/tell-people.ts': 'writes to people about what happened to their accounts, whoever did it',
  'host/organisations/open-programs.ts': 'devices that nobody has let in yet',
  'host/privacy/open-privacy.ts': 'archives made later, what had its time, and erasure',
  'host/queues/open.ts': 'runs the messages of every installation',
  'host/webhooks/due-store.ts': 'sends the deliveries of everybody',
  'host/webhooks/open-webhooks.ts': 'tells everybody what concerns them, and sends it',
  'host/webhooks/unfold-store.ts': 'reads the trail of everybody, to tell whom it concerns',
  'host/releases/reach-store.ts': 'looks at what runs everywhere before it is stopped',
  'host/rollouts/open-rollouts.ts': 'judges the rollouts of everybody by a timer',
  'host/rollouts/stagings/end-staging-store.ts': 'tells operators whom a publisher does not know',
  'host/rollouts/stagings/staging-store.ts': 'adds up what the installations of everybody answer',
  'host/scanning/open-scanning.ts': 'looks at the releases of everybody',
  'host/schedules/open-schedules.ts': 'starts the schedules of every installation',
  'host/sessions/open-people.ts': 'logins and registrations: whoever comes is nobody yet',
  'host/statistics/open-statistics.ts': 'counts over the installations of everybody',
  'host/scanning/tell-scanned.ts': 'tells the publisher, whoever it is',
  'host/transparency/open-registry-keys.ts': "the keys of the registry are nobody's",
  'host/transparency/open-transparency.ts': 'signs the end of the one log',
  'registry/compose.ts': 'finds out whose a token is',
  'registry/accounts/compose.ts': 'registration, login, codes from mails, and counting who tries',
  'registry/devices/compose.ts': 'a device is nobody until a person has let it in',
  'registry/factors/compose.ts': 'second steps of logins, and resets by an admin',
  'registry/organisations/compose.ts': 'who brings an invitation or founds an organisation belongs nowhere yet',
  'registry/review/compose.ts': 'what follows from a review by itself',
  'registry/scanning/compose.ts': 'looks at the releases of everybody',
  'registry/sessions/compose.ts': 'a session is opened, refreshed and found by what proves it',
  'registry/telegram/compose.ts': 'logins: whoever comes is nobody yet',
  'registry/transfer/compose.ts': 'what is exported is public, and importers may by the table of permissions',
  'registry/transparency/compose.ts': 'the log is one, and everybody reads it',
};

const BANNED_FOLDERS = ['utils', 'util', 'common', 'shared', 'helpers', 'types', 'misc', 'lib'];
const LINES_MAX = 350;

describe('The repository', () => {
  it('explains every error code in docs/errors.md, and no other', () => {
    const documented = [...read('docs/errors.md').matchAll(/^\| `([a-z0-9-]+)` \|/gm)].map(([, code]) => code);
    const tables = [HOST_REFUSALS, REGISTRY_REFUSALS, SANDBOX_REFUSALS, PLUGIN_FAULTS, CAPABILITY_REFUSALS];
    expect([...documented].sort()).to.deep.equal(tables.flatMap((table) => Object.keys(table)).sort());
  });

  it('has a test for every code that a route declares', () => {
    const tests = files.filter((file) => file.endsWith('.test.ts') && file !== 'tidy.test.ts').map(read);
    // The table itself needs no ports: nothing is handled here.
    const declared = new Set(allRoutes({} as RoutePorts).flatMap(({ refuses }) => refuses));
    const untested = [...declared].filter((code) => !tests.some((text) => text.includes(`'${code}'`)));
    expect(untested).to.deep.equal([]);
  });

  it('reads the environment in the named files only', () => {
    const readers = files
      .filter((file) => isCode(file) && !isTest(file) && file !== 'tidy.test.ts')
      .filter((file) => /process\.env(?!\.NODE_ENV')/.test(read(file)));
    expect(readers.sort()).to.deep.equal(Object.keys(ENVIRONMENT_READERS).sort());
  });

  it('asks the database for somebody: only the named files open connections or say who asks', () => {
    const own = (file: string) => !file.startsWith('benchmarks/') && file !== 'tidy.test.ts';
    const production = files.filter((file) => isCode(file) && !isTest(file) && own(file));
    const matching = (pattern: RegExp) => production.filter((file) => pattern.test(read(file))).sort();
    const opening = matching(/\bnew pg\.|\bnew (Client|Pool)\(|\bknex\(\{|\bknex\(config|\bcreatePostgresBackend\b/);
    expect(opening).to.deep.equal(Object.keys(CONNECTION_MAKERS).sort());
    expect(
      // Migrations run for the owner of the schema, once, and have every row to change.
      matching(/set_config|'app\.(account_id|organisation_id|role)'|\bset (local |session )?app\./i).filter(
        (file) => !/^migrations\/\d{4}-/.test(file),
      ),
    ).to.deep.equal([...CONTEXT_SETTERS].sort());
    // Whoever holds the pool of the host sees everything: it is handed out by name, and to those who say why.
    expect(matching(/\bsystem\??: Knex\b/)).to.deep.equal(Object.keys(SYSTEM_HOLDERS).sort());
    const handing = matching(/\bcontextValues\b/);
    expect(handing).to.deep.equal(['host/context-client.ts', 'host/database.ts']);
  });

  it('shows its top level in the README as it is', () => {
    const folders = new Set(files.filter((file) => file.includes('/')).map((file) => file.split('/')[0]!));
    const visible = [...folders].filter((folder) => !folder.startsWith('.'));
    const tree = /## Where things are\n[\s\S]*?```\n([\s\S]*?)```/.exec(read('README.md'))?.[1] ?? '';
    const shown = [...tree.matchAll(/^([a-z][a-z-]*)\/ /gm)].map(([, folder]) => folder);
    expect(shown.sort()).to.deep.equal(visible.sort());
  });

  it('never changes a migration that was committed', () => {
    const migrations = files.filter((file) => /^migrations\/\d{4}-.*\.ts$/.test(file));
    const checksums = migrations.map((file) => [
      path.basename(file),
      createHash('sha256').update(read(file)).digest('hex'),
    ]);
    // A new migration adds its line; an edited one needs a further migration instead.
    expect(JSON.parse(read('migrations/checksums.json'))).to.deep.equal(Object.fromEntries(checksums));
  });

  it('has no folder whose name says nothing', () => {
    const banned = files.filter((file) =>
      path
        .dirname(file)
        .split('/')
        .some((name) => BANNED_FOLDERS.includes(name)),
    );
    expect(banned).to.deep.equal([]);
  });

  it('names its files in kebab-case', () => {
    const code = files.filter((file) => isCode(file) && !file.startsWith('.'));
    const odd = code.filter((file) => !/^[a-z0-9]+(-[a-z0-9]+)*(\.[a-z0-9-]+)*\.[a-z]+$/.test(path.basename(file)));
    expect(odd).to.deep.equal([]);
  });

  it(`has no file of more than ${LINES_MAX} lines outside tests`, () => {
    const long = files
      .filter((file) => isCode(file) && !isTest(file) && !file.startsWith('migrations/'))
      .map((file) => ({ file, lines: read(file).split('\n').length - 1 }))
      .filter(({ lines }) => lines > LINES_MAX);
    expect(long).to.deep.equal([]);
  });

  it('holds no path of the machine that it was written on', () => {
    const text = files.filter((file) => !/\.(png|ico|gpk|woff2?)$/.test(file));
    expect(text.filter((file) => read(file).includes(`${root}/`))).to.deep.equal([]);
  });

  it('asserts something in every test file', () => {
    const tests = files.filter((file) => file.endsWith('.test.ts'));
    const silent = tests.filter((file) => !/\bexpect\b|\bassert\b|Suite\(|Contract\(/.test(read(file)));
    expect(silent).to.deep.equal([]);
  });

  it('names no test in docs/attacks.md that is not there', () => {
    const rows = [...read('docs/attacks.md').matchAll(/\| `([^`]+\.test\.ts)`: (.+) \|$/gm)];
    expect(rows.length).to.be.at.least(30);
    const gone = rows.filter(([, file, name]) => !read(file!).includes(`it('${name}'`)).map(([row]) => row);
    expect(gone).to.deep.equal([]);
  });

  it('leaves no unfinished marks', () => {
    const mark = new RegExp(`\\b(${['TO' + 'DO', 'FIX' + 'ME', 'XX' + 'X'].join('|')})\\b`);
    expect(files.filter((file) => isCode(file) && mark.test(read(file)))).to.deep.equal([]);
  });

  it('has a README and a test for every example', () => {
    const examples = new Set(files.filter((file) => file.startsWith('examples/')).map((file) => file.split('/')[1]!));
    expect(examples.size).to.be.greaterThan(0);
    for (const example of examples) {
      const own = files.filter((file) => file.startsWith(`examples/${example}/`));
      expect(own, example).to.include(`examples/${example}/README.md`);
      expect(
        own.filter((file) => file.endsWith('.test.ts')),
        `tests of ${example}`,
      ).to.not.deep.equal([]);
    }
  });

  it('pins exactly the dependencies of package.json in package-lock.json', () => {
    type Dependencies = Record<'dependencies' | 'devDependencies' | 'optionalDependencies', Record<string, string>>;
    // npm moves optional ones about in the lockfile; together they must be the same.
    const all = ({ dependencies, devDependencies, optionalDependencies }: Dependencies) => ({
      ...dependencies,
      ...devDependencies,
      ...optionalDependencies,
    });
    const named = all(JSON.parse(read('package.json')));
    expect(all(JSON.parse(read('package-lock.json')).packages[''])).to.deep.equal(named);
    const loose = Object.entries(named).filter(([, version]) => !/^\d+\.\d+\.\d+(-[a-z0-9.]+)?$/.test(version));
    expect(loose).to.deep.equal([]);
  });

  it('links only to files that exist', () => {
    const broken = files
      .filter((file) => file.endsWith('.md'))
      .flatMap((file) =>
        [...read(file).matchAll(/\]\((?!https?:|mailto:|#)([^)#\s]+)/g)]
          .filter(([, target]) => !fs.existsSync(path.join(root, path.dirname(file), target!)))
          .map(([, target]) => `${file} -> ${target}`),
      );
    expect(broken).to.deep.equal([]);
  });
});
