import { readFileSync } from 'node:fs';
import {
  CALL_BODY_UNITS_MAX,
  CALL_DEPTH_MAX,
  CALL_HEADERS_MAX,
  CALL_PATH_UNITS_MAX,
  CAPABILITIES,
  CAPABILITY_REFUSALS,
  type CapabilityName,
  EVENT_ATTEMPTS_MAX,
  EVENT_BACKLOG_MAX,
  EVENT_BURST_MAX,
  EVENT_BYTES_MAX,
  EVENT_SUBSCRIBERS_MAX,
  EVENT_TOPIC_UNITS_MAX,
  EVENT_TOPICS_MAX,
  EVENTS_PER_SECOND,
  FETCH_HEADERS_MAX,
  FETCH_REQUEST_BYTES_MAX,
  FETCH_RESPONSE_BYTES_MAX,
  FETCH_TIMEOUT_MS,
  FETCHES_AT_ONCE_MAX,
  KV_ENTRIES_MAX,
  KV_KEY_UNITS_MAX,
  KV_KEYS_MAX,
  KV_OPERATIONS_MAX,
  KV_READ_BYTES_MAX,
  KV_VALUE_BYTES_MAX,
  NOTIFY_PER_HOUR_MAX,
  NOTIFY_TEXT_UNITS_MAX,
  NOTIFY_TITLE_UNITS_MAX,
  QUEUE_ATTEMPTS_DEFAULT,
  QUEUE_BACKLOG_MAX,
  QUEUE_DELAY_SECONDS_MAX,
  QUEUE_KEY_UNITS_MAX,
  QUEUE_MESSAGE_BYTES_MAX,
  SECRET_UNITS_MAX,
  SECRETS_MAX,
} from './contract/index.ts';

type LimitRow = [what: string, most: number, unit: string];

interface Chapter {
  /** Where it is found in a plugin. */
  found: string;
  /** What an author has to know beyond the types. */
  words: string;
  /** Interfaces of the contract that are shown, as `<file> <name>`. */
  shows: string[];
  limits: LimitRow[];
}

