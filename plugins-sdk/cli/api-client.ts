import type { Grant } from '../../host/grants/contract.ts';
import type {
  Installation,
  InstallationLogEntry,
  InstallRequest,
  Outdated,
  RequirementPlan,
  RollbackRequest,
  UpdatePreview,
  UpdateRequest,
} from '../../host/installations/contract.ts';
import type { Notification } from '../../host/notifications/contract.ts';
import type { MessageState, QueueMessage } from '../../host/queues/contract.ts';
import type { RecordingEntry } from '../../host/recordings/contract.ts';
import type { RecordingSettings } from '../../host/recordings/rules/settings.ts';
import type { Reach } from '../../host/releases/contract.ts';
import type { Rollout } from '../../host/rollouts/contract.ts';
import type { ReleaseDiff } from '../../host/rollouts/rules/compare-releases.ts';
import type { Staging, StagingDecision, StagingPlan } from '../../host/rollouts/stagings/contract.ts';
import type { SecretStatus } from '../../host/secrets/contract.ts';
import type { PluginStatistics, PublisherStatistics, StatisticsRange } from '../../host/statistics/contract.ts';
import type { TailFilter } from '../../host/tails/contract.ts';
import type {
  ApiToken,
  AuditFilter,
  AuditRecord,
  CatalogueFilter,
  CataloguePage,
  DecisionWish,
  DistTag,
  ListingDetails,
  MemberRole,
  Organisation,
  OrganisationKind,
  Page,
  PageRequest,
  PluginListing,
  Principal,
  PublisherKey,
  QueuedReview,
  Ranking,
  Rating,
  RatingReport,
  ReasonWish,
  Release,
  ReleaseState,
  Review,
  ReviewFigures,
  ReviewRound,
  Role,
  Scan,
  TokenNarrowing,
  TrustedPublisher,
  Upload,
} from '../../registry/index.ts';
import type { CapabilityName, DsseEnvelope, HealthReport, Json, ListingLocale } from '../contract/index.ts';
import type { Recording } from '../contract/recording.ts';
import { proofCalls } from './api-proofs.ts';
import { createTransport, readAnswer, type Transport, type TransportOptions } from './api-transport.ts';
import { followEvents } from './event-stream.ts';
import { webhookClient } from './webhook-client.ts';

/** Whose token is in use. */
export type TokenOwner = Pick<Principal, 'credentialId' | 'label' | 'role' | 'organisation'> & {
  /** ISO 8601; null: never. */
  expiresAt: string | null;
  permissions: string[];
  account: { id: string; username: string } | null;
};

/** A person in an organisation. */
export interface Member {
  accountId: string;
  username: string;
  role: MemberRole;
  since: string;
}

/** What a person approves in a browser, and how often to ask whether they have. */
export interface DeviceCode {
  deviceCode: string;
  userCode: string;
  verificationUri: string;
  verificationUriComplete: string;
  expiresInSeconds: number;
  intervalSeconds: number;
}

/**
 * The control plane of one host as functions. Every one throws ServerRefusal with the host's code, or CliError with
 * host-unreachable, host-timeout, host-answer-invalid. Calls that may be repeated safely are, a few times.
 */
export type ApiClient = ReturnType<typeof createApiClient>;

