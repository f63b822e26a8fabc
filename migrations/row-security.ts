import type { Knex } from 'knex';

/**
 * Who may see and change which rows, beneath everything that the code checks. `migrate up` makes these rules anew wherever they differ,
 * so they change without a migration. Whoever asks has said who they are by three settings of the connection
 * (host/database-context.ts); one that has not is nobody and sees nothing.
 */
export interface TableRules {
  /** SQL that is true of the rows of whoever asks; null where rows are nobody's but the host's. */
  owner: string | null;
  /** What owners may do with their own rows. The host's own work may do everything that the role was granted. */
  owns: readonly Command[];
  /** Who else may do what with which rows. */
  others?: readonly OtherRule[];
}

export interface OtherRule {
  who: string;
  may: readonly Command[];
  /** SQL that is true of these rows for whoever asks. */
  when: string;
}

export type Command = 'select' | 'insert' | 'update' | 'delete';
const COMMANDS: readonly Command[] = ['select', 'insert', 'update', 'delete'];

// A subselect is asked once for a statement; the bare function would be asked for every row.
const ACCOUNT = '(select app_account())';
const ORGANISATION = '(select app_organisation())';
const ROLE = '(select app_role())';
/** Strangers at a public route, too; but not a connection that said nothing. */
const ANYBODY = `${ROLE} is not null`;

const ofOrganisation = (column = 'organisation_id') => `${column} = ${ORGANISATION}`;
const OF_ACCOUNT = `account_id = ${ACCOUNT}`;
const OF_INSTALLATION = 'app_owns_installation(installation_id)';
/** Of an installation of one of the asking publisher's plugins. */
const OF_PLUGIN = 'app_sells_to_installation(installation_id)';
const OF_RELEASE = 'app_owns_release(release_id)';
const OF_OWN_PLUGIN = `exists (select 1 from plugins as own where own.id = plugin_id and own.${ofOrganisation()})`;
const PUBLIC_RELEASE = `state in ('published', 'deprecated', 'yanked', 'suspended')`;
/** A publisher does not bring back what was taken down. */
const OF_PUBLISHER = `state in ('published', 'deprecated', 'yanked')`;

const inRole = (...roles: string[]) => `${ROLE} in (${roles.map((role) => `'${role}'`).join(', ')})`;
const admins = (...may: Command[]): OtherRule => ({ who: 'admins', may, when: inRole('admin') });
const moderators = (...may: Command[]): OtherRule => ({ who: 'moderators', may, when: inRole('moderator') });
const publishers = (when: string, ...may: Command[]): OtherRule => ({ who: 'publishers of the plugin', may, when });
const anybody = (when: string): OtherRule => ({ who: 'anybody', may: ['select'], when: `${ANYBODY} and ${when}` });

const SHOWN_WITH_RELEASE = [
  anybody(`exists (select 1 from releases as shown where shown.id = release_id and shown.${PUBLIC_RELEASE})`),
  moderators('select'),
  admins('select'),
];

const ALL = COMMANDS;
/** What is read, written and swept by the host alone. */
const OF_THE_HOST: TableRules = { owner: null, owns: [] };
const ofInstallation = (...owns: Command[]): TableRules => ({ owner: OF_INSTALLATION, owns });

