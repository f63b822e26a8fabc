import type { Knex } from 'knex';
import { v7 } from 'uuid';
import { GRANTS } from './grants.ts';
import { ROW_RULES } from './row-security.ts';

type Row = Record<string, unknown>;

/** One row of every table that has an owner, all of one organisation and one of its members; and others beside them. */
export interface World {
  owner: { accountId: string; organisationId: string };
  /** Has an account, an organisation and an installation as well, and no part in the owner's. */
  stranger: { accountId: string; organisationId: string };
  strangersInstallation: string;
  /** Published what the owner has installed. */
  publisher: { accountId: null; organisationId: string };
  /** As PostgreSQL writes them in JSON, without generated columns. */
  rows: Record<string, Row>;
  /** Their `ctid`. */
  places: Record<string, string>;
  /** A column that the application role may change; absent where there is none. */
  updatable: Record<string, string>;
}

const bytes = (length: number, fill = 1) => Buffer.alloc(length, fill);
const hex = (digit: string) => digit.repeat(64);
const now = () => new Date();
const later = () => new Date(Date.now() + 3_600_000);

/** Fills an empty database. A new table with an owner needs a line here, or the test of row-level security fails. */
export async function seedEveryTable(knex: Knex): Promise<World> {
  const [mine, strangers, theirs] = [v7(), v7(), v7()];
  const [me, stranger] = [v7(), v7()];
  const add = (table: string, ...rows: Row[]) => knex(table).insert(rows);
  await add(
    'organisations',
    { id: mine, slug: 'owner', kind: 'operator', name: 'Owner' },
    { id: strangers, slug: 'stranger', kind: 'operator', name: 'Stranger' },
    { id: theirs, slug: 'theirs', kind: 'publisher', name: 'Theirs' },
  );
  const account = { state: 'active', person_key: bytes(100) };
  await add('accounts', { id: me, username: 'owner', ...account }, { id: stranger, username: 'stranger', ...account });
  const membership = (organisation_id: string, account_id: string) => ({
    id: v7(),
    organisation_id,
    account_id,
    role: 'operator-owner',
    created_at: now(),
  });
  await add('memberships', membership(mine, me), membership(strangers, stranger));
  const release = v7();
  const plugin = v7();
  const [installation, strangersInstallation] = [v7(), v7()];
  await seedPlugins(add, { mine, theirs, release, plugin });
  await add(
    'installations',
    { id: installation, operator_id: mine, slug: 'greeter', release_id: release, grants: ['kv'] },
    { id: strangersInstallation, operator_id: strangers, slug: 'greeter', release_id: release, grants: [] },
  );
  await seedInstallation(add, { mine, installation, release });
  // Hidden: what is shown is for everybody.
  const rating = { id: v7(), plugin_id: plugin, organisation_id: mine, version: '1.0.0', stars: 5, hidden: 'spam' };
  await add('ratings', rating);
  await add('rating_votes', { rating_id: rating.id, organisation_id: mine, helpful: true });
  await add('rating_reports', { id: v7(), rating_id: rating.id, organisation_id: mine, reason: 'spam' });
  await seedPerson(add, { mine, me, stranger });
  await seedWebhooks(add, mine);
  return {
    owner: { accountId: me, organisationId: mine },
    stranger: { accountId: stranger, organisationId: strangers },
    strangersInstallation,
    publisher: { accountId: null, organisationId: theirs },
    ...(await readFirst(knex)),
  };
}

type Add = (table: string, ...rows: Row[]) => PromiseLike<unknown>;

async function seedPlugins(
  add: Add,
  { mine, theirs, release, plugin }: Record<'mine' | 'theirs' | 'release' | 'plugin', string>,
) {
  const [ownPlugin, ownRelease] = [v7(), v7()];
  await add(
    'plugins',
    { id: ownPlugin, organisation_id: mine, name: 'own' },
    { id: plugin, organisation_id: theirs, name: 'greeter' },
  );
  const common = { version: '1.0.0', state: 'in-review', manifest: {}, bundle_bytes: 1, envelope: {} };
  await add(
    'releases',
    { id: ownRelease, plugin_id: ownPlugin, digest: hex('a'), bundle_digest: hex('a'), ...common },
    { id: release, plugin_id: plugin, digest: hex('b'), bundle_digest: hex('b'), ...common },
  );
  await add('release_scans', { release_id: ownRelease });
  await add('release_artifacts', { release_id: ownRelease, archive: bytes(1) });
  await add('release_pages', { release_id: ownRelease, readme: 'r', made_at: now() });
  const image = { file: 'icon.png', sha256: hex('d'), media_type: 'image/png', content: bytes(1) };
  await add('release_images', { release_id: ownRelease, ...image });
  await add('listing_views', { plugin_id: ownPlugin, day: '2030-01-01', count: 1 });
  const key = { id: v7(), organisation_id: mine, key_id: hex('c'), label: 'laptop', public_key_pem: 'pem' };
  await add('publisher_keys', key);
  // Its first round began with the release itself.
  await add('trusted_publishers', { organisation_id: mine, reason: 'known' });
  await add('plugin_statistics', { plugin_id: ownPlugin, day: '2030-01-01' });
  await add('dist_tags', { id: v7(), plugin_id: ownPlugin, tag: 'beta', release_id: ownRelease });
  const staging = { id: v7(), plugin_id: ownPlugin, version: '2.0.0', percents: [5, 100], every_seconds: 60 };
  await add('stagings', staging);
  await add('staging_samples', { staging_id: staging.id, arm: 'staged', bucket: 0, calls: 1 });
  await add('release_imports', { release_id: ownRelease, root_key_id: hex('c'), evidence: {} });
  await add('imported_publishers', { organisation_id: mine, root_key_id: hex('c') });
  const upload = { id: v7(), organisation_id: mine, bytes: 1, sha256: hex('e'), received: 1 };
  await add('uploads', { ...upload, created_at: now(), expires_at: later() });
  await add('upload_parts', { upload_id: upload.id, start: 0, content: bytes(1) });
}

