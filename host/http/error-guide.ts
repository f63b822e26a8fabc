import { CAPABILITY_REFUSALS, type CapabilityRefusalCode, PLUGIN_FAULTS } from '../../plugins-sdk/contract/index.ts';
import { REGISTRY_REFUSALS } from '../../registry/index.ts';
import { SANDBOX_REFUSALS } from '../../sandbox/index.ts';
import { HOST_REFUSALS } from '../errors.ts';
import { ADVICE } from './advice.ts';
import type { ProblemCode } from './problem-codes.ts';
import { type ErrorRow, errorTable } from './problems.ts';

const CHAPTERS: [heading: string, introduction: string, codes: object][] = [
  ['The host', 'Requests that cannot be served as they are.', HOST_REFUSALS],
  ['The registry', 'Organisations, tokens, keys and releases.', REGISTRY_REFUSALS],
  ['The sandbox', 'Invocations that could not run, through no fault of the plugin.', SANDBOX_REFUSALS],
  [
    'Plugin faults',
    'A plugin did something wrong. Callers get the code, the id of the invocation and the limit that was hit; its ' +
      'publisher and the operator find the rest in the log of the installation.',
    PLUGIN_FAULTS,
  ],
  [
    'Capability refusals',
    'Only a plugin meets these: the `code` of the Error that a capability call rejects with.',
    CAPABILITY_REFUSALS,
  ],
];

export const adviceFor = (row: ErrorRow): string => ADVICE[row.code as ProblemCode | CapabilityRefusalCode];

/** The text of docs/errors.md. Write it again after a change: `node host/http/error-guide.ts > docs/errors.md`. */
export function errorGuide(): string {
  const rows = new Map(errorTable().map((row) => [row.code, row]));
  const chapters = CHAPTERS.map(([heading, introduction, codes]) => {
    const lines = Object.keys(codes).map((code) => {
      const row = rows.get(code)!;
      return `| \`${code}\` | ${row.status ?? '-'} | ${cell(row.title)} | ${cell(adviceFor(row))} |`;
    });
    return `## ${heading}\n\n${introduction}\n\n| code | status | meaning | what to do |\n|---|---|---|---|\n${lines.join('\n')}\n`;
  });
  return `${INTRODUCTION}\n${chapters.join('\n')}`;
}

const cell = (text: string): string => text.replaceAll('|', '\\|');

const INTRODUCTION = `# Errors

Every refusal has a permanent code. Over HTTP it is a problem document (RFC 9457, \`application/problem+json\`):

\`\`\`json
{
  "type": "/problems/body-invalid",
  "title": "The body does not fit the schema; \`faults\` names every fault.",
  "status": 422,
  "detail": "The body does not fit the schema; \`faults\` names every fault.",
  "instance": "urn:request:0199b7a0-5a3e-7c6b-8f7e-2f5d1c9f0a11",
  "code": "body-invalid",
  "faults": [{ "pointer": "/slug", "message": "is required" }]
}
\`\`\`

Program against \`code\`; show \`detail\`; quote \`instance\` when you report a problem. Statuses 429 and 503 come with
\`Retry-After\`, 405 with \`Allow\`, 401 with \`WWW-Authenticate\`. A running host explains each code at \`/problems/<code>\`.
`;

if (import.meta.main) process.stdout.write(errorGuide());
