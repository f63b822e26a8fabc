import { rm } from 'node:fs/promises';
import path from 'node:path';
import { type Host, startHost } from '../compose.ts';
import type { Config } from '../config.ts';
import { contextOf, inContext } from '../database-context.ts';
import type { Log } from '../http/log.ts';
import { migrate, nearPath, openPlatformDatabase } from '../open-database.ts';
import { RoleRefused } from '../roles/role.ts';
import { HOST_VERSION } from '../version.ts';
import { type DemoPerson, seedAccounts, showLogin } from './accounts.ts';
import { type Credentials, OPERATOR_SLUG, seedPeople } from './people.ts';
import { startSecondHost } from './second-host.ts';
import { createStage } from './stage.ts';
import { type TourStop, takeTour } from './tour.ts';

const CREDENTIALS_FILE = 'demo-credentials.json';
const PASSWORDS_FILE = 'demo-passwords.json';

export interface DemoOptions {
  config: Config;
  log: Log;
  /** Removes the data of earlier demos first. */
  fresh: boolean;
  /** Standard output. */
  stream: NodeJS.WriteStream;
  /** Prints one line of JSON for programs instead of the stage. */
  json: boolean;
  /** Called when the embedded database dies unasked. */
  onDeath(message: string): void;
}

export interface RunningDemo {
  host: Host;
  credentials: Credentials;
  people: DemoPerson[];
  stops: TourStop[];
  /** Ends host and database, the database last. */
  close(): Promise<void>;
}

/**
 * Brings up the whole platform and does its main job on real plugins, step by step, over HTTP. What an earlier demo left
 * is kept and used. Refuses with one sentence for every cause that the person at the keyboard can remove.
 */
export async function runDemo({ config, log, fresh, stream, json, onDeath }: DemoOptions): Promise<RunningDemo> {
  const stage = createStage(stream, { quiet: json });
  stage.chapter(`Gatehouse ${HOST_VERSION}`);
  if (fresh)
    await stage.step(
      'fresh',
      () => clearData(config, log),
      () => `removed ${nearPath(config.dataFolder)}`,
    );
  const database = await stage.step(
    'database',
    () => openPlatformDatabase(config, log, onDeath),
    ({ description }) => `PostgreSQL, ${description}`,
  );
  const opened = [database.close];
  const close = async () => {
    for (const end of opened.toReversed()) await end();
  };
  try {
    await stage.step(
      'migrations',
      () => migrate(database),
      ({ length }) => (length === 0 ? 'up to date' : `${length} applied`),
    );
    const host = await stage.step(
      'host',
      () => startHost({ config, appUrl: database.appUrl, log }),
      ({ url, sandbox }) => `${url}, ${sandbox.status().cordons.length} sandbox processes`,
    );
    opened.push(host.close);
    const file = path.join(config.dataFolder, CREDENTIALS_FILE);
    const credentials = await stage.step(
      'people',
      () => seedPeople(host.registry, file),
      (known) => Object.keys(known).join(', '),
    );
    const passwords = path.join(config.dataFolder, PASSWORDS_FILE);
    const people = await stage.step(
      'accounts',
      async () => {
        const admin = (await host.registry.authenticate(credentials.admin))!;
        const { organisations } = host.people;
        // As over HTTP: the database is asked for the admin.
        const invite: typeof organisations.invite = (actor, command) =>
          inContext(contextOf(actor), () => organisations.invite(actor, command));
        return seedAccounts({ url: host.url, admin, organisations: { invite }, file: passwords });
      },
      (made) => `${made.map(({ username }) => username).join(', ')}, by the mail in ${host.url}/dev/mailbox`,
    );
    const visitor = people.find(({ organisation }) => organisation === OPERATOR_SLUG)!;
    await stage.step(
      'log in',
      () => showLogin(host, visitor),
      ({ sessions }) => `${visitor.username} by password, ${sessions} open ${sessions === 1 ? 'session' : 'sessions'}`,
    );
    const stops = await takeTour({
      url: host.url,
      credentials,
      stage,
      dataFolder: config.dataFolder,
      startSecondHost: json ? null : () => startSecondHost(database.appUrl, config),
    });
    if (json) stream.write(`${JSON.stringify({ url: host.url, credentials, installations: stops })}\n`);
    else stage.say(farewell(host.url, credentials, file, people));
    return { host, credentials, people, stops, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Only what a demo makes: the folder may hold other things. A running demo's data is left alone. */
async function clearData(config: Config, log: Log): Promise<void> {
  const mine = [
    'postgres',
    'registry-key.pem',
    'audit-head.json',
    'transparency-head.json',
    'publisher-key.pem',
    'encryption-key',
    'password-pepper',
    CREDENTIALS_FILE,
    PASSWORDS_FILE,
  ];
  if (config.databaseUrl !== null) throw new RoleRefused('--fresh is for the embedded database; DATABASE_URL is set.');
  // Whoever holds the database is running; this refuses then.
  await (await openPlatformDatabase(config, log)).close();
  for (const name of mine) await rm(path.join(config.dataFolder, name), { recursive: true, force: true });
}

function farewell(url: string, credentials: Credentials, file: string, people: DemoPerson[]): string {
  const passwords = people.map(
    ({ username, password, role, organisation }) => `  ${username.padEnd(10)} ${password}  ${role} of ${organisation}`,
  );
  const tokens = Object.entries(credentials).map(([role, secret]) => `  ${role.padEnd(10)} ${secret}`);
  return `
Addresses
  API and docs   ${url}/docs
  OpenAPI        ${url}/openapi.json
  Health         ${url}/readyz   ${url}/metrics
  Mail           ${url}/dev/mailbox

People and their passwords
${passwords.join('\n')}

API tokens of the seeded people (also in ${nearPath(file)})
${tokens.join('\n')}

Paste this:
  curl -s ${url}/run/arcade-one/hello/greetings/Ada
  npm run gate -- login --url ${url} --token ${credentials.operator}
`;
}
