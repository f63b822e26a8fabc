/**
 * Why calls of single capabilities may be refused, beside the reasons that all have: permanent codes, a sentence each. Texts
 * alone: sandbox processes import this file, and can read no packages.
 */
export const REFUSALS = {
  kv: {
    'kv-version-conflict': 'The entry was changed by somebody else since it was read.',
    'kv-value-too-large': 'The value is larger than one entry may be.',
    'kv-quota-exceeded': 'The installation has as many entries as it may have.',
    'kv-read-too-large': 'The entries are larger together than one call may return; read fewer of them at once.',
  },
  events: {
    'event-topic-undeclared': 'The manifest does not declare that the plugin publishes this topic.',
    'event-too-large': 'The payload is larger than one event may be.',
    'event-rate-exceeded': 'The installation publishes more events than it may.',
    'event-backlog-full': 'The operator has as many events under way as it may have.',
  },
  plugins: {
    'dependency-undeclared': 'The manifest does not declare this plugin, or not this route or hook of it.',
    'dependency-missing': 'The operator has no installation of this plugin that fits and can be called.',
    'call-depth-exceeded': 'Too many calls and events have followed from one another.',
    'call-cycle': 'The plugin that is called waits for this very call.',
    'callee-refused': 'The plugin was not run; `reason` is the code.',
    'callee-failed': 'The plugin was run and failed; `reason` is the code of its fault.',
  },
  notify: {
    'notify-rate-exceeded': 'The installation has sent as many messages within the hour as it may.',
    'notify-link-unknown': 'The link leads to no route of the plugin.',
  },
  fetch: {
    'fetch-url-refused': 'The address or a header is one that must not be sent; the message says which and why.',
    'fetch-host-undeclared': 'The manifest does not declare this host in `fetchHosts`.',
    'fetch-address-refused': 'The host leads to an address that is not on the public internet.',
    'fetch-failed': 'The request failed on the network, or its answer could not be read.',
    'fetch-timeout': 'The answer was not there in time.',
    'fetch-redirects-exceeded': 'The answer is one redirect more than are followed.',
    'fetch-request-too-large': 'The body of the request is larger than allowed.',
    'fetch-response-too-large': 'The answer, decoded, or its headers are larger than allowed.',
    'fetch-limit': 'The invocation sent as many requests as it may.',
  },
  queue: {
    'queue-undeclared': 'The manifest does not declare this queue.',
    'queue-message-too-large': 'The payload is larger than one message may be.',
    'queue-full': 'As many messages of the installation wait as may.',
  },
  crypto: {
    'crypto-cpu-exhausted':
      'The operations of crypto.subtle would need more CPU time together than the invocation may use.',
    'crypto-key-refused':
      'This secret is sent in headers and cannot be a key too, or the plugin was not granted `secrets`.',
  },
  secrets: {
    'secret-undeclared': 'The manifest does not declare this secret.',
    'secret-missing': 'The operator has not entered this secret yet.',
  },
} as const;

export type RefusalsOfCapabilities = {
  [Each in keyof typeof REFUSALS]: keyof (typeof REFUSALS)[Each];
}[keyof typeof REFUSALS];

export const ALL_REFUSALS = Object.assign({}, ...Object.values(REFUSALS)) as Record<RefusalsOfCapabilities, string>;
