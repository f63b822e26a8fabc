import {
  type ListingLocale,
  type ReleaseStatement,
  reachLines,
  statementDigest,
} from '../../plugins-sdk/contract/index.ts';
import type { Release } from '../contract.ts';
import { RegistryRefusal } from '../errors.ts';
import { isVersion, pluginName } from '../rules/plugin-name.ts';
import { may } from '../rules/token-rights.ts';
import type { Compatibility, ListedPicture, Listings, Viewer } from './contract.ts';
import type { FactsStore } from './facts-store.ts';
import { imageAddress } from './make-page.ts';
import type { PageStore, ReleasePage } from './page-store.ts';
import { healthOf } from './rules/health.ts';

export interface ReadListingPorts {
  /** As whoever asks may see it; without a version the newest published one. */
  findRelease(name: {
    publisher: string;
    name: string;
    version?: string;
  }): Promise<{ release: Release; publisherId: string } | null>;
  facts: FactsStore;
  pageOf(release: Release): Promise<ReleasePage>;
  compatibility(engine: string): Compatibility;
  /** 95 of 100 durations are no longer; null where there are none. */
  p95Ms(durations: readonly number[]): number | null;
  nowMs(): number;
}

const SHOWN_STATES = ['published', 'deprecated', 'yanked'];
const NO_PAGE: ReleasePage = { readme: null, changelog: null, readmeHtml: null, changelogHtml: null, images: [] };

export const readListing =
  (ports: ReadListingPorts): Listings['details'] =>
  async (viewer, { plugin, version: wish, locale = 'en' }) => {
    const { release } = await findShown(ports, viewer, plugin, wish);
    const { manifest, version, digest } = release;
    const statement: ReleaseStatement = { publisher: manifest.publisher, name: manifest.name, version, digest };
    const facts = await ports.facts.factsOf(release.id, statementDigest(statement));
    const figures = await ports.facts.figuresOf(facts.pluginId);
    // What was taken down is not shown any more, whatever it says.
    const page = release.blocked === null ? await ports.pageOf(release) : NO_PAGE;
    const { durations, ...measured } = figures;
    const health = healthOf({ ...measured, p95Ms: ports.p95Ms(durations) }, ports.nowMs());
    const { pluginId, publisherName, latestVersion, versions, scan, review, logPosition } = facts;
    const [first, ...others] = release.envelope.signatures;
    const details = {
      plugin,
      version,
      latestVersion,
      ...shownTexts(release, locale),
      publisher: { slug: manifest.publisher, name: publisherName },
      kind: manifest.kind,
      pricing: manifest.pricing ?? { model: 'free' as const },
      publishedAt: SHOWN_STATES.includes(release.state) ? release.reviewedAt : null,
      deprecated: release.deprecated,
      yanked: release.yanked,
      blocked: release.blocked,
      ...shownPage(release, page, locale),
      reach: reachLines(manifest, locale),
      compatibility: ports.compatibility(manifest.engine),
      trust: {
        digest,
        publisherKey: first!.keyid,
        countersigned: others.length > 0,
        logPosition,
        provenance: release.provenance,
        origin: release.origin,
        scan,
        review,
      },
      health,
      versions,
    };
    return { details, release, pluginId };
  };

export const readRelease =
  (ports: Pick<ReadListingPorts, 'findRelease' | 'facts'>): Listings['release'] =>
  async (viewer, { plugin, version }) =>
    (await findShown(ports, viewer, plugin, version)).release;

async function findShown(
  ports: Pick<ReadListingPorts, 'findRelease' | 'facts'>,
  viewer: Viewer,
  plugin: string,
  wish: string | undefined,
) {
  const named = pluginName(plugin);
  const unknown = () => new RegistryRefusal('release-unknown', undefined, { plugin, ...(wish && { version: wish }) });
  if (named === null) throw unknown();
  const isExact = wish === undefined || wish === 'latest' || isVersion(wish);
  const version = isExact ? wish : await ports.facts.versionOfTag(named, wish);
  if (version === null) throw unknown();
  const found = await ports.findRelease(version === undefined || version === 'latest' ? named : { ...named, version });
  if (found === null) throw unknown();
  const { state } = found.release;
  const own = viewer !== null && (viewer.organisation.id === found.publisherId || may(viewer, 'release:review'));
  if (!own && !SHOWN_STATES.includes(state)) throw unknown();
  return found;
}

function shownTexts({ manifest }: Release, locale: ListingLocale) {
  const { listing = {}, title, description, category } = manifest;
  return {
    title: listing.title?.[locale] ?? title,
    description: listing.description?.[locale] ?? description,
    locale,
    category,
    categories: [category, ...(listing.categories ?? [])],
    homepage: listing.homepage ?? null,
    support: listing.support ?? null,
  };
}

function shownPage({ plugin, manifest }: Release, page: ReleasePage, locale: ListingLocale) {
  const pictures = new Map(
    page.images.map(({ file, sha256, mediaType, width, height }): [string, ListedPicture] => [
      file,
      { address: imageAddress(plugin, sha256), mediaType, width, height },
    ]),
  );
  const { icon, screenshots = [] } = manifest.listing ?? {};
  const text = (markdown: string | null, html: string | null) =>
    markdown === null || html === null ? null : { markdown, html };
  return {
    icon: (icon !== undefined && pictures.get(icon)) || null,
    screenshots: screenshots.flatMap(({ file, caption }) => {
      const picture = pictures.get(file);
      return picture ? [{ ...picture, caption: caption?.[locale] ?? caption?.en ?? null }] : [];
    }),
    readme: text(page.readme, page.readmeHtml),
    changelog: text(page.changelog, page.changelogHtml),
  };
}

export const readImageOf =
  ({ pages }: { pages: Pick<PageStore, 'image'> }): Listings['image'] =>
  async (plugin, sha256) => {
    const named = pluginName(plugin);
    const image = named && /^[0-9a-f]{64}$/.test(sha256) ? await pages.image(named, sha256) : null;
    if (image === null) throw new RegistryRefusal('listing-image-unknown');
    return image;
  };