async function seedInstallation(
  add: Add,
  { mine, installation, release }: Record<'mine' | 'installation' | 'release', string>,
) {
  const own = { installation_id: installation };
  const hour = { ...own, hour: '2030-01-01T05:00:00Z' };
  await add('installation_conduct', { ...own, score: 1, scored_at: now(), strikes: 1 });
  const strike = { id: v7(), invocation_id: 'i', at: now(), bundle_digest: hex('b'), death: 'killed', exit: 'SIGKILL' };
  await add('installation_strikes', { ...own, ...strike });
  await add('installation_leases', { ...own, lease_id: v7(), until: later() });
  await add('installation_secrets', { ...own, name: 'KEY', sealed: bytes(100) });
  const line = { id: v7(), at: now(), invocation_id: 'i', source: 'host', level: 'info', message: 'm' };
  await add('installation_logs', { ...own, ...line });
  await add('recordings', {
    ...own,
    id: v7(),
    release_id: release,
    at: now(),
    why: 'failed',
    job: 'j',
    outcome: 'cpu-limit',
    redacted: true,
    content: bytes(1),
    bytes: 1,
  });
  const amounts = { count_per_day: 1, bytes_per_day: 1, keep_days: 1, keep_bytes: 1 };
  await add('recording_settings', { ...own, failures: true, sample_rate: 0, share: 'none', ...amounts });
  const rollout = v7();
  await add('rollouts', {
    ...own,
    id: rollout,
    from_release_id: release,
    to_release_id: release,
    cause: 'operator',
    state: 'done',
    percent: 100,
    started_at: now(),
    ended_at: now(),
  });
  await add('rollout_samples', { rollout_id: rollout, arm: 'stable', bucket: 0, calls: 1 });
  await add('accepted_signings', { ...own, release_id: release, weaknesses: ['signer-new'], reason: 'asked' });
  await add('kv_entries', { ...own, key: 'k', value: '1', version: 1 });
  const message = { id: v7(), call_id: v7(), queue: 'q', payload: '1', attempts_max: 1, depth: 0, seed: hex('d') };
  await add('queue_messages', { ...own, ...message });
  await add('schedule_runs', { ...own, name: 'hourly', due_at: now() });
  await add('usage', hour);
  await add('usage_refusals', { ...hour, code: 'busy', invocations: 1 });
  await add('usage_capabilities', { ...hour, capability: 'kv' });
  await add('release_usage', { ...own, release_id: release, day: '2030-01-01' });
  const result = { invocation_id: 'i', call_seq: 1, args_sha256: hex('e'), result: '1', keep_until: later() };
  await add('call_results', result);
  const event = v7();
  const place = { ...own, operator_id: mine };
  await add('events', { ...place, id: event, plugin: 'p', topic: 't', payload: '1', depth: 0, seed: hex('f') });
  await add('event_deliveries', { ...place, event_id: event });
  const notification = { id: v7(), at: now(), kind: 'notice', subject: 's', body: 'b' };
  await add('notifications', { ...notification, organisation_id: mine });
}

async function seedWebhooks(add: Add, mine: string) {
  const own = { organisation_id: mine };
  await add('feed_positions', { ...own, position: 1 });
  const event = { ...own, id: v7(), position: 1, type: 'key.revoked', version: 1, at: now(), payload: '{}' };
  await add('feed_events', event);
  const endpoint = { ...own, id: v7(), url: 'https://example.com', label: 'l', created_at: now() };
  await add('webhook_endpoints', endpoint);
  const of = { ...own, endpoint_id: endpoint.id };
  await add('webhook_secrets', { ...of, id: v7(), sealed: bytes(100), created_at: now() });
  const delivery = { ...of, id: v7(), event_id: event.id, cause: 'event', next_at: now(), created_at: now() };
  await add('webhook_deliveries', delivery);
  await add('webhook_attempts', { ...own, id: v7(), delivery_id: delivery.id, at: now(), ms: 1 });
}

