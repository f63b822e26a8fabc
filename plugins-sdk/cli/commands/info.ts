import type { ReleaseDiff } from '../../../host/rollouts/rules/compare-releases.ts';
import type { ListingDetails } from '../../../registry/index.ts';
import { LISTING_LOCALES } from '../../contract/index.ts';
import type { ApiClient } from '../api-client.ts';
import { type Cli, verb } from '../command-line.ts';
import { diffText } from '../describe-installation.ts';
import { CliError, ServerRefusal } from '../errors.ts';
import { parsePluginName } from '../plugin-name.ts';
import { columns, fields, oneLine, type Paint } from '../terminal.ts';

export type Listing = ListingDetails & { comparison: ReleaseDiff | null };

interface InfoOptions {
  locale?: string;
  against?: string;
  readme?: boolean;
  changelog?: boolean;
}

const VERSIONS_SHOWN = 8;

/**
 * Everything about a plugin before it is installed. Compared with `against`, or with the version that is installed already, where
 * whoever asks has one. Refuses with: usage, release-unknown.
 */
export const readInfo =
  (api: Pick<ApiClient, 'readListing' | 'listInstallations'>) =>
  async (text: string, { locale, against }: Pick<InfoOptions, 'locale' | 'against'> = {}): Promise<Listing> => {
    const { plugin, version } = parsePluginName(text);
    const known = LISTING_LOCALES.find((each) => each === locale);
    if (locale !== undefined && known === undefined)
      throw new CliError('usage', `--locale is one of: ${LISTING_LOCALES.join(', ')}.`);
    const wish = { ...(version && { version }), ...(known && { locale: known }) };
    const listing = await api.readListing(plugin, { ...wish, ...(against && { against }) });
    if (against !== undefined) return listing;
    const installed = await installedVersion(api, plugin);
    if (installed === null || installed === listing.version) return listing;
    // The installed release may be hidden by now; that is no reason to show nothing.
    return api.readListing(plugin, { ...wish, against: installed }).catch((error) => {
      if (error instanceof ServerRefusal) return listing;
      throw error;
    });
  };

/** Null where there is none, and for whoever has no installations at all: strangers, publishers. */
async function installedVersion(api: Pick<ApiClient, 'listInstallations'>, plugin: string): Promise<string | null> {
  try {
    const { items } = await api.listInstallations({ limit: 100 });
    return items.find((each) => each.plugin === plugin)?.version ?? null;
  } catch (error) {
    if (error instanceof ServerRefusal) return null;
    throw error;
  }
}

export function priceText(pricing: ListingDetails['pricing']): string {
  if (pricing.model === 'free') return 'free';
  const { amountMinor, currency, model } = pricing;
  const digits =
    new Intl.NumberFormat('en', { style: 'currency', currency }).resolvedOptions().maximumFractionDigits ?? 2;
  const padded = amountMinor.padStart(digits + 1, '0');
  const amount = digits === 0 ? padded : `${padded.slice(0, -digits)}.${padded.slice(-digits)}`;
  return `${amount} ${currency}, ${model}`;
}

export function listingText(paint: Paint, listing: Listing): string {
  const { plugin, version, title, description, latestVersion, comparison, reach, health } = listing;
  const newer = latestVersion !== null && latestVersion !== version ? ` (newest: ${latestVersion})` : '';
  return [
    `${paint('bold', oneLine(title))}  ${plugin}@${version}${newer}`,
    oneLine(description),
    ...warnings(listing).map((line) => paint('yellow', line)),
    '',
    fields(paint, aboutOf(listing)),
    '',
    paint('bold', 'It'),
    ...(reach.length === 0 ? ['  may compute, and nothing else'] : reach.map((line) => reachText(paint, line))),
    '',
    paint('bold', 'Trust'),
    fields(paint, trustOf(listing)),
    '',
    `${paint('bold', 'Health')}  ${paint(health.verdict === 'poor' ? 'red' : 'dim', health.verdict)}`,
    fields(paint, healthOf(listing)),
    '',
    columns(
      paint,
      ['VERSION', 'CHANNELS', 'SINCE', ''],
      listing.versions
        .slice(0, VERSIONS_SHOWN)
        .map((each) => [
          each.version,
          (each.version === latestVersion ? ['latest', ...each.tags] : each.tags).join(' '),
          each.publishedAt,
          each.yanked
            ? 'yanked'
            : [each.halted && 'halted', each.deprecated && 'deprecated'].filter(Boolean).join(', '),
        ]),
    ),
    ...(comparison === null
      ? []
      : [
          '',
          paint('bold', `From ${comparison.fromVersion} to ${comparison.toVersion}`),
          diffText(paint, comparison.changes),
        ]),
    ...(listing.readme === null ? [] : ['', paint('dim', `README: gate info ${plugin}@${version} --readme`)]),
  ].join('\n');
}