/** Every table of the schema `public` whose rows are somebody's. Forgetting one fails a test. */
export const ROW_RULES: Record<string, TableRules> = {
  organisations: {
    owner: `id = ${ORGANISATION}`,
    owns: ['select', 'update'],
    others: [
      anybody(`kind = 'publisher'`),
      {
        who: 'members',
        may: ['select'],
        when: `exists (select 1 from memberships as mine where mine.organisation_id = organisations.id and mine.account_id = ${ACCOUNT})`,
      },
      // Of whom they see installations.
      publishers('exists (select 1 from installations as seen where seen.operator_id = organisations.id)', 'select'),
      moderators('select'),
      admins('select', 'insert', 'update'),
    ],
  },
  api_tokens: {
    owner: ofOrganisation(),
    owns: ['select', 'insert', 'update'],
    others: [admins('select', 'insert', 'update')],
  },
  // Whoever reviews locks keys and plugins, which counts as changing them.
  publisher_keys: {
    owner: ofOrganisation(),
    owns: ['select', 'insert', 'update'],
    others: [moderators('select', 'update'), admins('select')],
  },
  plugins: {
    owner: ofOrganisation(),
    owns: ['select', 'insert', 'update'],
    others: [
      anybody(
        `exists (select 1 from releases as shown where shown.plugin_id = plugins.id and shown.${PUBLIC_RELEASE})`,
      ),
      moderators('select', 'update'),
      admins('select'),
    ],
  },
  releases: {
    owner: ofOrganisation(),
    owns: ['select', 'insert'],
    others: [
      anybody(PUBLIC_RELEASE),
      // To yank, deprecate and block; what is in review is not for its publisher to decide.
      publishers(`${ofOrganisation()} and ${OF_PUBLISHER}`, 'update'),
      moderators('select', 'update'),
      admins('select'),
    ],
  },
  // A round begins with the release that its publisher sends, or with a moderator who rejects what is held.
  release_reviews: {
    owner: OF_RELEASE,
    owns: ['select', 'insert'],
    others: [moderators('select', 'insert', 'update'), admins('select')],
  },
  trusted_publishers: {
    owner: ofOrganisation(),
    owns: ['select'],
    others: [moderators('select'), admins(...ALL)],
  },
  dist_tags: {
    owner: OF_OWN_PLUGIN,
    owns: ALL,
    others: [
      anybody('exists (select 1 from plugins as shown where shown.id = plugin_id)'),
      moderators('select'),
      admins('select'),
    ],
  },
  uploads: { owner: ofOrganisation(), owns: ALL },
  upload_parts: {
    owner: `exists (select 1 from uploads as own where own.id = upload_id and own.${ofOrganisation()})`,
    owns: ['select', 'insert', 'delete'],
  },
  release_scans: {
    owner: OF_RELEASE,
    owns: ['select', 'insert'],
    others: [moderators('select', 'update'), admins('select')],
  },
  release_artifacts: {
    owner: OF_RELEASE,
    owns: ['select', 'insert'],
    others: [moderators('select')],
  },
  // What proves a release of another registry; the host verifies it.
  release_imports: OF_THE_HOST,
  imported_publishers: OF_THE_HOST,
  // Written by the host; who sees the release sees its pages.
  release_pages: { owner: OF_RELEASE, owns: ['select'], others: SHOWN_WITH_RELEASE },
  release_images: { owner: OF_RELEASE, owns: ['select'], others: SHOWN_WITH_RELEASE },
  listing_views: { owner: OF_OWN_PLUGIN, owns: ['select'], others: [admins('select')] },
  installations: {
    owner: ofOrganisation('operator_id'),
    owns: ['select', 'insert', 'update'],
    others: [publishers(OF_RELEASE, 'select')],
  },
  installation_conduct: ofInstallation('select', 'update'),
  installation_strikes: ofInstallation('select'),
  installation_leases: ofInstallation(...ALL),
  installation_grants: ofInstallation('select', 'insert', 'delete'),
  installation_secrets: ofInstallation(...ALL),
  installation_logs: {
    ...ofInstallation('select', 'insert', 'delete'),
    others: [publishers(OF_PLUGIN, 'select')],
  },
  recordings: {
    ...ofInstallation('select', 'delete'),
    others: [
      publishers(
        `${OF_RELEASE} and exists (select 1 from recording_settings as shared where shared.installation_id = recordings.installation_id
           and (shared.share = 'all' or (shared.share = 'failures' and recordings.outcome <> 'completed')))`,
        'select',
      ),
    ],
  },
  recording_settings: {
    ...ofInstallation('select', 'insert', 'update'),
    others: [
      publishers(OF_PLUGIN, 'select'),
      publishers(`share = 'all' and ${OF_PLUGIN}`, 'update'),
      // An upsert that finds a row has to be allowed to insert as well; this one would share nothing.
      publishers(`share = 'none' and ${OF_PLUGIN}`, 'insert'),
    ],
  },
  rollouts: ofInstallation('select', 'insert', 'update'),
  rollout_samples: {
    owner: 'exists (select 1 from rollouts as own where own.id = rollout_id)',
    owns: ['select', 'delete'],
  },
  // Whoever reviews decides which release is the newest: not one that was stopped.
  stagings: { owner: OF_OWN_PLUGIN, owns: ['select', 'insert', 'update'], others: [moderators('select')] },
  // Sums over all operators: whoever publishes is told by the host alone, and rounded.
  staging_samples: OF_THE_HOST,
  accepted_signings: ofInstallation(...ALL),
  kv_entries: ofInstallation('select', 'delete'),
  queue_messages: ofInstallation('select', 'update', 'delete'),
  schedule_runs: ofInstallation('select'),
  // What is paid by is written by the host alone.
  usage: ofInstallation('select'),
  usage_refusals: ofInstallation('select'),
  usage_capabilities: ofInstallation('select'),
  release_usage: ofInstallation('select'),
  plugin_statistics: {
    owner: OF_OWN_PLUGIN,
    owns: ['select'],
    others: [{ who: 'analysts', may: ['select'], when: inRole('analyst') }],
  },
  call_results: OF_THE_HOST,
  events: { owner: ofOrganisation('operator_id'), owns: ['select'] },
  event_deliveries: { owner: ofOrganisation('operator_id'), owns: ['select', 'delete'] },
  notifications: {
    owner: ofOrganisation(),
    owns: ['select', 'insert', 'update'],
    others: [
      {
        who: 'operators, to the publishers of what they installed',
        may: ['insert'],
        when: `exists (select 1 from installations as own join releases as theirs on theirs.id = own.release_id
          where own.operator_id = ${ORGANISATION} and theirs.organisation_id = notifications.organisation_id)`,
      },
    ],
  },
  accounts: {
    owner: `id = ${ACCOUNT}`,
    owns: ['select', 'update'],
    others: [
      {
        who: 'members of one organisation',
        may: ['select'],
        when: `exists (select 1 from memberships as fellow where fellow.account_id = accounts.id and fellow.organisation_id = ${ORGANISATION})`,
      },
      {
        who: 'the other side of an offer',
        may: ['select'],
        when: `exists (select 1 from ownership_offers as made where ${ACCOUNT} in (made.from_account_id, made.to_account_id)
          and accounts.id in (made.from_account_id, made.to_account_id))`,
      },
      admins('select', 'update'),
    ],
  },
  // Whoever ends a lockout has to know by which logins it was counted.
  account_emails: { owner: OF_ACCOUNT, owns: ALL, others: [admins('select')] },
  account_passwords: { owner: OF_ACCOUNT, owns: ['select', 'insert', 'update'] },
  // An account that is deactivated is logged out.
  sessions: { owner: OF_ACCOUNT, owns: ['select', 'update'], others: [admins('select', 'update')] },
  personal_exports: { owner: OF_ACCOUNT, owns: ['select', 'insert'] },
  // Whoever brings one of these is known only once it has been found; a new password takes the open ones back.
  account_codes: { owner: OF_ACCOUNT, owns: ['select', 'delete'] },
  refresh_tokens: OF_THE_HOST,
  login_throttles: OF_THE_HOST,
  access_token_keys: OF_THE_HOST,
  // Sealed, and read by nobody but who sends it.
  mail_outbox: {
    owner: OF_ACCOUNT,
    owns: ['insert'],
    others: [
      {
        who: 'organisations, to whom they invite',
        may: ['insert'],
        when: `account_id is null and ${ORGANISATION} is not null`,
      },
    ],
  },
  device_codes: {
    owner: OF_ACCOUNT,
    owns: ['select', 'update'],
    others: [
      {
        who: 'whoever has the code, until it is approved',
        may: ['select', 'update'],
        when: `account_id is null and state = 'pending' and ${ACCOUNT} is not null`,
      },
    ],
  },
  totp_factors: { owner: OF_ACCOUNT, owns: ALL },
  recovery_codes: { owner: OF_ACCOUNT, owns: ALL },
  passkeys: { owner: OF_ACCOUNT, owns: ALL },
  factor_challenges: { owner: OF_ACCOUNT, owns: ALL },
  telegram_identities: { owner: OF_ACCOUNT, owns: ALL },
  telegram_init_data: {
    ...OF_THE_HOST,
    others: [{ who: 'people, who bring it once', may: ['insert'], when: `${ACCOUNT} is not null` }],
  },
  memberships: {
    owner: ofOrganisation(),
    owns: ALL,
    others: [{ who: 'the member', may: ['select', 'delete'], when: OF_ACCOUNT }, admins('select')],
  },
  invitations: {
    owner: ofOrganisation(),
    owns: ['select', 'insert', 'update'],
    // An organisation that the platform has made gets its first owner by an invitation.
    others: [admins('select', 'insert')],
  },
  ownership_offers: {
    owner: ofOrganisation(),
    owns: ['select', 'insert', 'update'],
    others: [{ who: 'both sides', may: ['select', 'update'], when: `${ACCOUNT} in (from_account_id, to_account_id)` }],
  },
  audit_entries: {
    owner: ofOrganisation(),
    owns: ['select', 'insert'],
    others: [
      // What somebody did in the matters of others, such as a review: but of nobody else's deeds.
      {
        who: 'the organisation that acted',
        may: ['insert'],
        when: `content::jsonb #>> '{actor,organisationId}' = ${ORGANISATION}::text`,
      },
      { who: 'the person', may: ['select', 'insert'], when: `account_id = ${ACCOUNT}::text` },
      { who: 'finance-auditors', may: ['select'], when: inRole('finance-auditor') },
      admins('select'),
    ],
  },
  ratings: {
    owner: ofOrganisation(),
    owns: ALL,
    others: [
      anybody('hidden is null'),
      // To reply.
      publishers(OF_OWN_PLUGIN, 'select', 'update'),
      moderators('select', 'update'),
      admins('select'),
    ],
  },
  rating_votes: { owner: ofOrganisation(), owns: ALL },
  // What is told is written by the host alone, also to whom an organisation's deeds concern.
  feed_cursor: OF_THE_HOST,
  trail_readers: OF_THE_HOST,
  feed_positions: OF_THE_HOST,
  feed_events: { owner: ofOrganisation(), owns: ['select'] },
  webhook_endpoints: { owner: ofOrganisation(), owns: ALL },
  webhook_secrets: { owner: ofOrganisation(), owns: ALL },
  webhook_deliveries: { owner: ofOrganisation(), owns: ['select', 'insert'] },
  webhook_attempts: { owner: ofOrganisation(), owns: ['select'] },
  rating_reports: { owner: ofOrganisation(), owns: ['select', 'insert'], others: [moderators('select', 'update')] },
};

