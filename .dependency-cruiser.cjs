/**
 * The layering table of docs/architecture.md, one rule per row. Test files may reach the test database and each other's
 * fakes; production code may not.
 */
const TESTS =
  '\\.(test|suite|contract)\\.ts$|(^|/)(fake|test)-[^/]*\\.ts$|^sandbox/hostile/|^plugins-sdk/testing/|^examples/|^benchmarks/';
const TEST_ONLY = '(^|/)fake-[^/]*\\.ts$|\\.(test|suite)\\.ts$|(^|/)test-(database|registry)\\.ts$';

/** dependency-cruiser resolves a package to its folder below node_modules. */
const packages = (...names) => `(^|/)node_modules/(${names.join('|')})(/|$)`;
const DATABASE_PACKAGES = packages('knex', 'objection', 'pg');
const REDIS_PACKAGES = packages('ioredis');
const KOA_PACKAGES = packages('koa', '@koa/[^/]+', 'koa-[^/]+');

const forbid = (name, comment, from, to) => ({ name, comment, severity: 'error', from, to });
/** Only the files that match `door` may import the packages. */
const oneDoor = (name, door, ...names) =>
  forbid(
    `one-door-${name}`,
    `Only ${door} imports ${names.join(', ')}.`,
    { pathNot: [door, TESTS] },
    { path: packages(...names) },
  );

/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [
    forbid('no-circular', 'Two files that need each other are one file, or need a third.', {}, { circular: true }),
    forbid('resolvable', 'An import that nothing answers.', {}, { couldNotResolve: true }),
    forbid(
      'enter-sandbox-by-index',
      'The sandbox is its contract; what is behind index.ts may change.',
      { pathNot: ['^sandbox/', TESTS] },
      { path: '^sandbox/', pathNot: '^sandbox/(workbench/)?index\\.ts$' },
    ),
    forbid(
      'workbenches-are-for-authors',
      'Debugger and profiler run code outside of every cordon: only the tools of authors open one.',
      { pathNot: ['^sandbox/workbench/', '^plugins-sdk/cli/', TESTS] },
      { path: '^sandbox/workbench/' },
    ),
    forbid(
      'enter-registry-by-index',
      'The registry is its contract; what is behind index.ts may change.',
      { pathNot: ['^registry/', TESTS] },
      { path: '^registry/', pathNot: '^registry/index\\.ts$' },
    ),
    forbid(
      'contract-is-a-leaf',
      'What a plugin is must not depend on how it is run.',
      { path: '^plugins-sdk/contract/', pathNot: TESTS },
      {
        path: '^(bin|plugins-sdk|sandbox|registry|host|migrations|benchmarks|examples)/',
        pathNot: '^plugins-sdk/contract/',
      },
    ),
    forbid(
      'sandbox-knows-no-server',
      'The sandbox knows how to run code and never what it means.',
      { path: '^sandbox/', pathNot: TESTS },
      { path: ['^(host|registry|migrations|bin)/', KOA_PACKAGES, DATABASE_PACKAGES, REDIS_PACKAGES] },
    ),
    forbid(
      'registry-knows-no-http',
      'The registry knows neither HTTP nor isolates.',
      { path: '^registry/', pathNot: TESTS },
      { path: ['^(host|sandbox|bin)/', KOA_PACKAGES, packages('piscina', 'isolated-vm')] },
    ),
    forbid(
      'rules-are-pure',
      'No clock, no randomness, no I/O: rules are functions of their arguments.',
      { path: '(^|/)rules/', pathNot: TESTS },
      {
        pathNot: [
          '(^|/)rules/',
          '^plugins-sdk/contract/',
          '^registry/(contract|errors)\\.ts$',
          '^(node:)?crypto$',
          packages('semver'),
        ],
      },
    ),
    forbid(
      'features-meet-in-compose',
      'Features of the registry meet in compose.ts; what they share lies in rules/.',
      { path: '^registry/([^/]+)/', pathNot: TESTS },
      { path: '^registry/[^/]+/', pathNot: ['^registry/$1/', '^registry/rules/'] },
    ),
    forbid(
      'routes-touch-no-tables',
      'A route speaks to a use case.',
      { path: '^host/routes/', pathNot: TESTS },
      { path: '-(store|model)\\.ts$' },
    ),
    forbid(
      'fakes-are-for-tests',
      'Production code never runs on a fake.',
      { pathNot: [TESTS, '^bin/testing/'] },
      { path: TEST_ONLY },
    ),
    forbid(
      'host-is-on-top',
      'Only entries, the CLI, tools for tests and benchmarks import the host.',
      { path: '^(plugins-sdk/(contract|guest)|sandbox|registry)/', pathNot: TESTS },
      { path: '^host/' },
    ),
    oneDoor('isolated-vm', '^sandbox/isolate/', 'isolated-vm'),
    oneDoor('piscina', '^sandbox/pool\\.ts$', 'piscina'),
    oneDoor('koa', '^host/http/', 'koa', '@koa/[^/]+', 'koa-[^/]+'),
    forbid(
      'one-door-database',
      'Only stores, models, migrations and what opens the database speak to it; a type opens no door.',
      { pathNot: ['^host/(database|context-client)\\.ts$', '^migrations/', '-(store|model)\\.ts$', TESTS] },
      { path: DATABASE_PACKAGES, dependencyTypesNot: ['type-only'] },
    ),
    oneDoor('redis', '^host/redis\\.ts$', 'ioredis'),
    oneDoor('outside', '^host/egress/', 'undici'),
    oneDoor('queues', '^(host/queues/dispatch-messages|migrations/migrate-queue-schema)\\.ts$', 'bullmq'),
    oneDoor('passwords', '^registry/accounts/hash-passwords\\.ts$', 'bcrypt'),
    oneDoor('access-tokens', '^registry/sessions/access-token\\.ts$', 'jsonwebtoken'),
    oneDoor('mail', '^host/mail/', 'nodemailer'),
    oneDoor('metrics', '^host/(metrics|tallies)\\.ts$', 'prom-client'),
  ],
  options: {
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '(^|/)(coverage|\\.gatehouse|\\.runtime)/|\\.tmpl$' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'require', 'node', 'default', 'types'],
    },
  },
};