export function createApiClient(options: TransportOptions) {
  const { url } = options;
  const transport = createTransport(options);
  const get = <Value>(path: string, query: object = {}) =>
    transport({ method: 'GET', path: path + queryText(query), idempotent: true }).then((answer) =>
      readAnswer<Value>(answer, url),
    );
  const send = <Value>(method: string, path: string, value: unknown, { idempotent = true } = {}) =>
    transport({
      method,
      path,
      ...(value === undefined ? {} : { body: JSON.stringify(value), headers: { 'content-type': 'application/json' } }),
      idempotent,
    }).then((answer) => readAnswer<Value>(answer, url));
  const at = encodeURIComponent;
  const ratingsAt = (plugin: string) => `/v1/catalogue/${plugin.split('/').map(at).join('/')}/ratings`;
  /** For what would go a step further the second time. */
  const once = { idempotent: false };

  return {
    url,
    whoami: () => get<TokenOwner>('/v1/whoami'),

    createOrganisation: (organisation: { id: string; slug: string; kind: OrganisationKind; name: string }) =>
      send<Organisation>('POST', '/v1/organisations', organisation),
    issueToken: (token: { organisation: string; role: Role; label: string; expiresAt?: string } & TokenNarrowing) =>
      send<{ token: ApiToken; secret: string }>('POST', '/v1/tokens', token, { idempotent: false }),
    listTokens: () => get<Page<ApiToken>>('/v1/tokens'),
    revokeToken: (id: string) => send<ApiToken>('DELETE', `/v1/tokens/${at(id)}`, undefined),
    rotateToken: (id: string, overlapSeconds: number) =>
      send<{ token: ApiToken; secret: string }>('POST', `/v1/tokens/${at(id)}/rotation`, { overlapSeconds }, once),

    listMembers: () => get<Page<Member>>('/v1/members'),
    changeMember: (id: string, role: MemberRole) => send<Member>('PATCH', `/v1/members/${at(id)}`, { role }),
    removeMember: (id: string) => send<void>('DELETE', `/v1/members/${at(id)}`, undefined, once),
    invite: (wish: { role: MemberRole; address?: string; asLink?: boolean }) =>
      send<{ invitation: { addressHint: string | null; expiresAt: string }; secret: string | null }>(
        'POST',
        '/v1/invitations',
        wish,
        once,
      ),

    beginDevice: (label: string) => send<DeviceCode>('POST', '/v1/device-codes', { label }, once),
    claimDevice: (deviceCode: string) =>
      send<{ token: ApiToken; secret: string }>('POST', '/v1/device-codes/claim', { deviceCode }, once),

    registerKey: (key: { publicKeyPem: string; label: string }) => send<PublisherKey>('POST', '/v1/keys', key),
    listKeys: () => get<Page<PublisherKey>>('/v1/keys'),
    rotateKey: (keyId: string, successor: { publicKeyPem: string; label: string; overlapSeconds: number }) =>
      send<{ key: PublisherKey; successor: PublisherKey }>('POST', `/v1/keys/${at(keyId)}/rotation`, successor),
    revokeKey: (keyId: string, command: { compromisedSince?: string }) =>
      send<{ key: PublisherKey; blockedReleaseIds: string[] }>('POST', `/v1/keys/${at(keyId)}/revocation`, command),

    /** The same bytes again are the same release, so this is repeated safely. */
    publishRelease: (archive: Uint8Array, envelope: DsseEnvelope) =>
      send<Release>('POST', '/v1/releases', { archive: Buffer.from(archive).toString('base64'), envelope }),
    beginUpload: (upload: { id: string; bytes: number; sha256: string; plugin?: string }) =>
      send<Upload>('POST', '/v1/uploads', upload),
    addPart: (id: string, start: number, content: Uint8Array) =>
      send<Upload>('POST', `/v1/uploads/${at(id)}/parts`, { start, content: Buffer.from(content).toString('base64') }),
    publishUpload: (id: string, envelope: DsseEnvelope) =>
      send<Release>('POST', `/v1/uploads/${at(id)}/release`, { envelope }),
    listReleases: (filter: PageRequest & { plugin?: string; state?: ReleaseState } = {}) =>
      get<Page<Release>>('/v1/releases', filter),
    findRelease: (plugin: string, version: string) => get<Release>(`/v1/releases/${pathOf(plugin)}/${at(version)}`),
    findScan: (id: string) => get<Scan>(`/v1/releases/${at(id)}/scan`),
    acknowledgeScan: (id: string, reason: string) =>
      send<Scan>('POST', `/v1/releases/${at(id)}/scan/acknowledgement`, { reason }),
    reach: (id: string) => get<Reach>(`/v1/releases/${at(id)}/reach`),
    yank: (id: string, command: { reason: string; replacement?: string; reach: string }) =>
      send<Release>('POST', `/v1/releases/${at(id)}/yank`, command),
    deprecate: (id: string, notice: { reason: string; replacement?: string } | null) =>
      send<Release>(notice ? 'PUT' : 'DELETE', `/v1/releases/${at(id)}/deprecation`, notice ?? undefined),
    setListed: (plugin: string, listed: boolean) =>
      send<{ listed: boolean }>('PUT', `/v1/plugins/${pathOf(plugin)}/listing`, { listed }),
    listStagings: (plugin: string) => get<Page<Staging>>(`/v1/plugins/${pathOf(plugin)}/stagings`),
    planStaging: (plugin: string, version: string, plan: StagingPlan) =>
      send<Staging>('PUT', `/v1/plugins/${pathOf(plugin)}/stagings/${at(version)}`, plan),
    decideStaging: (plugin: string, version: string, command: { decision: StagingDecision; reason: string }) =>
      send<Staging>('POST', `/v1/plugins/${pathOf(plugin)}/stagings/${at(version)}/decision`, command),
    listTags: (plugin: string) => get<Page<DistTag>>(`/v1/plugins/${pathOf(plugin)}/dist-tags`),
    setTag: (plugin: string, tag: string, version: string) =>
      send<Page<DistTag>>('PUT', `/v1/plugins/${pathOf(plugin)}/dist-tags/${at(tag)}`, { version }),
    removeTag: (plugin: string, tag: string) =>
      send<Page<DistTag>>('DELETE', `/v1/plugins/${pathOf(plugin)}/dist-tags/${at(tag)}`, undefined),
    approveRelease: (id: string) => send<Release>('POST', `/v1/releases/${at(id)}/approval`, undefined),
    rejectRelease: (id: string, reasons: string[]) =>
      send<Release>('POST', `/v1/releases/${at(id)}/rejection`, { reasons }),
    searchCatalogue: (filter: Omit<CatalogueFilter, 'without'> & { without?: string } = {}) =>
      get<CataloguePage>('/v1/catalogue', filter),
    readListing: (plugin: string, wish: { version?: string; locale?: ListingLocale; against?: string } = {}) =>
      get<ListingDetails & { comparison: ReleaseDiff | null }>(`/v1/catalogue/${pathOf(plugin)}`, wish),
    reviewQueue: (filter: PageRequest & { assigned?: 'me' | 'nobody' } = {}) =>
      get<Page<QueuedReview>>('/v1/reviews', filter),
    reviewFigures: (span: { from?: string; to?: string } = {}) => get<ReviewFigures>('/v1/reviews/figures', span),
    findReview: (id: string) => get<Review>(`/v1/releases/${at(id)}/review`),
    assignReview: (id: string, to: 'me' | 'nobody') =>
      send<ReviewRound>('PUT', `/v1/releases/${at(id)}/review/assignment`, { to }),
    checkReview: (id: string, checks: object) =>
      send<ReviewRound>('PATCH', `/v1/releases/${at(id)}/review/checklist`, checks),
    decideReview: (id: string, wish: DecisionWish) =>
      send<Release>('POST', `/v1/releases/${at(id)}/review/decision`, wish, once),
    resubmitRelease: (id: string, statement: string) =>
      send<Release>('POST', `/v1/releases/${at(id)}/review/resubmission`, { statement }, once),
    appealRelease: (id: string, statement: string) =>
      send<Release>('POST', `/v1/releases/${at(id)}/review/appeal`, { statement }, once),
    publishApproved: (id: string) => send<Release>('POST', `/v1/releases/${at(id)}/publication`, undefined),
    takeDown: (id: string, reason: ReasonWish) => send<Release>('POST', `/v1/releases/${at(id)}/takedown`, reason),
    restoreRelease: (id: string, reason: string) =>
      send<Release>('POST', `/v1/releases/${at(id)}/restoration`, { reason }, once),
    listTrusted: () => get<Page<TrustedPublisher>>('/v1/trusted-publishers'),
    trustPublisher: (publisher: string, reason: string) =>
      send<TrustedPublisher>('PUT', `/v1/trusted-publishers/${at(publisher)}`, { reason }),
    distrustPublisher: (publisher: string) =>
      send<void>('DELETE', `/v1/trusted-publishers/${at(publisher)}`, undefined),
    listRatings: (plugin: string, page: PageRequest = {}) => get<Page<Rating>>(ratingsAt(plugin), page),
    rate: (plugin: string, rating: { stars: number; body: string }) =>
      send<Rating>('PUT', `${ratingsAt(plugin)}/own`, rating),
    withdrawRating: (plugin: string) => send<void>('DELETE', `${ratingsAt(plugin)}/own`, undefined),
    voteRating: (id: string, helpful: boolean) => send<Rating>('PUT', `/v1/ratings/${at(id)}/vote`, { helpful }),
    replyToRating: (id: string, body: string) => send<Rating>('PUT', `/v1/ratings/${at(id)}/reply`, { body }),
    ranking: (plugin: string) => get<Ranking>(`/v1/catalogue/${plugin.split('/').map(at).join('/')}/ranking`),
    pluginStatistics: (plugin: string, range: Partial<StatisticsRange> = {}) =>
      get<PluginStatistics>(`/v1/plugins/${plugin.split('/').map(at).join('/')}/statistics`, range),
    publisherStatistics: (slug: string, range: Partial<StatisticsRange> = {}) =>
      get<PublisherStatistics>(`/v1/publishers/${at(slug)}/statistics`, range),
    ratingReports: (page: PageRequest = {}) => get<Page<RatingReport>>('/v1/rating-reports', page),
    moderateRating: (id: string, hide: string | null) =>
      send<Rating>('PUT', `/v1/ratings/${at(id)}/moderation`, { hide }),
    reportRating: (id: string, reason: string) => send<void>('PUT', `/v1/ratings/${at(id)}/report`, { reason }),
    listPlugins: (filter: PageRequest & { search?: string } = {}) => get<Page<PluginListing>>('/v1/plugins', filter),

    install: (request: InstallRequest) => send<Installation>('POST', '/v1/installations', request),
    listInstallations: (page: PageRequest = {}) => get<Page<Installation>>('/v1/installations', page),
    findInstallation: (id: string) => get<Installation>(`/v1/installations/${at(id)}`),
    updateInstallation: (id: string, change: UpdateRequest) =>
      send<Installation>('PATCH', `/v1/installations/${at(id)}`, change),
    resumeInstallation: (id: string) => send<Installation>('POST', `/v1/installations/${at(id)}/resume`, undefined),
    listGrants: (id: string) => get<{ items: Grant[] }>(`/v1/installations/${at(id)}/grants`),
    grant: (id: string, capability: CapabilityName) =>
      send<{ items: Grant[] }>('PUT', `/v1/installations/${at(id)}/grants/${at(capability)}`, undefined),
    revoke: (id: string, capability: CapabilityName) =>
      send<{ items: Grant[] }>('DELETE', `/v1/installations/${at(id)}/grants/${at(capability)}`, undefined),
    previewUpdate: (id: string, version?: string) =>
      get<UpdatePreview>(`/v1/installations/${at(id)}/update`, { version }),
    acceptSigning: (id: string, accepted: { version: string; reason: string }) =>
      send<Installation>('PUT', `/v1/installations/${at(id)}/accepted-signing`, accepted),
    promote: (id: string) => send<Installation>('POST', `/v1/installations/${at(id)}/promotion`, undefined, once),
    rollBack: (id: string, request: RollbackRequest = {}) =>
      send<Installation>('POST', `/v1/installations/${at(id)}/rollback`, request, once),
    listRollouts: (id: string, page: PageRequest = {}) =>
      get<Page<Rollout>>(`/v1/installations/${at(id)}/rollouts`, page),
    listOutdated: (page: PageRequest = {}) => get<Page<Outdated>>('/v1/updates', page),
    uninstall: (id: string, { deleteNow = false, ignoreRequirements = false } = {}) =>
      send<void>(
        'DELETE',
        `/v1/installations/${at(id)}?stored=${deleteNow ? 'delete' : 'keep'}&requirements=${ignoreRequirements ? 'ignore' : 'check'}`,
        undefined,
      ),
    planRequirements: ({ plugin, version }: { plugin: string; version?: string }) =>
      get<RequirementPlan>(`/v1/requirements/${pathOf(plugin)}`, { version }),
    restore: (id: string) => send<Installation>('POST', `/v1/installations/${at(id)}/restoration`, undefined),
    listLogs: (
      id: string,
      filter: PageRequest & { level?: InstallationLogEntry['level']; invocationId?: string } = {},
    ) => get<Page<InstallationLogEntry>>(`/v1/installations/${at(id)}/logs`, filter),
    /** Lines as they come, until `signal` aborts. */
    tail: (id: string, filter: Pick<TailFilter, 'level' | 'outcome'>, signal: AbortSignal, after?: string) =>
      followEvents(options, {
        path: `/v1/installations/${at(id)}/tail${queryText(filter)}`,
        signal,
        ...(after !== undefined && { lastEventId: after }),
      }),
    health: (id: string) => get<HealthReport>(`/v1/installations/${at(id)}/health`),
    /** Repeated safely: plugins know a redelivery by its `eventId`. */
    deliverHook: (id: string, hook: string, event: { eventId: string; payload: Json }) =>
      send<{ invocationId: string; result: Json }>('POST', `/v1/installations/${at(id)}/hooks/${at(hook)}`, event),

    listRecordings: (id: string, page: PageRequest = {}) =>
      get<Page<RecordingEntry>>(`/v1/installations/${at(id)}/recordings`, page),
    recordingSettings: (id: string) => get<RecordingSettings>(`/v1/installations/${at(id)}/recording-settings`),
    configureRecordings: (id: string, change: Partial<RecordingSettings>) =>
      send<RecordingSettings>('PATCH', `/v1/installations/${at(id)}/recording-settings`, change),
    readRecording: (id: string) => get<Recording>(`/v1/recordings/${at(id)}/content`),
    readRecordingBundle: (id: string) => get<NonNullable<Recording['bundle']>>(`/v1/recordings/${at(id)}/bundle`),
    /** Not repeated: a second one would be answered with recording-unknown. */
    removeRecording: (id: string) => send<void>('DELETE', `/v1/recordings/${at(id)}`, undefined, { idempotent: false }),

    listMessages: (id: string, filter: PageRequest & { state?: MessageState; queue?: string } = {}) =>
      get<Page<QueueMessage>>(`/v1/installations/${at(id)}/queue`, filter),
    retryMessage: (id: string, message: string) =>
      send<QueueMessage>('POST', `/v1/installations/${at(id)}/queue/${at(message)}/retry`, undefined),
    removeMessage: (id: string, message: string) =>
      send<void>('DELETE', `/v1/installations/${at(id)}/queue/${at(message)}`, undefined),

    listSecrets: (id: string) => get<{ items: SecretStatus[] }>(`/v1/installations/${at(id)}/secrets`),
    setSecret: (id: string, name: string, value: string) =>
      send<SecretStatus>('PUT', `/v1/installations/${at(id)}/secrets/${at(name)}`, { value }),
    removeSecret: (id: string, name: string) =>
      send<void>('DELETE', `/v1/installations/${at(id)}/secrets/${at(name)}`, undefined),

    listNotifications: (filter: PageRequest & { unread?: boolean } = {}) =>
      get<Page<Notification>>('/v1/notifications', filter),
    markNotificationRead: (id: string) => send<Notification>('POST', `/v1/notifications/${at(id)}/read`, undefined),

    ...webhookClient({ get, send }),
    listAudit: (filter: PageRequest & AuditFilter = {}) => get<Page<AuditRecord>>('/v1/audit', filter),
    /** Entries as text, newest first. */
    exportAudit: async (filter: AuditFilter & { format?: 'ndjson' | 'csv' } = {}) => {
      const answer = await transport({ method: 'GET', path: `/v1/audit/export${queryText(filter)}`, idempotent: true });
      return answer.status === 200 ? answer.body.toString('utf8') : readAnswer<never>(answer, url);
    },

    ...proofCalls(get, send),

    /** Calls any path of the host, the data plane above all; every status is an answer. */
    raw: transport as Transport,
  };
}

const pathOf = (plugin: string): string => plugin.split('/').map(encodeURIComponent).join('/');

function queryText(query: object): string {
  const entries = Object.entries(query).filter(([, value]) => value !== undefined);
  return entries.length === 0 ? '' : `?${new URLSearchParams(entries.map(([name, value]) => [name, String(value)]))}`;
}

/** Reads all pages of a list, at most `itemsMax`. */
export async function readPages<Item>(
  read: (page: PageRequest) => Promise<Page<Item>>,
  itemsMax = 1_000,
): Promise<Item[]> {
  const items: Item[] = [];
  let cursor: string | undefined;
  do {
    const page = await read({ cursor, limit: Math.min(100, itemsMax - items.length) });
    items.push(...page.items);
    cursor = page.nextCursor ?? undefined;
  } while (cursor !== undefined && items.length < itemsMax);
  return items;
}
