import path from 'node:path';
import { v7 as uuidv7 } from 'uuid';
import { type ApiClient, createApiClient, readPages } from '../../plugins-sdk/cli/api-client.ts';
import { type CallAnswer, callPlugin } from '../../plugins-sdk/cli/commands/call.ts';
import { installPlugin } from '../../plugins-sdk/cli/commands/install.ts';
import { createKeyFile, loadKeyFile, registerKey } from '../../plugins-sdk/cli/commands/keygen.ts';
import { type PackedPlugin, packPlugin } from '../../plugins-sdk/cli/commands/pack.ts';
import { signPlugin } from '../../plugins-sdk/cli/commands/publish.ts';
import type { CapabilityName, Json } from '../../plugins-sdk/contract/index.ts';
import { keyIdOf } from '../../plugins-sdk/contract/index.ts';
import type { Release } from '../../registry/index.ts';
import type { Installation } from '../installations/contract.ts';
import { RoleRefused } from '../roles/role.ts';
import { type Credentials, OPERATOR_SLUG } from './people.ts';
import type { Stage } from './stage.ts';
import { type JsonObject, STOPS, type Visit } from './stops.ts';

export interface TourStop {
  plugin: string;
  version: string;
  installationId: string;
  /** Below the host's origin, such as `/run/arcade-one/hello`. */
  path: string;
}

export interface TourPorts {
  url: string;
  credentials: Credentials;
  stage: Stage;
  dataFolder: string;
}

interface Clients {
  publisher: ApiClient;
  moderator: ApiClient;
  operator: ApiClient;
  caller: ApiClient;
}

const EXAMPLES_FOLDER = path.join(import.meta.dirname, '..', '..', 'examples');

/** The main job, three times: pack, sign, publish, approve, install, invoke; what exists already is shown and kept. */
export async function takeTour({ url, credentials, stage, dataFolder }: TourPorts): Promise<TourStop[]> {
  const client = (token: string) => createApiClient({ url, token });
  const clients: Clients = {
    publisher: client(credentials.publisher),
    moderator: client(credentials.moderator),
    operator: client(credentials.operator),
    caller: client(credentials.caller),
  };
  const signingKey = await stage.step(
    'signing key',
    () => publisherKey(clients.publisher, path.join(dataFolder, 'publisher-key.pem')),
    (key) => `Ed25519 ${short(keyIdOf(key))}, registered for acme-labs`,
  );
  const stops: TourStop[] = [];
  for (const { example, slug, config, visit } of STOPS) {
    stage.chapter(`examples/${example}`);
    const packed = await stage.step(
      'pack',
      () => packPlugin(path.join(EXAMPLES_FOLDER, example)),
      ({ plugin, version, archive, digest }) =>
        `${plugin}@${version}, ${kilobytes(archive.length)}, sha256 ${short(digest)}`,
    );
    const release = await releaseOf(clients, packed, signingKey, stage);
    const installation = await installationOf(clients.operator, release, { slug, config }, stage);
    await invoke(clients, installation, visit, stage);
    stops.push({
      plugin: release.plugin,
      version: release.version,
      installationId: installation.id,
      path: `/run/${OPERATOR_SLUG}/${slug}`,
    });
  }
  return stops;
}

async function publisherKey(publisher: ApiClient, file: string) {
  const key = await loadKeyFile(file).catch(async () => {
    await createKeyFile(file);
    return loadKeyFile(file);
  });
  await registerKey(publisher)(key, 'demo');
  return key;
}

/** Publishes and approves, or finds what was published before. */
async function releaseOf(
  { publisher, moderator }: Clients,
  packed: PackedPlugin,
  signingKey: Awaited<ReturnType<typeof publisherKey>>,
  stage: Stage,
): Promise<Release> {
  const { items } = await publisher.listReleases({ plugin: packed.plugin });
  const known = items.find(({ version }) => version === packed.version);
  if (known?.state === 'published') {
    const same = known.digest === packed.digest;
    const advice = same ? '' : '; the source has changed since: raise its version, or start with --fresh';
    return stage.step(
      'publish',
      async () => known,
      () => `is published already${advice}`,
    );
  }
  const envelope = await stage.step(
    'sign',
    async () => signPlugin(packed, signingKey),
    ({ signatures }) => `DSSE envelope by key ${short(signatures[0]!.keyid)}`,
  );
  const release = await stage.step(
    'publish',
    () => publisher.publishRelease(packed.archive, envelope),
    ({ state, id }) => `${state}, release ${id}`,
  );
  return stage.step(
    'approve',
    () => moderator.approveRelease(release.id),
    (approved) => `${approved.state}, countersigned by ${short(approved.envelope.signatures.at(-1)!.keyid)}`,
  );
}

async function installationOf(
  operator: ApiClient,
  release: Release,
  { slug, config }: { slug: string; config: Json },
  stage: Stage,
): Promise<Installation> {
  const known = (await readPages(operator.listInstallations)).find((installation) => installation.slug === slug);
  if (known)
    return stage.step(
      'install',
      async () => known,
      () => `is installed already as ${OPERATOR_SLUG}/${slug}`,
    );
  const grants = (release.manifest.capabilities ?? []).map(({ name }) => name) as CapabilityName[];
  return stage.step(
    'install',
    () =>
      installPlugin(operator)({ id: uuidv7(), plugin: `${release.plugin}@${release.version}`, slug, grants, config }),
    () => `${OPERATOR_SLUG}/${slug}, granted ${grants.join(', ') || 'nothing'}`,
  );
}

async function invoke(clients: Clients, { id, slug }: Installation, visit: Visit, stage: Stage): Promise<void> {
  const target = `${OPERATOR_SLUG}/${slug}`;
  await visit({
    call: async (who, method, at, { body, headers, see = (answer: JsonObject) => answer } = {}) => {
      const json = body === undefined ? {} : { body: JSON.stringify(body) };
      const sent = { ...(body !== undefined && { 'content-type': 'application/json' }), ...headers };
      const show = ({ status, body: answered }: CallAnswer) => {
        const text = answered.toString();
        return `${method} ${pathOf(at)} → ${status} ${clip(status < 400 ? JSON.stringify(see(JSON.parse(text))) : text)}`;
      };
      const { body: answered } = await stage.step(
        'invoke',
        async () => {
          const answer = await callPlugin(clients[who])({ target, method, path: at, headers: sent, ...json });
          if (answer.status >= 400) throw new RoleRefused(`${target}: ${show(answer)}`);
          return answer;
        },
        show,
      );
      return JSON.parse(answered.toString());
    },
    deliver: (hook, eventId, payload, see = (answer: JsonObject) => answer) =>
      stage.step(
        'invoke',
        async () => (await clients.caller.deliverHook(id, hook, { eventId, payload })).result,
        (result) => `${hook} ${eventId} → ${clip(JSON.stringify(see(result as JsonObject)))}`,
      ),
  });
}

const short = (hex: string): string => `${hex.slice(0, 12)}…`;
const kilobytes = (bytes: number): string => `${(bytes / 1024).toFixed(1)} KiB`;
/** Ids in a path tell nobody anything. */
const pathOf = (at: string): string => at.replace(/[0-9a-f]{8}-[0-9a-f-]{27}/, (id) => `${id.slice(0, 4)}…`);
const clip = (text: string): string => (text.length > 58 ? `${text.slice(0, 57)}…` : text);
