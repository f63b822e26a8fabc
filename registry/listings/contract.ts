import type { ListingLocale, Manifest, ReachLine } from '../../plugins-sdk/contract/index.ts';
import type { Principal, Provenance, Release, ReleaseNotice } from '../contract.ts';
import type { Health } from './rules/health.ts';

/** A picture as it is served; see `Listings.image`. */
export interface ListedPicture {
  /** Path on this host; changes with its bytes. */
  address: string;
  mediaType: string;
  /** In pixels; null for what has any size. */
  width: number | null;
  height: number | null;
}

/** A text of the archive. `html` is sanitised and may stand in a page. */
export interface ListedText {
  markdown: string;
  html: string;
}

export interface ListedVersion {
  version: string;
  publishedAt: string;
  /** Channels that point at it. */
  tags: string[];
  deprecated: boolean;
  yanked: boolean;
  /** Its staging was stopped, by its publisher or by what it answered: it comes to nobody who did not ask for it. */
  halted: boolean;
}

/** What was done before somebody may install it. */
export interface Trust {
  /** SHA-256 of the uncompressed archive. */
  digest: string;
  /** SHA-256 of the key that its publisher signed it with. */
  publisherKey: string;
  /** Whether the registry has signed it as well. */
  countersigned: boolean;
  /** Position of its approval in the transparency log; null where it is not there yet. */
  logPosition: number | null;
  provenance: Provenance | null;
  /** The registry that it was imported from, in a bundle; null where it was published here. */
  origin: Release['origin'];
  /** Null where it was not scanned. */
  scan: { verdict: string; at: string; findings: Record<string, number> } | null;
  /** Null where it was not reviewed. */
  review: { at: string; rounds: number; automatic: boolean } | null;
}

export interface Compatibility {
  /** What the release asks for. */
  engine: string;
  /** Version of this Gatehouse. */
  host: string;
  compatible: boolean;
  why: string;
}

/** Everything that somebody wants to know of a plugin before they install it. */
export interface ListingDetails {
  plugin: string;
  version: string;
  /** The newest published one; null where there is none. */
  latestVersion: string | null;
  title: string;
  description: string;
  locale: ListingLocale;
  publisher: { slug: string; name: string };
  category: string;
  categories: string[];
  kind: Manifest['kind'];
  pricing: NonNullable<Manifest['pricing']>;
  homepage: string | null;
  support: string | null;
  publishedAt: string | null;
  deprecated: ReleaseNotice | null;
  yanked: ReleaseNotice | null;
  /** It does not run anywhere any more; its texts and pictures are not shown. */
  blocked: Release['blocked'];
  icon: ListedPicture | null;
  screenshots: (ListedPicture & { caption: string | null })[];
  readme: ListedText | null;
  changelog: ListedText | null;
  /** What it may do once it is installed, in plain words. */
  reach: ReachLine[];
  compatibility: Compatibility;
  trust: Trust;
  health: Health;
  /** Newest first, at most 50. */
  versions: ListedVersion[];
}

/** Who looks: strangers too. */
export type Viewer = Principal | null;

export interface Listings {
  /**
   * `version`: a version or a channel; default: the newest published one. Makes the page of a release when it is asked for first.
   * Refuses with: release-unknown.
   */
  details(
    viewer: Viewer,
    wish: { plugin: string; version?: string; locale?: ListingLocale },
  ): Promise<{ details: ListingDetails; release: Release; pluginId: string }>;
  /** A release as `details` shows it. Refuses with: release-unknown. */
  release(viewer: Viewer, wish: { plugin: string; version?: string }): Promise<Release>;
  /** The bytes of a picture that a listing shows. Refuses with: listing-image-unknown. */
  image(plugin: string, sha256: string): Promise<{ mediaType: string; content: Buffer }>;
}
