import type { Json } from '../../plugins-sdk/contract/index.ts';
import type { Page, PageRequest, Principal } from '../../registry/index.ts';

export type MessageState = 'waiting' | 'done' | 'dead';

/** One message, as its operator sees it. */
export interface QueueMessage {
  id: string;
  queue: string;
  state: MessageState;
  /** Attempts that ended with a fault, of how many. */
  attempts: number;
  attemptsMax: number;
  /** When it may run, or ran, next. */
  dueAt: string;
  createdAt: string;
  /** Why the last attempt failed; null where none did. */
  error: string | null;
  payload: Json;
}

/** Queues of an operator's installations. */
export interface Queues {
  /** Newest first. Refuses with: installation-unknown. */
  list(
    actor: Principal,
    installationId: string,
    filter: PageRequest & { state?: MessageState; queue?: string },
  ): Promise<Page<QueueMessage>>;
  /** Gives a dead message all its attempts again. Refuses with: installation-unknown, queue-message-unknown. */
  retry(actor: Principal, installationId: string, id: string): Promise<QueueMessage>;
  /** Idempotent; an attempt that runs ends. Refuses with: installation-unknown. */
  remove(actor: Principal, installationId: string, id: string): Promise<void>;
}

/** A message that is to be stored. */
export interface NewMessage {
  /** UUIDv7; also the id of its invocation, however often that is attempted, so that its effects happen once. */
  id: string;
  /** The same for the same call of the same invocation: storing it again changes nothing. */
  callId: string;
  installationId: string;
  queue: string;
  key: string | null;
  payload: string;
  delayMs: number;
  attemptsMax: number;
  depth: number;
  seed: string;
}

/** A stored message, as whoever runs it needs it. */
export interface StoredMessage extends Omit<NewMessage, 'callId' | 'key' | 'delayMs'> {
  state: MessageState;
  attempts: number;
  createdAtMs: number;
}

/** One message that is due at some time, for whoever hands out. */
export interface Dispatch {
  id: string;
  delayMs: number;
  /** Messages of the same installation that wait before it: the more, the later it comes among those of others. */
  rank: number;
}

/** Hands every message to exactly one host of all, when it is due. May forget: what is stored is dispatched again. */
export interface Dispatcher {
  dispatch(message: Dispatch): Promise<void>;
  /** Begins to take messages. `run` says what becomes of each; a rejection hands it out again later. */
  start(run: (id: string) => Promise<Verdict>): void;
  /** Takes nothing more and waits for what runs. */
  close(): Promise<void>;
}

/** `ended`: nothing more is to be done. `again`: hand it out once more after a while. */
export type Verdict = { next: 'ended' } | { next: 'again'; delayMs: number };
