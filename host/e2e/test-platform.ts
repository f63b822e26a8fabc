import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { v7 as uuidv7 } from 'uuid';
import { type TestDatabase, testDatabase } from '../../migrations/test-database.ts';
import { type ApiClient, createApiClient } from '../../plugins-sdk/cli/api-client.ts';
import { registerKey } from '../../plugins-sdk/cli/commands/keygen.ts';
import { publishPlugin } from '../../plugins-sdk/cli/commands/publish.ts';
import type { CapabilityName, Json, Manifest } from '../../plugins-sdk/contract/index.ts';
import type { Release } from '../../registry/index.ts';
import { type Host, type HostPorts, startHost } from '../compose.ts';
import { readConfig } from '../config.ts';
import { type Credentials, OPERATOR_SLUG, seedPeople } from '../demo/people.ts';
import type { Installation } from '../installations/contract.ts';
import { createLog } from '../log.ts';

/** Source files of a plugin, and what its manifest says beyond the defaults below. */
export interface TestPlugin {
  source: string;
  manifest?: Partial<Manifest>;
}

/** A whole Gatehouse for end-to-end tests: real PostgreSQL, real cordons, real HTTP on a free port. */
export interface TestPlatform {
  host: Host;
  database: TestDatabase;
  credentials: Credentials;
  /** Clients of the seeded people. */
  as: { publisher: ApiClient; moderator: ApiClient; operator: ApiClient; caller: ApiClient; admin: ApiClient };
  signingKey: KeyObject;
  /** Where the host keeps its keys. */
  folder: string;
  /** Writes a plugin's folder; returns its path. */
  writePlugin(plugin: TestPlugin): Promise<string>;
  publish(folder: string): Promise<Release>;
  /** Publishes, approves and installs a plugin; `slug` is that of the installation. */
  install(
    plugin: TestPlugin,
    options?: { slug?: string; grants?: CapabilityName[]; config?: Json },
  ): Promise<Installation>;
  /** Calls a route of an installation on the data plane. */
  call(
    installation: Pick<Installation, 'slug'>,
    target: string,
    init?: RequestInit & { token?: string | null },
  ): Promise<Response>;
  /** Another host over the same database, as of a second machine; closed with the platform. */
  startAnotherHost(): Promise<Host>;
  close(): Promise<void>;
}

/** Settings by name of the environment variable. */
export async function startTestPlatform(
  settings: Record<string, string> = {},
  ports: Pick<HostPorts, 'resolveHost' | 'people' | 'scan'> = {},
): Promise<TestPlatform> {
  const folder = await mkdtemp(path.join(tmpdir(), 'gatehouse-e2e-'));
  const database = await testDatabase();
  const flags = {
    GATEHOUSE_PORT: '0',
    GATEHOUSE_DATA: folder,
    GATEHOUSE_LOG_LEVEL: 'silent',
    // Tests share the host's thread and a busy machine: that something takes long is no finding.
    GATEHOUSE_SHED_DELAY_MS: '0',
    ...settings,
  };
  const config = readConfig({ flags }, {});
  const start = () =>
    startHost({
      config,
      appUrl: database.appUrl,
      log: createLog(config.logLevel),
      // bcrypt at its real cost is for the one test that says so.
      people: { bcryptCost: 4 },
      // A scan takes a second; the one test that is about it turns it on.
      scan: false,
      ...ports,
    });
  const host = await start();
  const others: Host[] = [];
  const credentials = await seedPeople(host.registry, path.join(folder, 'credentials.json'));
  const client = (token: string) => createApiClient({ url: host.url, token });
  const as = {
    publisher: client(credentials.publisher),
    moderator: client(credentials.moderator),
    operator: client(credentials.operator),
    caller: client(credentials.caller),
    admin: client(credentials.admin),
  };
  const signingKey = generateKeyPairSync('ed25519').privateKey;
  await registerKey(as.publisher)(signingKey, 'test');

  let plugins = 0;
  const writePlugin = async ({ source, manifest }: TestPlugin) => {
    plugins += 1;
    const place = path.join(folder, `plugin-${plugins}`);
    await mkdir(path.join(place, 'src'), { recursive: true });
    const limits = { ...PATIENT, ...manifest?.limits };
    const whole = { ...MANIFEST, name: `plugin-${plugins}`, ...manifest, limits };
    await writeFile(path.join(place, 'gatehouse.json'), JSON.stringify(whole));
    await writeFile(path.join(place, 'src', 'index.ts'), source);
    return place;
  };
  const publish = async (place: string) =>
    (await publishPlugin(as.publisher)({ folder: place, privateKey: signingKey })).release;

  return {
    host,
    database,
    credentials,
    as,
    signingKey,
    folder,
    writePlugin,
    publish,
    install: async (plugin, { slug, grants, config: configuration } = {}) => {
      const release = await publish(await writePlugin(plugin));
      await as.moderator.approveRelease(release.id);
      const declared = (release.manifest.capabilities ?? []).map(({ name }) => name);
      return as.operator.install({
        id: uuidv7(),
        plugin: release.plugin,
        version: release.version,
        slug: slug ?? release.manifest.name,
        grants: grants ?? declared,
        ...(configuration !== undefined && { config: configuration }),
      });
    },
    call: ({ slug }, target, { token = credentials.caller, ...init } = {}) =>
      fetch(`${host.url}/run/${OPERATOR_SLUG}/${slug}${target}`, {
        ...init,
        headers: { ...(token && { authorization: `Bearer ${token}` }), ...init.headers },
      }),
    startAnotherHost: async () => {
      const another = await start();
      others.push(another);
      return another;
    },
    close: async () => {
      for (const each of [...others, host]) await each.close();
      await database.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** A slow machine takes its time to compute what is nothing elsewhere: who tests a limit sets it. */
const PATIENT = { cpuMs: 1_000, startupCpuMs: 1_000, cpuMsPerSecond: 4_000, cpuBurstMs: 60_000, wallMs: 60_000 };

const MANIFEST = {
  version: '1.0.0',
  kind: 'plugin',
  publisher: 'acme-labs',
  title: 'Test plugin',
  description: 'Exists for one test.',
  category: 'utilities',
  entry: 'src/index.ts',
  engine: '^0.1.0',
};

/** A manifest's routes from `GET /x` and the like, all for callers. */
export const callerRoutes = (...keys: string[]): Pick<Manifest, 'routes'> => ({
  routes: keys.map((key) => {
    const [method, place] = key.split(' ') as [NonNullable<Manifest['routes']>[number]['method'], string];
    return { method, path: place, access: 'caller' };
  }),
});

export const KV = { name: 'kv', reason: 'Keeps what the test checks.' } as const;

/** The code of a problem. */
export async function codeOf(answer: Response): Promise<string> {
  const { type } = (await answer.json()) as { type: string };
  return type.replace('/problems/', '');
}