async function seedPerson(add: Add, { mine, me, stranger }: Record<'mine' | 'me' | 'stranger', string>) {
  const own = { account_id: me };
  const span = { created_at: now(), expires_at: later() };
  const token = { id: v7(), role: 'operator-owner', label: 't', secret_sha256: bytes(32) };
  await add('api_tokens', { ...token, organisation_id: mine });
  await add('account_emails', { ...own, id: v7(), sealed: bytes(100), address_index: bytes(32) });
  await add('account_passwords', { ...own, hash: 'x'.repeat(60), pepper_version: 1, changed_at: now() });
  await add('account_codes', { ...own, ...span, sha256: bytes(32), purpose: 'verify-email' });
  await add('login_throttles', { key: 'login:x', failures: 1, last_failed_at: now() });
  const session = v7();
  const seen = { device: 'd', user_agent: '', address: '', last_seen_at: now() };
  await add('sessions', { ...own, ...span, ...seen, id: session });
  await add('refresh_tokens', { ...span, sha256: bytes(32), session_id: session });
  await add('access_token_keys', { id: v7(), sealed: bytes(100), public_key_pem: 'pem', created_at: now() });
  await add('personal_exports', { ...own, ...span, id: v7(), state: 'waiting' });
  await add('mail_outbox', { ...own, id: v7(), next_at: now(), created_at: now() });
  await add('totp_factors', { ...own, id: v7(), label: 'phone', sealed: bytes(100), created_at: now() });
  await add('recovery_codes', { ...own, code_sha256: bytes(32), created_at: now() });
  const passkey = { id: v7(), label: 'key', credential_id: bytes(8), public_key: bytes(8), counter: 0 };
  await add('passkeys', { ...own, ...passkey, backed_up: false, created_at: now() });
  await add('factor_challenges', { ...own, ...span, sha256: bytes(32), purpose: 'login' });
  await add('telegram_identities', { ...own, telegram_id: 1, linked_at: now() });
  await add('telegram_init_data', { sha256: bytes(32), expires_at: later() });
  const code = { id: v7(), device_sha256: bytes(32), user_sha256: bytes(32), label: 'l', address: '' };
  await add('device_codes', {
    ...own,
    ...code,
    ...span,
    organisation_id: mine,
    state: 'approved',
    interval_seconds: 5,
  });
  const invitation = { id: v7(), role: 'operator-viewer', secret_sha256: bytes(32) };
  await add('invitations', { ...invitation, ...span, organisation_id: mine });
  const offer = { id: v7(), organisation_id: mine, from_account_id: me, to_account_id: stranger };
  // Not open to the stranger: whoever an offer is made to sees it.
  await add('ownership_offers', { ...offer, to_account_id: await otherThan(add), ...span });
  const entry = v7();
  const content = {
    id: entry,
    organisationId: mine,
    action: 'token.issue',
    outcome: 'done',
    actor: { accountId: me },
    subject: { kind: 'token', id: token.id },
  };
  await add('audit_entries', { id: entry, at: now(), organisation_id: mine, content: JSON.stringify(content) });
}

async function otherThan(add: Add): Promise<string> {
  const id = v7();
  await add('accounts', { id, username: 'third', state: 'active', person_key: bytes(100) });
  return id;
}

/** The first row of each table: the owner's. */
async function readFirst(knex: Knex): Promise<Pick<World, 'rows' | 'places' | 'updatable'>> {
  const generated: { table: string; column: string }[] = await knex('information_schema.columns')
    .where({ table_schema: 'public', is_generated: 'ALWAYS' })
    .select({ table: 'table_name', column: 'column_name' });
  const found: Pick<World, 'rows' | 'places' | 'updatable'> = { rows: {}, places: {}, updatable: {} };
  for (const table of Object.keys(ROW_RULES)) {
    const { rows } = await knex.raw(
      'select ctid::text as place, row_to_json(t) as row from ?? as t order by ctid limit 1',
      [table],
    );
    if (rows.length === 0) continue;
    for (const { column } of generated.filter((each) => each.table === table)) delete rows[0].row[column];
    found.rows[table] = rows[0].row;
    found.places[table] = rows[0].place;
    const right = (GRANTS[table] ?? []).find((each) => each.startsWith('update'));
    const column = right && (/\((\w+)/.exec(right)?.[1] ?? Object.keys(rows[0].row)[0]);
    if (column) found.updatable[table] = column;
  }
  return found;
}
