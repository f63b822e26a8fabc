import type { TSchema } from 'typebox';

/** What one capability is: everything about it that is known without running anything. */
export interface Capability {
  /** What an operator reads before granting it. */
  purpose: string;
  /**
   * Every host call and the schema of its arguments, checked by the host before any work is done. Named
   * `<capability>.<verb>`.
   */
  calls: Readonly<Record<string, TSchema>>;
  /** Why a call of this capability may be refused, beside the reasons that all have: a permanent code and a sentence. */
  refusals: Readonly<Record<string, string>>;
}
