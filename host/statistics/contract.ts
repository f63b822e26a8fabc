import type { Principal } from '../../registry/index.ts';

/** Use is told only where at least so many operators made it; many organisations of one person are one, and the publisher's own none. */
export const OPERATORS_MIN = 3;
export const RANGE_DAYS_MAX = 366;

/** What invocations came to. */
export interface PluginUse {
  invocations: number;
  errors: number;
  /** 0 to 1. */
  errorRate: number;
  /** Of those that were answered, in steps of 19 %; null where none was. */
  p95Ms: number | null;
  /** Calls of capabilities that enough operators made, most called first. */
  capabilities: { name: string; calls: number; refused: number }[];
}

export interface PluginFigures {
  /** Of the listing; about one for each reader and day. */
  views: number;
  installs: number;
  /** Installations that came to a release from another one. */
  updates: number;
  uninstalls: number;
  /** Installations at the end. */
  active: number;
  /** Of the days on which enough operators made it; null where there is none. */
  use: PluginUse | null;
}

/** Days in UTC, such as `2026-11-22`; both ends belong to it. */
export interface StatisticsRange {
  from: string;
  to: string;
}

export interface PluginStatistics extends StatisticsRange {
  plugin: string;
  /** When the last day was counted; null where no day was. */
  countedAt: string | null;
  operatorsMin: number;
  total: PluginFigures;
  /** Every day of the range. */
  days: (PluginFigures & { day: string })[];
  /** The newest first. Null: use of releases that too few operators ran, together with one of enough. */
  releases: (PluginFigures & { version: string | null })[];
}

export interface PublisherStatistics extends StatisticsRange {
  publisher: string;
  countedAt: string | null;
  operatorsMin: number;
  /** By name. */
  plugins: (PluginFigures & { plugin: string })[];
}

export interface Statistics {
  /** Of an own plugin; platform analysts see those of all. Refuses with: plugin-unknown, statistics-range-invalid. */
  ofPlugin(actor: Principal, plugin: string, range: Partial<StatisticsRange>): Promise<PluginStatistics>;
  /** Refuses with: organisation-foreign, statistics-range-invalid. */
  ofPublisher(actor: Principal, publisher: string, range: Partial<StatisticsRange>): Promise<PublisherStatistics>;
}
