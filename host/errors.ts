/** Everything the host refuses by itself. The registry, the sandbox and the plugin contract have tables of their own. */
export const HOST_REFUSALS = {
  'request-malformed': 'The request is not well-formed HTTP, or its path is not a well-formed URL path.',
  'headers-too-large': 'The request line and headers are larger than this host allows.',
  'target-too-long': 'The address is longer than this host allows.',
  'request-timeout': 'The request did not arrive in time.',
  'body-invalid': 'The body does not fit the schema; `faults` names every fault.',
  'query-invalid': 'The query or path does not fit the schema; `faults` names every fault.',
  'body-too-large': 'The body is larger than this route allows.',
  'body-malformed': 'The body is not well-formed JSON in UTF-8.',
  'content-type-unsupported': 'This route takes application/json.',
  'token-missing': 'This route needs an API token or a session: send `Authorization: Bearer <token>`.',
  'token-invalid': 'The API token is unknown, expired or revoked.',
  'session-needed': 'This is for people: it needs a session, and an API token is none.',
  'organisation-needed': 'Say for which of your organisations: send its slug as `Gatehouse-Organisation`.',
  'membership-missing': 'You do not belong to the organisation that `Gatehouse-Organisation` names.',
  'request-cross-site': 'The request changes something and comes from a page of another site.',
  'factor-required': 'This needs a second factor, and your account has none.',
  'step-up-required': 'This needs a second factor that was confirmed in the last ten minutes.',
  'permission-denied': "The token's role may not do this.",
  'route-unknown': 'There is nothing at this path.',
  'method-not-allowed': 'The path exists, but not with this method.',
  'upgrade-unsupported': 'Plugins are called by requests; there are no WebSockets.',
  'plugin-route-unknown': 'The plugin declares no route for this method and path.',
  'installation-unknown': 'There is no such installation, or it belongs to another operator.',
  'installation-disabled': 'The operator has disabled this installation.',
  'installation-suspended': 'The installation has broken its sandbox process too often, and is suspended.',
  'installation-slug-taken': 'The operator already has an installation with this slug.',
  'installation-id-taken': 'This id was used for another installation.',
  'installation-saturated':
    'The installation has as many invocations running and waiting as it may; try again shortly.',
  'cpu-budget-exhausted': 'The installation has used up its CPU time for now; try again as Retry-After says.',
  'statistics-range-invalid':
    'The range begins after its end, is longer than 366 days, or names a day that there is not.',
  'tails-saturated': 'As many as may already follow installations; end one of them first.',
  'capability-undeclared': 'A grant names a capability that the plugin does not declare.',
  'grant-missing': 'The plugin needs a capability that was not granted.',
  'config-invalid': "The configuration does not fit the plugin's schema; `faults` names every fault.",
  'release-not-installable': 'Only a published release can be installed.',
  'release-blocked': 'The release was blocked: it does not run on any host.',
  'reach-changed': 'Others run the release by now than those that you looked at.',
  'engine-incompatible': 'The release asks for another version of Gatehouse.',
  'consent-needed': 'The release may do more than the one before; its operator has to consent to what `changes` says.',
  'signing-weaker': 'The release is signed more weakly than the present one; `weaknesses` says in what.',
  'requirements-unmet':
    'The release requires plugins that the operator has not installed, or not in a version that fits.',
  'requirements-conflict': 'What the release requires does not go together.',
  'required-by-others': 'Other installations require this one.',
  'staging-unknown': 'This version has no staging.',
  'staging-invalid': 'The shares of the staging are not as they have to be.',
  'staging-state-invalid': 'The staging is in a state that does not allow this.',
  'rollout-running': 'A canary is running; promote it or roll it back first.',
  'rollout-unknown': 'No canary is running.',
  'rollback-target-unknown': 'The installation has no earlier release to go back to.',
  'installation-busy': 'Another change of this installation is being made; try again shortly.',
  'recording-unknown': 'There is no such recording, or it is not shared with your organisation.',
  'recordings-not-shared': 'The operator of this installation does not share its recordings.',
  'queue-message-unknown': 'There is no such message, or it is not dead.',
  'secret-unknown': 'The installed version of the plugin declares no such secret.',
  'webhook-unknown': 'Your organisation has no such endpoint.',
  'webhook-id-taken': 'This id was used for another endpoint.',
  'webhook-url-refused': 'Nothing can be sent to this address.',
  'webhooks-exceeded': 'Your organisation has as many endpoints as it may.',
  'webhook-inactive': 'The endpoint is disabled or paused, so nothing is sent to it.',
  'webhook-backlog-exceeded': 'As many deliveries as may wait for this endpoint already.',
  'delivery-unknown': 'There is no such delivery to this endpoint, or it has been forgotten.',
  'notification-unknown': 'There is no such notification for your organisation.',
  'export-unknown': 'There is no such archive of yours, it is still being made, or it has expired.',
  'erasure-unconfirmed': 'The username is not yours; nothing was erased.',
  'hook-undeclared': 'The plugin does not declare this hook.',
  'hook-payload-invalid': "The payload does not fit the hook's schema; `faults` names every fault.",
  'rate-limited': 'There were too many of these within a short time; `limit` says of what.',
  'host-overloaded': 'The host has more work than it can answer in time; try again shortly.',
  'host-shutting-down': 'The host is shutting down.',
  'database-unavailable': 'The database cannot be reached; try again shortly.',
  'internal-error': 'Something failed inside the host. It has been logged with this request id.',
} as const;

export type HostRefusalCode = keyof typeof HOST_REFUSALS;

/** An expected refusal: a permanent code, a sentence that says what to do, and facts that are safe to show. */
export class HostRefusal extends Error {
  override name = 'HostRefusal';
  readonly code: HostRefusalCode;
  readonly facts: Record<string, unknown>;
  constructor(code: HostRefusalCode, message: string = HOST_REFUSALS[code], facts: Record<string, unknown> = {}) {
    super(message);
    this.code = code;
    this.facts = facts;
  }
}

/** Says why, to whoever calls as to whoever installs. */
export const releaseBlocked = (facts: { at: string; reason: string; plugin?: string; version?: string }): HostRefusal =>
  new HostRefusal('release-blocked', `The release was blocked, so it runs on no host: ${facts.reason}`, facts);
