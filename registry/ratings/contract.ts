import type { Page, PageRequest, Principal } from '../contract.ts';

export interface Rating {
  id: string;
  plugin: string;
  /** 1 to 5. */
  stars: number;
  body: string;
  /** The version that its author had installed. */
  version: string;
  /** Whether it is of the organisation that asks. */
  own: boolean;
  /** How many organisations found it helpful, and how many did not. */
  helpful: number;
  unhelpful: number;
  /** Why a moderator took it from view; null where it is shown. Only its own organisation and moderators see such ratings. */
  hidden: string | null;
  /** Of the publisher. */
  reply: { body: string; at: string } | null;
  createdAt: string;
  updatedAt: string;
}

export interface RatingReport {
  id: string;
  rating: Rating;
  reason: string;
  createdAt: string;
}

/** What those who installed a plugin think of it. An organisation has one voice, however many people it has. */
export interface Ratings {
  /** Those of a plugin, newest first; hidden ones as far as the actor sees them. Refuses with: cursor-invalid. */
  list(actor: Principal, filter: PageRequest & { plugin: string }): Promise<Page<Rating>>;
  /** Writes the organisation's rating, or writes it anew. Refuses with: plugin-unlisted, rating-not-installed, rating-own-plugin. */
  rate(actor: Principal, command: { plugin: string; stars: number; body: string }): Promise<Rating>;
  /** Idempotent. What a moderator hid loses its text and stays hidden, so that it is not written anew. */
  withdraw(actor: Principal, plugin: string): Promise<void>;
  /** Null takes the vote back. Refuses with: rating-unknown, rating-own, rating-own-plugin. */
  vote(actor: Principal, ratingId: string, helpful: boolean | null): Promise<Rating>;
  /** Of the publisher; null takes the reply back. Refuses with: rating-unknown. */
  reply(actor: Principal, ratingId: string, body: string | null): Promise<Rating>;
  /** Once for each organisation; moderators look at it. Refuses with: rating-unknown, rating-own. */
  report(actor: Principal, ratingId: string, reason: string): Promise<void>;
  /** Those that no moderator has settled, oldest first. Refuses with: cursor-invalid. */
  reports(filter: PageRequest): Promise<Page<RatingReport>>;
  /** Takes a rating from view, with the reason, or shows it again; settles every report about it. Refuses with: rating-unknown. */
  moderate(actor: Principal, ratingId: string, hide: string | null): Promise<Rating>;
}
