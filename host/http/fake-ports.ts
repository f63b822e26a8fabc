import { connect } from 'node:net';
import {
  DEFAULT_LIMITS,
  type DsseEnvelope,
  type Manifest,
  type WireResponse,
} from '../../plugins-sdk/contract/index.ts';
import { RECORDING_FORMAT, type Recording } from '../../plugins-sdk/contract/recording.ts';
import type {
  ApiToken,
  AuditRecord,
  Person,
  Principal,
  PublisherKey,
  Registry,
  Release,
  Role,
} from '../../registry/index.ts';
import { GOOD_CONDUCT } from '../conduct/contract.ts';
import type { Grants } from '../grants/contract.ts';
import type { Installation, Installations } from '../installations/contract.ts';
import type { DataPlane, RunRequest } from '../invocations/contract.ts';
import { createMetrics } from '../metrics.ts';
import type { Notification, Notifications } from '../notifications/contract.ts';
import type { PersonalExport, Privacy } from '../privacy/contract.ts';
import type { QueueMessage, Queues } from '../queues/contract.ts';
import type { RecordingEntry, Recordings } from '../recordings/contract.ts';
import { DEFAULT_RECORDING } from '../recordings/rules/settings.ts';
import { PINNED, type Rollout } from '../rollouts/contract.ts';
import type { SecretStatus, Secrets } from '../secrets/contract.ts';
import type { Tails } from '../tails/contract.ts';
import { type AppPart, createApp, type HttpPorts } from './app.ts';
import { createClientAddress } from './client-address.ts';
import { fakeFactors } from './fake-factors.ts';
import { fakeMarketplace } from './fake-marketplace.ts';
import { fakeOrganisations } from './fake-organisations.ts';
import { fakePeople } from './fake-people.ts';
import { fakeReviews } from './fake-reviews.ts';
import { fakeScans } from './fake-scans.ts';
import { fakeStagings } from './fake-stagings.ts';
import { fakeTransfers } from './fake-transfers.ts';
import { fakeTransparency } from './fake-transparency.ts';
import { fakeWebhooks } from './fake-webhooks.ts';
import type { Log } from './log.ts';
import { type HttpServer, type ServerOptions, startServer } from './server.ts';

/** Ports in memory for the tests of the HTTP side: they answer well-formed things, or refuse with what a test sets. */

export const ID = '0199b7a0-5a3e-7c6b-8f7e-2f5d1c9f0a11';
const AT = '2026-01-02T03:04:05.678Z';
const HEX = 'a'.repeat(64);
const page = <Item>(item: Item) => ({ items: [item], nextCursor: null });

const KIND_OF_ROLE = {
  user: 'operator',
  publisher: 'publisher',
  developer: 'publisher',
  'operator-owner': 'operator',
  'operator-manager': 'operator',
  'operator-viewer': 'operator',
  caller: 'operator',
  moderator: 'platform',
  admin: 'platform',
  'finance-specialist': 'platform',
  'finance-manager': 'platform',
  'finance-auditor': 'platform',
  analyst: 'platform',
} as const;

export const tokenOf = (role: Role): string => `token-of-${role}`;

/** An access token: of a person who belongs to one organisation in this role, or to none. */
export const sessionOf = (role: Role | 'person'): string => `session.of.${role}`;

/** Who has just confirmed a second factor. */
const person: Person = { account: { id: ID, username: 'ada' }, sessionId: ID, factorAtMs: Date.now() };

const principalOf = (role: Role): Principal => ({
  via: 'token',
  credentialId: ID,
  account: null,
  factorAtMs: null,
  label: `${role} of a test`,
  role,
  organisation: { id: ID, slug: 'acme', kind: KIND_OF_ROLE[role], name: 'Acme' },
});

export const envelope: DsseEnvelope = { payloadType: 'x', payload: 'e30=', signatures: [{ keyid: HEX, sig: 'AAAA' }] };

