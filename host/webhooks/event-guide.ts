import { EVENT_TYPE_NAMES, EVENT_TYPES } from './event-types.ts';

/** docs/events.md: every type of event, by the table from which they are made. */
export function eventGuide(): string {
  const rows = EVENT_TYPE_NAMES.map((type) => {
    const { version, sides, what } = EVENT_TYPES[type];
    return `| [\`${type}\`](#${type.replace('.', '')}) | ${version} | ${sides.join(', ')} | ${what} |`;
  });
  const schemas = EVENT_TYPE_NAMES.map((type) => {
    const { version, payload } = EVENT_TYPES[type];
    return `### ${type}\n\nVersion ${version}.\n\n\`\`\`json\n${JSON.stringify(payload, null, 2)}\n\`\`\``;
  });
  return `# Types of events

Made from the table that is used (\`host/webhooks/event-types.ts\`) by \`node host/webhooks/event-guide.ts > docs/events.md\`; a test
keeps it current. \`GET /v1/event-types\` answers the same. [Events and webhooks](webhooks.md) says how to get them.

A version is raised when a member of a payload goes or changes its meaning. Members may come without that: ignore what you do not know.

| type | version | for | what |
|---|---|---|---|
${rows.join('\n')}

Besides, \`webhook.ping\` (version 1, empty payload) comes when somebody asks for it, and stands in no feed.

## Payloads

${schemas.join('\n\n')}
`;
}

if (import.meta.main) process.stdout.write(eventGuide());
