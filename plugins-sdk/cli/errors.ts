import type { DocumentFault } from '../contract/index.ts';

/** Everything the CLI refuses by itself. Codes from the server (`docs/errors.md`) are passed on unchanged. */
export const CLI_REFUSALS = {
  usage: 'The command line is not understood; add --help.',
  'host-unreachable': 'Nothing answers at this address. Is the host running? Start it with: npm start',
  'host-timeout': 'The host did not answer in time.',
  'host-answer-invalid': 'What answered is not a Gatehouse host.',
  'token-absent': 'You are not logged in. Run: gate login --url <address>',
  'settings-invalid': 'A settings file cannot be read.',
  'file-unreadable': 'A file cannot be read.',
  'file-unwritable': 'A file cannot be written.',
  'file-taken': 'The file exists already and is never overwritten.',
  'folder-not-empty': 'The folder has files in it; choose an empty or a new one.',
  'manifest-missing': 'There is no gatehouse.json here. Start one with: gate init',
  'manifest-invalid': 'The manifest has faults.',
  'listing-invalid': 'A picture or a text of the listing cannot be shown.',
  'bundle-failed': 'The code cannot be bundled.',
  'archive-too-large': 'The release archive is larger than allowed.',
  'plugin-invalid': 'The plugin has faults.',
  'plugin-unknown': 'There is no published plugin with this name.',
  'installation-unknown': 'You have no installation with this slug or id.',
  'trace-absent':
    'Nothing is known of the end of this invocation. Failed ones are kept, and others while somebody runs gate tail.',
  'key-missing': 'There is no signing key. Make one with: gate keygen --register',
  'key-invalid': 'The signing key is not an Ed25519 private key in PEM form.',
  'recording-invalid': 'The file is no recording.',
  'code-unavailable': 'The code that was recorded is not at hand; name a project with --project.',
  'bundle-invalid': 'The file is no bundle.',
  'proof-invalid': 'The file is no proof of a release.',
  'registry-key-unknown': 'The key of the registry is not known here.',
  'confirmation-needed': 'This needs a yes; answer in a terminal or add --yes.',
  'answer-refused': 'The plugin answered with an error status.',
  'port-taken': 'The port is in use; choose another with --port.',
  'internal-error': 'The CLI itself failed; run again with --debug and report it.',
} as const;

export type CliRefusalCode = keyof typeof CLI_REFUSALS;

/** What a program or a person is told instead of a result. `exitCode` is 2 for a wrong command line, else 1. */
export class CliError extends Error {
  override name = 'CliError';
  readonly code: string;
  readonly facts: Record<string, unknown>;
  readonly exitCode: 1 | 2;
  constructor(code: CliRefusalCode, message: string = CLI_REFUSALS[code], facts: Record<string, unknown> = {}) {
    super(message);
    this.code = code;
    this.facts = facts;
    this.exitCode = code === 'usage' ? 2 : 1;
  }
}

/** A refusal that came from the server as problem+json. `code` is the server's. */
export class ServerRefusal extends Error {
  override name = 'ServerRefusal';
  readonly code: string;
  readonly status: number;
  readonly requestId: string | null;
  /** Members of the problem beyond those that RFC 9457 names. */
  readonly facts: Record<string, unknown>;
  readonly exitCode = 1;
  constructor(problem: {
    code: string;
    status: number;
    message: string;
    requestId: string | null;
    facts: Record<string, unknown>;
  }) {
    super(problem.message);
    this.code = problem.code;
    this.status = problem.status;
    this.requestId = problem.requestId;
    this.facts = problem.facts;
  }
}

/** The list of faults that an error carries, if it does. */
export function faultsOf(facts: Record<string, unknown>): DocumentFault[] {
  const { faults } = facts;
  if (!Array.isArray(faults)) return [];
  return faults.filter(
    (fault): fault is DocumentFault => typeof fault?.pointer === 'string' && typeof fault.message === 'string',
  );
}
