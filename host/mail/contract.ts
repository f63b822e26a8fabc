/** One mail as somebody gets it. */
export interface SentMail {
  id: string;
  to: string;
  subject: string;
  text: string;
  createdAt: string;
  /** Null: not yet. */
  sentAt: string | null;
}
