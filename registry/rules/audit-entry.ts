import { createHash } from 'node:crypto';
import type { Json } from '../../plugins-sdk/contract/index.ts';
import { storedText } from './stored-text.ts';

/** Who acted. Ids only: names of people are theirs to take away, and an entry stays for ever. */
export interface AuditActor {
  via: 'token' | 'session' | 'system' | 'anonymous';
  credentialId?: string;
  accountId?: string;
  organisationId?: string;
  role?: string;
  /** Which part of the platform acted by itself, such as `rollouts`. */
  part?: string;
}

/** Something that changed who may do what, or what runs, or that somebody tried to. */
export interface AuditEntry {
  /** `noun.verb`, kebab-case: `token.issue`, `release.approve`. */
  action: string;
  /** A principal and a person are good as they are. */
  actor: AuditActor | PrincipalFacts | PersonFacts;
  /** Whose matter it is, and who may therefore read it; null: the platform's alone. */
  organisationId: string | null;
  subject: { kind: string; id: string };
  /** What is to be seen of it before and after: small, without secrets. Members with telling names are redacted; what is large becomes a digest. */
  before?: Json;
  after?: Json;
  /** Default: done. */
  outcome?: AuditOutcome;
}

export type AuditOutcome = 'done' | 'unchanged' | 'refused';

/** What an entry needs to know of a principal. */
interface PrincipalFacts {
  via: 'token' | 'session';
  credentialId: string;
  role?: string;
  organisation?: { id: string } | null;
  account?: { id: string } | null;
}

/** The same of somebody who acts for themselves. */
interface PersonFacts {
  account: { id: string };
  sessionId: string;
}

/** Writes an entry. Inside of a transaction it is undone with it. */
export type Audit = (entry: AuditEntry) => Promise<void>;

/** Where a request came from. */
export interface AuditOrigin {
  requestId: string;
  address: string;
}

const REDACTED_NAME = /secret|password|passphrase|token$|pepper|private|otp|recovery|credential$|cookie|authorization/i;
/** Longer ones are shown by their digest. */
const STATE_CHARS_MAX = 4_000;
const TEXT_CHARS_MAX = 500;

/** The canonical JSON of an entry: sorted members, no insignificant space. */
export function auditContent(
  entry: AuditEntry,
  made: { id: string; atMs: number; origin: AuditOrigin | null },
): { content: string; at: string } {
  const { action, actor, organisationId, subject, before, after, outcome = 'done' } = entry;
  const at = new Date(made.atMs).toISOString();
  const content = canonicalJson({
    id: made.id,
    at,
    action,
    outcome,
    organisationId,
    actor: actorOf(actor),
    subject: { kind: subject.kind, id: clipped(subject.id) },
    ...(before === undefined ? {} : { before: stateOf(before) }),
    ...(after === undefined ? {} : { after: stateOf(after) }),
    ...(made.origin === null ? {} : { requestId: made.origin.requestId, address: clipped(made.origin.address) }),
  });
  return { content, at };
}

function actorOf(actor: AuditEntry['actor']): Json {
  if ('sessionId' in actor) return { via: 'session', credentialId: actor.sessionId, accountId: actor.account.id };
  if (!('organisation' in actor || 'account' in actor)) {
    const { via, credentialId, accountId, organisationId, role, part } = actor as AuditActor;
    return withoutAbsent({ via, credentialId, accountId, organisationId, role, part });
  }
  const { via, credentialId, role, organisation, account } = actor as PrincipalFacts;
  return {
    via,
    credentialId,
    ...(role === undefined ? {} : { role }),
    ...(organisation ? { organisationId: organisation.id } : {}),
    ...(account ? { accountId: account.id } : {}),
  };
}

const withoutAbsent = (members: Record<string, string | undefined>): Json =>
  Object.fromEntries(Object.entries(members).filter((each): each is [string, string] => each[1] !== undefined));

function stateOf(state: Json): Json {
  const redacted = redact(state);
  const text = canonicalJson(redacted);
  if (text.length <= STATE_CHARS_MAX) return redacted;
  return { sha256: createHash('sha256').update(text).digest('hex'), chars: text.length };
}

function redact(value: Json): Json {
  if (typeof value === 'string') return clipped(value);
  if (Array.isArray(value)) return value.map(redact);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, member]) => [
      storedText(key),
      REDACTED_NAME.test(key) && typeof member === 'string' ? '[redacted]' : redact(member),
    ]),
  );
}

const clipped = (text: string): string => storedText(text).slice(0, TEXT_CHARS_MAX).toWellFormed();

/** JSON with sorted members: one text for one value (in the spirit of RFC 8785, for values without odd numbers). */
export function canonicalJson(value: Json): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const members = Object.keys(value)
    .sort()
    .filter((key) => value[key] !== undefined)
    .map((key) => `${JSON.stringify(key)}:${canonicalJson(value[key]!)}`);
  return `{${members.join(',')}}`;
}

/** What comes before the first entry. */
export const FIRST_HASH = Buffer.alloc(32);

/** The hash of a link; the database computes the same, see migrations/0016-create-audit.ts. */
export function linkHash(before: Buffer, sequence: bigint, content: string): Buffer {
  const number = Buffer.alloc(8);
  number.writeBigInt64BE(sequence);
  return createHash('sha256').update(before).update(number).update(content, 'utf8').digest();
}

/** What a signature of a head is over. */
export const headText = (head: { sequence: bigint; hash: Buffer; signedAt: string }): Buffer =>
  Buffer.from(`gatehouse audit head\n${head.sequence}\n${head.hash.toString('hex')}\n${head.signedAt}\n`);