/** One chapter for each capability: a capability without one does not compile. */
const CHAPTERS: Record<CapabilityName, Chapter> = {
  kv: {
    found: 'ctx.kv',
    words: `JSON values under text keys, in PostgreSQL, seen by one installation alone. Every operation is atomic, and durable when its
promise resolves. \`version\` counts the changes of an entry from 1; write with the version that you read, and nobody's change is
lost. A transaction does all of its operations or none, and never waits for another one in a circle. \`increment\`, everything with
\`ifVersion\` and transactions happen once for each call, even where the database or the host went away before the answer came. Entries
with \`ttlSeconds\` are absent afterwards, and start at version 1 again. What is read costs CPU time of the invocation, 3 ms for a MiB;
less than a KiB costs none.`,
    shows: ['kv Kv', 'kv KvOperation', 'kv KvOperationResult'],
    limits: [
      ['one value, as JSON', KV_VALUE_BYTES_MAX, 'bytes'],
      ['a key', KV_KEY_UNITS_MAX, 'characters'],
      ['entries of an installation', KV_ENTRIES_MAX, 'entries'],
      ['keys of one getMany', KV_KEYS_MAX, 'keys'],
      ['what getMany, or a page of list, returns', KV_READ_BYTES_MAX, 'bytes'],
      ['operations of one transaction', KV_OPERATIONS_MAX, 'operations'],
    ],
  },
  config: {
    found: 'ctx.config',
    words: `What the operator entered, checked against the schema in the manifest and by the plugin's own \`configure\`. It is part of the
input: reading it is no call. Without the grant it is null.`,
    shows: [],
    limits: [],
  },
  log: {
    found: 'ctx.log',
    words: `Records with a level, a message and plain facts. They cost no call; what is over the invocation's \`logBytes\` is dropped.
\`console\` works without a grant.`,
    shows: ['log Log'],
    limits: [],
  },
  events: {
    found: 'ctx.events',
    words: `The manifest says what is published and what is heard:

\`\`\`json
"events": {
  "publishes": ["order.shipped"],
  "subscribes": [{ "topic": "order.paid", "from": "acme/shop" }]
}
\`\`\`

A subscriber needs the capability too, and a hook \`events.<topic>\`. Only installations of the same operator hear an event, never the
publisher's own; \`from\` in the event is said by the host, so that nobody can pose as another plugin. An event is delivered at least
once to each subscriber, in no certain order. After a fault it is delivered again after 1, 4, 16 seconds and so on; then it is given up,
and the subscriber's log says so. Within one attempt what it does with \`kv\`, \`events\` and
\`notify\` has its effect once, also when a host dies in the middle of it; over several attempts \`eventId\` is the key for exactly-once work. An event that follows from an event is one level
deeper, as is a call; no more than ${CALL_DEPTH_MAX} levels follow from one another.`,
    shows: ['events Events', 'events TopicEvent'],
    limits: [
      ['a payload, as JSON', EVENT_BYTES_MAX, 'bytes'],
      ['a topic', EVENT_TOPIC_UNITS_MAX, 'characters'],
      ['topics published, and topics subscribed to', EVENT_TOPICS_MAX, 'topics'],
      ['subscribers of one event', EVENT_SUBSCRIBERS_MAX, 'installations'],
      ['events of an installation at once, on each host', EVENT_BURST_MAX, 'events'],
      ['and from then on', EVENTS_PER_SECOND, 'events per second'],
      ['deliveries of an operator that are under way', EVENT_BACKLOG_MAX, 'deliveries'],
      ['attempts', EVENT_ATTEMPTS_MAX, 'attempts'],
      ['levels', CALL_DEPTH_MAX, 'events and calls'],
    ],
  },
  plugins: {
    found: 'ctx.plugins',
    words: `The manifest says what is called:

\`\`\`json
"dependencies": [
  { "plugin": "acme/prices", "range": "^1.2.0", "routes": ["GET /prices/:id"], "hooks": ["order.paid"] }
]
\`\`\`

The other plugin runs as its own installation of the same operator: with its own grants, by its own limits, on its own bill. It has no
longer than what is left of the caller's \`wallMs\`, and ends when the caller does. Its \`ctx.caller\` is
\`{ kind: 'plugin', id, plugin, installation }\`; routes for the operator only are closed to plugins. Whoever waits for an answer cannot be
called by the one that makes it. Where the other plugin is not run or fails, the error's \`reason\` is the code; its message and
stack stay with its publisher.`,
    shows: ['plugins Plugins', 'plugins PluginRequest'],
    limits: [
      ['a path with its query', CALL_PATH_UNITS_MAX, 'characters'],
      ['a body, or a payload as JSON', CALL_BODY_UNITS_MAX, 'characters'],
      ['headers', CALL_HEADERS_MAX, 'headers'],
      ['levels', CALL_DEPTH_MAX, 'events and calls'],
    ],
  },
  notify: {
    found: 'ctx.notify',
    words: `A message stands among the operator's notifications (\`gate notifications\`), under the name of the installation: the host
says who speaks. \`link\` is a path of one of the plugin's own GET routes.`,
    shows: ['notify Notify'],
    limits: [
      ['a title, of one line', NOTIFY_TITLE_UNITS_MAX, 'characters'],
      ['a text', NOTIFY_TEXT_UNITS_MAX, 'characters'],
      ['messages of an installation', NOTIFY_PER_HOUR_MAX, 'messages per hour'],
    ],
  },
  queue: {
    found: 'ctx.queue',
    words: `Messages of an installation to itself, handled later by its hooks \`queue.<name>\`, by one host at a time. The manifest declares the
queues, and how often and after which pause (twice as long each time, at most six hours) a message that failed is handled again:

\`\`\`json
"queues": [{ "name": "mails", "attempts": 5, "backOffSeconds": 10 }]
\`\`\`

Every attempt is the same invocation: same id, same random values. Effects of an attempt that failed later are recorded and not repeated
(\`kv.increment\` counts once, a message is sent once), and requests carry the same \`Idempotency-Key\`. Plain \`kv.set\` writes
again, and what was read is read anew. Of messages with the same \`key\` only the first counts, until a day after it ended. What fails to the
end is kept for 30 days as a dead letter, which the operator can try again (\`gate queue\`). A message that could not be run, because the
installation was busy, disabled or suspended, waits; that is no attempt. In tests, \`harness.runQueue()\` runs what is due.`,
    shows: ['queue Queue', 'queue QueueEvent'],
    limits: [
      ['a payload, as JSON', QUEUE_MESSAGE_BYTES_MAX, 'bytes'],
      ['a key', QUEUE_KEY_UNITS_MAX, 'characters'],
      ['a delay', QUEUE_DELAY_SECONDS_MAX, 'seconds'],
      ['messages of an installation that wait', QUEUE_BACKLOG_MAX, 'messages'],
      ['attempts, where the manifest does not say', QUEUE_ATTEMPTS_DEFAULT, 'attempts'],
    ],
  },
  fetch: {
    found: 'fetch',
    words: `The global of the Fetch standard, to the hosts that \`fetchHosts\` in the manifest names and to no others: over https, to
addresses of the public internet only, looked up once and checked again at every redirect. The manifest may bind secrets to hosts: the
host adds them as headers, and takes them out of answers.

\`\`\`json
"fetchHosts": ["api.example.com", "*.cdn.example.com", "shop.example.com:8443", "config:endpoint"]
\`\`\`

A wildcard stands for all names below, \`config:endpoint\` for the host that the operator enters in that field of the configuration. At most
five redirects are followed, credentials stay with their origin. Headers that frame, route or attribute a message (\`Host\`,
\`Connection\`, \`X-Forwarded-*\`, \`Proxy-*\` and the like) are left out. The answer is read to its end, decoded, before the promise
resolves; there are no cookies and no cache. How many requests an invocation may send is its limit \`fetches\`. Of the requests of an installation that come at once
those over the last limit below wait in order, as part of their time. A request that changes something carries an \`Idempotency-Key\`
unless it has one. A refusal is a TypeError whose \`code\` says why.`,
    shows: [],
    limits: [
      ['a body that is sent', FETCH_REQUEST_BYTES_MAX, 'bytes'],
      ['an answer, decoded', FETCH_RESPONSE_BYTES_MAX, 'bytes'],
      ['headers of a request', FETCH_HEADERS_MAX, 'headers'],
      ['the time for a whole answer', FETCH_TIMEOUT_MS, 'milliseconds'],
      ['requests of an installation under way at a time, on each host', FETCHES_AT_ONCE_MAX, 'requests'],
    ],
  },
  secrets: {
    found: 'ctx.secrets',
    words: `Names of what the operator entered (\`gate secrets\`); the values are added to requests outside of the isolate, as \`secrets\` in
the manifest says:

\`\`\`json
"secrets": [
  { "name": "API_KEY", "reason": "Signs in at the shop's server.",
    "send": { "hosts": ["api.example.com"], "header": "authorization", "format": "Bearer {}" } }
]
\`\`\`

The header is set over whatever the plugin set, on requests to these hosts alone, each of them one of \`fetchHosts\`. Where a host allows
\`http:\`, for development, requests with a secret go over it to addresses of the same machine alone; others are refused with \`fetch-url-refused\`. While a secret that is not
\`optional\` is missing, requests to its hosts are refused with \`secret-missing\`. A value that the other side repeats reaches the plugin as
\`[secret API_KEY]\`, also as base64, in JSON or in a URL, if it has at least 8 characters.

A secret without \`send\` can be a key of \`crypto.subtle\`, which the host computes. Its value never enters the isolate, and such a key
cannot be exported; \`raw\` takes the text itself, \`pkcs8\` and \`spki\` take PEM, \`jwk\` takes JSON. It is refused with \`crypto-key-refused\`
where the secret is no such key, is sent in headers, or was not granted:

\`\`\`ts
const key = await crypto.subtle.importKey('raw', { secret: 'SIGNING_KEY' }, { name: 'HMAC', hash: 'SHA-256' }, false, ['verify']);
const genuine = await crypto.subtle.verify('HMAC', key, signature, body);
\`\`\``,
    shows: ['secrets Secrets'],
    limits: [
      ['a value', SECRET_UNITS_MAX, 'characters'],
      ['secrets of a plugin', SECRETS_MAX, 'secrets'],
    ],
  },
  'secret-values': {
    found: 'ctx.secrets.get',
    words: `The values themselves, for what no header can do. They are taken out of the log.`,
    shows: [],
    limits: [],
  },
};

