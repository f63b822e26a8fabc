import type { Page, PageRequest, PluginListing } from '../contract.ts';

export const CATALOGUE_SORTS = ['relevance', 'popular', 'rating', 'newest', 'updated'] as const;
export type CatalogueSort = (typeof CATALOGUE_SORTS)[number];

export interface CatalogueFilter extends PageRequest {
  /** Words in English or any other language with spaces, or Chinese. All of them have to be found. */
  search?: string;
  category?: string;
  kind?: 'plugin' | 'game';
  price?: 'free' | 'paid';
  /** Capabilities that the plugin must not ask for. */
  without?: string[];
  /** Default: `relevance` with a search, else `popular`. */
  sort?: CatalogueSort;
}

/** How a plugin does, as of the last time that it was counted; see docs/marketplace.md. */
export interface Standing {
  /** 0 to 1: what `popular` sorts by. */
  score: number;
  /** Mean of `ratings` stars from 1 to 5; null without any. */
  rating: number | null;
  ratings: number;
  /** Owners of operators that have it installed. */
  operators: number;
}

export interface CataloguePlugin extends PluginListing {
  publishedAt: string;
  /** Null until it was counted for the first time. */
  standing: Standing | null;
}

/** One part of the score: `weight` times `value` are its `points`; the score is the sum of the points of all. */
export interface RankingTerm {
  term: 'rating' | 'operators' | 'retention' | 'uninstalls' | 'faults' | 'recency';
  /** 0 to 1; those of all terms make 1. */
  weight: number;
  /** 0 to 1. */
  value: number;
  points: number;
  /** What the value was computed from. */
  facts: Record<string, number | null>;
}

/** Why a plugin stands where it stands, as of the last time that it was counted; see docs/marketplace.md. */
export interface Ranking {
  plugin: string;
  score: number;
  /** Among all listed plugins by score, from 1. */
  place: number;
  of: number;
  terms: RankingTerm[];
}

export interface CataloguePage extends Page<CataloguePlugin> {
  /** What was searched for instead, where a word that no plugin has looks like a slip; null where nothing was changed. */
  correctedSearch: string | null;
}

export interface Catalogue {
  /** Refuses with: cursor-invalid. */
  search(filter: CatalogueFilter): Promise<CataloguePage>;
  /** Those that are not empty, with their number of plugins, by name. */
  categories(): Promise<{ category: string; plugins: number }[]>;
  /** What at least three operators of a plugin use as well, the likest first. Refuses with: plugin-unlisted. */
  alike(plugin: string): Promise<CataloguePlugin[]>;
  /** The score of a plugin, term by term; one that was never counted is as one that nobody has. Refuses with: plugin-unlisted. */
  ranking(plugin: string): Promise<Ranking>;
  /** Counts everything anew; false where another host is about it. */
  refresh(): Promise<boolean>;
}