/** Tables without an owner, each with its reason. */
export const OWNERLESS: Record<string, string> = {
  audit_links: 'positions and hashes; the entries that they chain have owners',
  audit_chain: 'the end of the chain: a number and a hash',
  audit_heads: 'signed positions and hashes, meant to be shown to anybody',
  transparency_entries: 'for everybody to read; private matters are in them as digests',
  transparency_leaves: 'positions and hashes of a public log',
  transparency_nodes: 'hashes of a public log',
  transparency_tree: 'the edge of a public log',
  transparency_heads: 'signed, and meant to be shown to anybody',
  registry_key_links: 'signed by both keys, and shown to everybody',
  plugin_listings: 'what is published, written by triggers alone',
  listing_words: 'words of what is published',
  plugin_standing: 'counts and means that everybody may see',
  plugin_neighbours: 'what at least two operators have in common, without saying who',
  statistics_days: 'which days were counted, and when',
  migrations: 'what the schema is made of',
  knex_migrations: 'the application role has no right to it',
  knex_migrations_lock: 'the application role has no right to it',
};

/** One policy for a command, so that the cheapest condition is looked at first: the host's own work asks no further tables. */
export function policyOf({ owner, owns, others = [] }: TableRules, command: Command): string {
  const conditions = [
    `${ROLE} = 'system'`,
    ...(owner !== null && owns.includes(command) ? [owner] : []),
    ...others.filter(({ may }) => may.includes(command)).map(({ when }) => `(${when})`),
  ];
  return conditions.join('\n or ');
}