/** The text of docs/capabilities.md. Write it again after a change: `node plugins-sdk/capability-guide.ts > docs/capabilities.md`. */
export function capabilityGuide(): string {
  const chapters = Object.entries(CHAPTERS).map(([name, chapter]) => chapterText(name as CapabilityName, chapter));
  return `${INTRODUCTION}\n${chapters.join('\n')}`;
}

function chapterText(name: CapabilityName, { found, words, shows, limits }: Chapter): string {
  const { purpose, calls, refusals } = CAPABILITIES[name];
  const shown = shows.length === 0 ? '' : `\n\`\`\`typescript\n${shows.map(declarationOf).join('\n\n')}\n\`\`\`\n`;
  return [
    `## ${name}\n`,
    `> ${purpose}\n`,
    `In a plugin: \`${found}\`. ${callWords(Object.keys(calls))}\n`,
    `${words}\n${shown}`,
    limits.length === 0 ? '' : `| limit | most | unit |\n|---|---:|---|\n${limits.map(limitRow).join('\n')}\n`,
    Object.keys(refusals).length === 0 ? '' : `${refusalTable(refusals)}\n`,
  ]
    .filter((part) => part !== '')
    .join('\n');
}

const callWords = (calls: string[]): string =>
  calls.length === 0 ? 'It makes no host calls.' : `Host calls: ${calls.map((call) => `\`${call}\``).join(', ')}.`;

const limitRow = ([what, most, unit]: LimitRow): string => `| ${what} | ${most.toLocaleString('en-US')} | ${unit} |`;

const refusalTable = (refusals: object): string =>
  `| code | meaning |\n|---|---|\n${Object.entries(refusals)
    .map(([code, meaning]) => `| \`${code}\` | ${meaning} |`)
    .join('\n')}`;

/** A declaration as it stands in the contract, with its comments. */
function declarationOf(name: string): string {
  const [file, type] = name.split(' ') as [string, string];
  const source = readFileSync(new URL(`./contract/capabilities/${file}.ts`, import.meta.url), 'utf8');
  const at = source.search(new RegExp(`^export (?:interface|type) ${type}\\b`, 'm'));
  if (at < 0) throw new Error(`the contract has no ${name}`);
  const rest = source.slice(at + 'export '.length);
  const end = rest.startsWith('interface') ? rest.indexOf('\n}') + 2 : rest.search(/;\n(?:\n|$)/) + 1;
  return rest.slice(0, end);
}

/** Refusals that every capability has. */
const GENERAL = (
  ['capability-denied', 'capability-arguments-invalid', 'capability-unavailable', 'invocation-over'] as const
)
  .map((code) => `| \`${code}\` | ${CAPABILITY_REFUSALS[code]} |`)
  .join('\n');

const INTRODUCTION = `# Capabilities

All that a plugin can do beyond computing. The manifest declares a capability with a reason, the operator grants it, and the host
checks the grant at every call, before it looks at anything else:

\`\`\`json
"capabilities": [
  { "name": "kv", "reason": "Keeps the stock between orders." },
  { "name": "notify", "optional": true, "reason": "Tells you when the stock runs low." }
]
\`\`\`

Every call counts towards the limits \`hostCalls\` and \`hostCallBytes\` of its invocation ([sandbox.md](sandbox.md)). A call that is
refused rejects with an Error whose \`code\` is permanent. Beside the codes in the chapters, every capability has these; what to do
about each stands in [errors.md](errors.md).

| code | meaning |
|---|---|
${GENERAL}

Operators see with \`gate grants <installation>\` what was granted, when each capability was used last, and which ones were granted but not
used for 30 days. \`--revoke\` takes one away at once: calls of invocations that run are refused as well. Calls, bytes and time of every
capability are metered for each installation and hour (\`usage_capabilities\`) and for the whole host
(\`gatehouse_capability_calls_total\`, \`_bytes_total\` and \`_seconds_total\` by \`capability\`).
`;

if (import.meta.main) process.stdout.write(capabilityGuide());