const manifest: Manifest = {
  name: 'hello',
  version: '1.0.0',
  kind: 'plugin',
  publisher: 'acme',
  title: 'Hello',
  description: 'Says hello.',
  category: 'software',
  entry: 'src/index.ts',
  engine: '^0.1.0',
};

const release: Release = {
  id: ID,
  plugin: 'acme/hello',
  version: '1.0.0',
  state: 'published',
  manifest,
  digest: HEX,
  bundleDigest: HEX,
  bundleBytes: 10,
  envelope,
  reasons: [],
  createdAt: AT,
  reviewedAt: null,
  yanked: null,
  deprecated: null,
  blocked: null,
  provenance: null,
  origin: null,
};

const token: ApiToken = {
  id: ID,
  organisation: 'acme',
  role: 'operator-owner',
  label: 'till',
  account: null,
  scopes: null,
  installationIds: null,
  plugin: null,
  addressRanges: null,
  createdAt: AT,
  expiresAt: null,
  lastUsedAt: null,
  revokedAt: null,
  successorId: null,
};
const key: PublisherKey = {
  keyId: HEX,
  label: 'laptop',
  publicKeyPem: 'PEM',
  createdAt: AT,
  revokedAt: null,
  retiresAt: null,
  successorId: null,
  compromisedSince: null,
};

const installation: Installation = {
  id: ID,
  slug: 'hello',
  operator: { id: ID, slug: 'acme' },
  plugin: 'acme/hello',
  version: '1.0.0',
  releaseId: ID,
  bundleDigest: HEX,
  grants: ['kv'],
  config: { greeting: 'Hello' },
  grantedLimits: {},
  enabled: true,
  installing: false,
  blocked: null,
  conduct: GOOD_CONDUCT,
  updates: PINNED,
  createdAt: AT,
  updatedAt: AT,
};

const recording: Recording = {
  format: RECORDING_FORMAT,
  id: ID,
  recordedAt: AT,
  why: 'failed',
  plugin: 'acme/hello',
  version: '1.0.0',
  bundleDigest: HEX,
  installation: { id: ID, slug: 'hello', operator: 'acme' },
  job: 'GET /',
  engine: { gatehouse: '0.1.0', node: '26.0.0', v8: '14.0', guest: HEX },
  invocation: { input: '{}', seed: HEX, startedAtMs: 0, limits: DEFAULT_LIMITS },
  calls: [],
  turns: [],
  logs: [],
  outcome: { status: 'completed', output: '{}' },
  usage: { cpuMs: 1, wallMs: 1, executions: 1 },
  redacted: null,
};

export interface Fake extends HttpPorts {
  /** What every port throws from now on; undefined: nothing. */
  failure: { thrown: unknown };
  /** Names of the port functions that were called, with their arguments. */
  calls: [name: string, ...args: unknown[]][];
  /** Log lines as they would be written. */
  lines: { level: string; facts: Record<string, unknown>; message: string }[];
  /** Answers the data plane. */
  run: (request: RunRequest) => Promise<WireResponse>;
  ok: boolean;
}

export const answered = (body: string | null, more: Partial<WireResponse> = {}): WireResponse => ({
  status: 200,
  headers: [],
  body,
  bodyEncoding: 'utf8',
  ...more,
});

