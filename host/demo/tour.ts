import path from 'node:path';
import { type ApiClient, createApiClient } from '../../plugins-sdk/cli/api-client.ts';
import { type CallAnswer, callPlugin } from '../../plugins-sdk/cli/commands/call.ts';
import { createKeyFile, loadKeyFile, registerKey } from '../../plugins-sdk/cli/commands/keygen.ts';
import type { PackedPlugin } from '../../plugins-sdk/cli/commands/pack.ts';
import { keyIdOf } from '../../plugins-sdk/contract/index.ts';
import type { Release } from '../../registry/index.ts';
import type { Installation } from '../installations/contract.ts';
import { RoleRefused } from '../roles/role.ts';
import { installStep } from './install-step.ts';
import { type Credentials, OPERATOR_SLUG } from './people.ts';
import {
  approveStep,
  decidedRelease,
  type PublishPorts,
  packStep,
  proofStep,
  publishStep,
  short,
} from './publish-steps.ts';
import type { SecondHost } from './second-host.ts';
import { showRejection } from './show-rejection.ts';
import { showTakedown } from './show-takedown.ts';
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
  /** Another process over the same database; null leaves out the chapters that are there to be looked at. */
  startSecondHost: (() => Promise<SecondHost>) | null;
}

interface Clients {
  publisher: ApiClient;
  moderator: ApiClient;
  operator: ApiClient;
  caller: ApiClient;
}

const EXAMPLES_FOLDER = path.join(import.meta.dirname, '..', '..', 'examples');

/**
 * The main job, three times: pack, sign, publish, scan, review, prove, install, invoke; then a release that is not approved, and one that
 * is taken down. What exists already is shown and kept.
 */
export async function takeTour({
  url,
  credentials,
  stage,
  dataFolder,
  startSecondHost,
}: TourPorts): Promise<TourStop[]> {
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
  const ports = { publisher: clients.publisher, moderator: clients.moderator, signingKey, stage };
  const stops: TourStop[] = [];
  for (const { example, slug, config, visit } of STOPS) {
    stage.chapter(`examples/${example}`);
    const packed = await packStep(path.join(EXAMPLES_FOLDER, example), stage);
    const release = await releaseOf(clients, packed, ports);
    const installation = await installStep(clients.operator, release, { slug, config }, stage);
    await invoke(clients, installation, visit, stage);
    stops.push({
      plugin: release.plugin,
      version: release.version,
      installationId: installation.id,
      path: `/run/${OPERATOR_SLUG}/${slug}`,
    });
  }
  if (startSecondHost === null) return stops;
  await showRejection(ports);
  await showTakedown(ports, { ...clients, url, tokens: credentials, startSecondHost });
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

/** Publishes and approves, or finds what was published before; either way its proof is verified. */
async function releaseOf(clients: Clients, packed: PackedPlugin, ports: PublishPorts): Promise<Release> {
  const known = await decidedRelease(clients.publisher, packed);
  if (known?.state === 'published') {
    const same = known.digest === packed.digest;
    const advice = same ? '' : '; the source has changed since: raise its version, or start with --fresh';
    await ports.stage.step(
      'publish',
      async () => known,
      () => `is published already${advice}`,
    );
    if (same) await proofStep(clients.operator, packed, ports.stage);
    return known;
  }
  const { release } = await publishStep(ports, packed);
  const approved = await approveStep(ports, release);
  await proofStep(clients.operator, packed, ports.stage);
  return approved;
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

/** Ids in a path tell nobody anything. */
const pathOf = (at: string): string => at.replace(/[0-9a-f]{8}-[0-9a-f-]{27}/, (id) => `${id.slice(0, 4)}…`);
const clip = (text: string): string => (text.length > 58 ? `${text.slice(0, 57)}…` : text);