const FUNCTIONS = `
  create or replace function app_account() returns uuid language sql stable parallel safe
    as $$ select nullif(current_setting('app.account_id', true), '')::uuid $$;
  create or replace function app_organisation() returns uuid language sql stable parallel safe
    as $$ select nullif(current_setting('app.organisation_id', true), '')::uuid $$;
  create or replace function app_role() returns text language sql stable parallel safe
    as $$ select nullif(current_setting('app.role', true), '') $$;
  -- Functions of their own, and not in SQL, which would be written out into every statement: to prepare their subselects for execution
  -- cost a read of one key three times as much as the rest, although the host's own work never comes so far.
  create or replace function app_owns_installation(wanted uuid) returns boolean language plpgsql stable parallel safe as $$
    begin
      return exists (select 1 from public.installations where id = wanted and operator_id = public.app_organisation());
    end $$;
  create or replace function app_owns_release(wanted uuid) returns boolean language plpgsql stable parallel safe as $$
    begin
      return exists (select 1 from public.releases where id = wanted and organisation_id = public.app_organisation());
    end $$;
  create or replace function app_sells_to_installation(wanted uuid) returns boolean language plpgsql stable parallel safe as $$
    begin
      return exists (select 1 from public.installations as theirs join public.releases as mine on mine.id = theirs.release_id
        where theirs.id = wanted and mine.organisation_id = public.app_organisation());
    end $$`;