export function fakePorts(): Fake {
  const failure: Fake['failure'] = { thrown: undefined };
  const calls: Fake['calls'] = [];
  const lines: Fake['lines'] = [];
  const port =
    <Args extends unknown[], Value>(name: string, value: Value | ((...args: Args) => Value)) =>
    async (...args: Args): Promise<Value> => {
      calls.push([name, ...args]);
      if (failure.thrown !== undefined) throw failure.thrown;
      return typeof value === 'function' ? (value as (...args: Args) => Value)(...args) : value;
    };
  const write = (level: string) => (facts: object, message: string) =>
    void lines.push({ level, facts: facts as Record<string, unknown>, message });
  const log: Log = { debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error') };
  const dataPlane: DataPlane = {
    run: async (request) => {
      if (failure.thrown !== undefined) throw failure.thrown;
      return { invocationId: ID, response: await fake.run(request) };
    },
  };
  const listing = {
    plugin: 'acme/hello',
    title: 'Hello',
    description: 'Says hello.',
    category: 'software',
    kind: 'plugin',
    latestVersion: '1.0.0',
    capabilities: [{ name: 'kv', reason: 'Keeps its greetings.' }],
    pricing: null,
  } as const;
  const auditRecord: AuditRecord = {
    sequence: 1,
    id: ID,
    at: AT,
    action: 'token.issue',
    outcome: 'done',
    organisationId: ID,
    actor: { via: 'token', credentialId: ID, role: 'admin' },
    subject: { kind: 'token', id: ID },
    before: null,
    after: { role: 'caller' },
    address: '127.0.0.1',
    requestId: ID,
    hash: HEX,
  };
  const registry = {
    listAudit: port('listAudit', page(auditRecord)),
    exportAudit: port('exportAudit', () =>
      (async function* () {
        yield auditRecord;
      })(),
    ),
    createOrganisation: port('createOrganisation', (command: Parameters<Registry['createOrganisation']>[0]) => command),
    findOrganisation: port('findOrganisation', (slug: string) =>
      slug === 'nobody' ? null : principalOf('operator-owner').organisation,
    ),
    issueToken: port('issueToken', { token, secret: 'shown-once' }),
    listTokens: port('listTokens', [token]),
    revokeToken: port('revokeToken', token),
    rotateToken: port('rotateToken', { token, secret: 'shown-once' }),
    adoptToken: port('adoptToken', token),
    registerKey: port('registerKey', key),
    listKeys: port('listKeys', [key]),
    publishRelease: port('publishRelease', release),
    listReleases: port('listReleases', page(release)),
    resolveRelease: port('resolveRelease', { release, range: null }),
    approveRelease: port('approveRelease', release),
    rejectRelease: port('rejectRelease', release),
    listPlugins: port('listPlugins', page({ ...listing, capabilities: [...listing.capabilities] })),
  };
  const tags = [{ tag: 'beta', version: '1.0.0', updatedAt: AT }];
  const releaseLife = {
    yank: port('releaseLife.yank', release),
    deprecate: port('releaseLife.deprecate', release),
    setListed: port('releaseLife.setListed', undefined),
    listTags: port('releaseLife.listTags', tags),
    setTag: port('releaseLife.setTag', tags),
    removeTag: port('releaseLife.removeTag', tags),
  };
  const upload = { id: ID, bytes: 10, sha256: HEX, plugin: null, received: 5, expiresAt: AT };
  const uploads = {
    begin: port('uploads.begin', upload),
    find: port('uploads.find', upload),
    addPart: port('uploads.addPart', upload),
    publish: port('uploads.publish', release),
  };
  const keyLife = {
    rotate: port('keyLife.rotate', { key, successor: key }),
    revoke: port('keyLife.revoke', { key, blockedReleaseIds: [ID] }),
  };
  const releases = {
    reach: port('releases.reach', {
      release: { id: ID, plugin: 'acme/hello', version: '1.0.0', state: 'published' },
      installations: 1,
      invocationsPerDay: 10,
      operators: [{ slug: 'arcade', installations: 1, enabled: 1, following: 0 }],
      operatorCount: 1,
      suggestedReplacement: null,
      digest: HEX,
    }),
    yank: port('releases.yank', release),
  };
  const grant = {
    capability: 'kv',
    purpose: 'Store and read its own data for this installation.',
    reason: 'Keeps its greetings.',
    optional: false,
    granted: true,
    grantedAt: AT,
    usedAt: null,
    unused: false,
  };
  const personalExport: PersonalExport = { id: ID, state: 'waiting', createdAt: AT, expiresAt: AT };
  const privacy: Privacy = {
    requestExport: port('requestExport', personalExport),
    listExports: port('listExports', [personalExport]),
    readExport: port('readExport', '{}'),
    erase: port('erase', undefined),
  };
  const grants: Grants = {
    list: port('listGrants', { items: [grant] }),
    grant: port('grant', { items: [grant] }),
    revoke: port('revoke', { items: [{ ...grant, granted: false, grantedAt: null }] }),
  };
  const installations: Installations = {
    install: port('install', installation),
    list: port('list', page(installation)),
    find: port('find', installation),
    update: port('update', installation),
    resume: port('resume', installation),
    uninstall: port('uninstall', undefined),
    restore: port('restore', installation),
    preview: port('preview', {
      fromVersion: '1.0.0',
      toVersion: '1.1.0',
      changes: [
        { part: 'capabilities', change: 'added', name: 'kv', from: null, to: 'required: Stores.', needsConsent: true },
      ],
      needsConsent: true,
      digest: HEX,
      releaseId: ID,
      consented: false,
      grantsMissing: ['kv'],
      obstacles: [],
      weaknesses: [],
    }),
    acceptSigning: port('acceptSigning', installation),
    planRequirements: port('planRequirements', { plugin: 'acme/hello', version: '1.0.0', steps: [] }),
    promote: port('promote', installation),
    rollBack: port('rollBack', installation),
    rollouts: port(
      'rollouts',
      page({
        id: ID,
        fromVersion: '1.0.0',
        toVersion: '1.1.0',
        state: 'done',
        cause: 'operator',
        percent: 100,
        promoteAfterSeconds: null,
        startedAt: AT,
        endedAt: AT,
        reason: '',
        facts: {},
      } as Rollout),
    ),
    outdated: port(
      'outdated',
      page({
        installation: { id: ID, slug: 'hello', plugin: 'acme/hello' },
        version: '1.0.0',
        releaseState: 'published',
        deprecated: null,
        updates: PINNED,
        inRange: null,
        latest: '1.1.0',
        held: null,
      }),
    ),
    logs: port(
      'logs',
      page({ id: ID, at: AT, invocationId: ID, source: 'log', level: 'info', message: 'hi', facts: null }) as never,
    ),
    health: port('health', { status: 'ok' } as const),
    deliverHook: port('deliverHook', { invocationId: ID, result: null }),
  };
  const notification: Notification = {
    id: ID,
    at: AT,
    kind: 'installation-suspended',
    subject: 'acme/hello@1.0.0 at acme/hello is suspended',
    body: 'It broke its sandbox process.',
    facts: {},
    readAt: null,
  };
  const entry: RecordingEntry = {
    id: ID,
    installationId: ID,
    releaseId: ID,
    plugin: 'acme/hello',
    version: '1.0.0',
    bundleDigest: HEX,
    at: AT,
    why: 'failed',
    job: 'GET /',
    outcome: 'plugin-threw',
    redacted: false,
    bytes: 10,
  };
  const recordings: Recordings = {
    list: port('recordings', page(entry)),
    find: port('findRecording', entry),
    read: port('readRecording', recording),
    bundle: port('readBundle', { code: '', sourceMap: null }),
    remove: port('removeRecording', undefined),
    settings: port('recordingSettings', DEFAULT_RECORDING),
    configure: port('configureRecording', DEFAULT_RECORDING),
  };
  const message: QueueMessage = {
    id: ID,
    queue: 'mails',
    state: 'dead',
    attempts: 5,
    attemptsMax: 5,
    dueAt: AT,
    createdAt: AT,
    error: 'plugin-threw',
    payload: { to: 'a' },
  };
  const queues: Queues = {
    list: port('messages', page(message)),
    retry: port('retryMessage', message),
    remove: port('removeMessage', undefined),
  };
  const secret: SecretStatus = {
    name: 'API_KEY',
    reason: 'Signs requests.',
    optional: false,
    send: { hosts: ['api.example.com'], header: 'authorization' },
    isSet: true,
    updatedAt: AT,
  };
  const secrets: Secrets = {
    list: port('secrets', [secret]),
    set: port('setSecret', secret),
    remove: port('removeSecret', undefined),
  };
  const notifications: Notifications = {
    list: port('notifications', page(notification)),
    markRead: port('markRead', { ...notification, readAt: AT }),
  };
  const tails: Tails = {
    open: port('tail', {
      async *[Symbol.asyncIterator]() {
        yield { type: 'beat' as const };
      },
    }),
    close: () => {},
  };
  const fake: Fake = {
    failure,
    calls,
    lines,
    ok: true,
    run: async () => answered('hello'),
    ...fakePeople(port, calls, failure),
    ...fakeFactors(port),
    ...fakeTransparency(port),
    ...fakeReviews(port, release),
    ...fakeWebhooks(port),
    ...fakeStagings(port),
    ...fakeMarketplace(port),
    ...fakeScans(port),
    ...fakeMarketplace(port),
    ...fakeOrganisations(port, { id: ID, at: AT }),
    registry,
    releaseLife,
    keyLife,
    uploads,
    ...fakeTransfers(port, release),
    releases,
    installations,
    grants,
    privacy,
    recordings,
    secrets,
    queues,
    notifications,
    tails,
    dataPlane,
    findPrincipal: async (secret) => {
      if (!secret.startsWith('token-of-')) return null;
      return principalOf(secret.slice('token-of-'.length) as Role);
    },
    findSession: async (accessToken) => {
      if (!accessToken.startsWith('session.of.')) return null;
      const role = accessToken.slice('session.of.'.length) as Role | 'person';
      if (role === 'person') return { person, memberships: [] };
      const { organisation } = principalOf(role);
      return { person, memberships: [{ organisation, role }] };
    },
    ready: async () => ({ ready: fake.ok, checks: { database: { ok: fake.ok } } }),
    metrics: createMetrics(),
    metricsPublic: false,
    version: '0.0.0-test',
    log,
    publicOrigin: () => 'https://gate.example',
    nowMs: Date.now,
    clientAddress: createClientAddress([]),
  };
  return fake;
}

export interface Served {
  fake: Fake;
  origin: string;
  port: number;
  http: HttpServer;
  /** fetch with the token of a role, or with the session of a person without an organisation. */
  as(role: Role | 'person', path: string, init?: RequestInit): Promise<Response>;
}

/** Serves the app over fakes on a free loopback port. */
export async function serveFakes(
  settings: Partial<ServerOptions> = {},
  ports: Partial<Fake> = {},
  part?: AppPart,
): Promise<Served> {
  const fake = Object.assign(fakePorts(), ports);
  const http = await startServer(createApp(fake, part), { hostName: '127.0.0.1', port: 0, log: fake.log, ...settings });
  const { url: origin, port } = http;
  const as: Served['as'] = (role, path, init = {}) =>
    fetch(origin + path, {
      ...init,
      headers: {
        authorization: `Bearer ${role === 'person' ? sessionOf(role) : tokenOf(role)}`,
        ...init.headers,
      },
    });
  return { fake, origin, port, http, as };
}

/** Sends bytes as they are, and resolves with everything that came back once the server closed or was silent for a while. */
export function sendRaw(port: number, text: string, silentMs = 300): Promise<string> {
  return new Promise((resolve) => {
    const received: Buffer[] = [];
    const socket = connect(port, '127.0.0.1', () => socket.write(text, 'latin1'));
    const end = () => {
      clearTimeout(silence);
      socket.destroy();
      resolve(Buffer.concat(received).toString('latin1'));
    };
    let silence = setTimeout(end, 10_000);
    socket.on('data', (chunk: Buffer) => {
      received.push(chunk);
      clearTimeout(silence);
      silence = setTimeout(end, silentMs);
    });
    socket.on('close', end);
    socket.on('error', end);
  });
}