function warnings({ blocked, yanked, deprecated, compatibility }: Listing): string[] {
  const notice = (word: string, { reason, replacement }: { reason: string; replacement: string | null }) =>
    `${word}: ${oneLine(reason)}${replacement === null ? '' : ` Take ${replacement}.`}`;
  return [
    ...(blocked ? [`Blocked: ${oneLine(blocked.reason)}`] : []),
    ...(yanked ? [notice('Yanked', yanked)] : []),
    ...(deprecated ? [notice('Deprecated', deprecated)] : []),
    ...(compatibility.compatible ? [] : [oneLine(compatibility.why)]),
  ];
}

const aboutOf = ({ publisher, categories, kind, pricing, compatibility, homepage, support }: Listing) =>
  [
    ['publisher', `${publisher.name} (${publisher.slug})`],
    ['kind', `${kind}, ${categories.join(', ')}`],
    ['price', priceText(pricing)],
    ['runs here', `${compatibility.compatible ? 'yes' : 'no'}. ${compatibility.why}`],
    ...(homepage === null ? [] : [['homepage', homepage]]),
    ...(support === null ? [] : [['support', support]]),
  ] as [string, string][];

function reachText(paint: Paint, { text, reason, optional }: Listing['reach'][number]): string {
  const why = reason === null ? '' : paint('dim', `  "${oneLine(reason)}"`);
  return `  ${oneLine(text)}${optional ? paint('dim', ' (optional)') : ''}${why}`;
}

function trustOf({ trust }: Listing): [string, string][] {
  const { publisherKey, countersigned, logPosition, provenance, scan, review, origin } = trust;
  const findings = Object.entries(scan?.findings ?? {}).map(([severity, count]) => `${count} ${severity}`);
  return [
    [
      'signed',
      `by key ${publisherKey.slice(0, 16)}…${countersigned ? ', and by the registry' : ', not yet by the registry'}`,
    ],
    ...(origin === null
      ? []
      : ([
          ['imported', `from the registry with the key ${origin.registryKeyId.slice(0, 16)}…, ${origin.importedAt}`],
        ] satisfies [string, string][])),
    ['logged', logPosition === null ? 'not yet' : `entry ${logPosition} of the transparency log`],
    [
      'built',
      provenance === null
        ? 'its publisher does not say where'
        : `from ${provenance.repository} at ${provenance.commit.slice(0, 12)} by ${provenance.builder}`,
    ],
    [
      'scanned',
      scan === null ? 'no' : `${scan.verdict}${findings.length === 0 ? '' : ` (${findings.join(', ')})`}, ${scan.at}`,
    ],
    [
      'reviewed',
      review === null
        ? 'no'
        : `${review.automatic ? 'by rule, its publisher is trusted with patches' : 'by a moderator'}, ${review.at}`,
    ],
  ];
}

function healthOf({ health }: Listing): [string, string][] {
  const { words, p95Ms, speed, updatedAt, activity } = health;
  return [
    ['errors', words],
    ['speed', p95Ms === null ? 'unknown' : `${speed}: 95 of 100 answers within ${p95Ms} ms`],
    ['updated', updatedAt === null ? 'never' : `${updatedAt} (${activity})`],
  ];
}

/** A stranger's text over several lines: nothing in it moves the cursor or paints. */
const plainText = (text: string): string =>
  text
    .split('\n')
    .map((line) => oneLine(line.replaceAll('\t', '    ')))
    .join('\n');

export function infoCommand(cli: Cli): void {
  verb(cli, {
    name: 'info',
    summary: 'Show everything about a plugin: what it may do, trust, health, versions, README',
    examples: [
      'gate info acme-labs/hello',
      'gate info acme-labs/hello@1.2.0 --against 1.1.0',
      'gate info acme-labs/hello --readme',
      'gate info acme-labs/hello --locale zh --json',
    ],
  })
    .argument('<plugin>', '<publisher>/<name>, <publisher>/<name>@<version or channel>')
    .option('--against <version>', 'show what changes from this version; default: the one that you have installed')
    .option('--locale <language>', LISTING_LOCALES.join(' or '))
    .option('--readme', 'show its README alone')
    .option('--changelog', 'show its changelog alone')
    .action(
      cli.answer(async (text: string, { readme, changelog, ...options }: InfoOptions) => {
        const listing = await readInfo(await cli.api({ anonymous: true }))(text, options);
        if (!readme && !changelog) return { value: listing, text: (paint) => listingText(paint, listing) };
        const name = readme ? 'readme' : 'changelog';
        const found = listing[name];
        return {
          value: { plugin: listing.plugin, version: listing.version, [name]: found },
          text: () =>
            found === null ? `The release has no ${readme ? 'README' : 'changelog'}.` : plainText(found.markdown),
          exitCode: found === null ? 1 : 0,
        };
      }),
    );
}