function statementsOf(table: string, rules: TableRules): string[] {
  const policies = COMMANDS.map((command) => {
    const condition = `(${policyOf(rules, command)})`;
    const using = command === 'insert' ? '' : ` using ${condition}`;
    const check = command === 'insert' || command === 'update' ? ` with check ${condition}` : '';
    return `create policy may_${command} on ${table} for ${command}${using}${check}`;
  });
  // The owner of the schema is bound as well: where one role is used for both, nothing else would hold it.
  return [...policies, `alter table ${table} enable row level security, force row level security`];
}

/**
 * Makes the rules of `ROW_RULES` hold, in one transaction. Where they hold already nothing is touched, because a policy that is made
 * waits for everybody who uses its table.
 */
export async function secureRows(owner: Knex): Promise<void> {
  const wanted = Object.entries(ROW_RULES).map(([table, rules]) => statementsOf(table, rules));
  await owner.transaction(async (transaction) => {
    await transaction.raw(FUNCTIONS);
    const digest = async (text: string) => (await transaction.raw('select md5(?) as md5', [text])).rows[0].md5;
    const wish = await digest(JSON.stringify(wanted));
    if ((await noteOf(transaction)) === `${wish} ${await presentRules(transaction)}`) return;
    const { rows } = await transaction.raw(
      `select policyname as name, tablename as "table" from pg_policies where schemaname = 'public'`,
    );
    for (const { name, table } of rows) await transaction.raw('drop policy ?? on ??', [name, table]);
    for (const statement of wanted.flat()) await transaction.raw(statement.replaceAll('?', '\\?'));
    await transaction.raw(`comment on function app_role() is '${wish} ${await presentRules(transaction)}'`);
  });
}

/** Why rows are not secured for whoever is connected, each as a sentence; none where they are. */
export async function rowSecurityGaps(knex: Knex): Promise<string[]> {
  const { rows: tables } = await knex.raw(
    `select relname as name from pg_class
     where relnamespace = 'public'::regnamespace and relname = any (?) and not (relrowsecurity and relforcerowsecurity)`,
    [Object.keys(ROW_RULES)],
  );
  const { rows: roles } = await knex.raw(
    `select rolname as name from pg_roles where rolname = current_user and (rolsuper or rolbypassrls)`,
  );
  return [
    ...roles.map(({ name }: { name: string }) => `The role "${name}" steps around row-level security.`),
    ...tables.map(({ name }: { name: string }) => `The table ${name} is open to every context.`),
  ];
}

/** What was wished when rules were made last, and what they were then. */
async function noteOf(transaction: Knex): Promise<string | null> {
  const { rows } = await transaction.raw(`select obj_description('app_role()'::regprocedure, 'pg_proc') as note`);
  return rows[0].note;
}

/** MD5 of all policies and switches as they are: whoever changes one by hand is undone by the next `migrate up`. */
async function presentRules(transaction: Knex): Promise<string> {
  const { rows } = await transaction.raw(`
    select md5(coalesce((select string_agg(concat_ws('|', tablename, policyname, permissive, roles, cmd, qual, with_check), ';'
        order by tablename, policyname) from pg_policies where schemaname = 'public'), '')
      || coalesce((select string_agg(concat_ws('|', relname, relrowsecurity, relforcerowsecurity), ';' order by relname)
        from pg_class where relnamespace = 'public'::regnamespace and relkind = 'r'), '')) as md5`);
  return rows[0].md5;
}
