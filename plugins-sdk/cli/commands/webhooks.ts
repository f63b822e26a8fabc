import { InvalidArgumentError } from 'commander';
import { v7 as uuidv7 } from 'uuid';
import type { Delivery, DeliveryState, WebhookEndpoint } from '../../../host/webhooks/contract.ts';
import type { EventType } from '../../../host/webhooks/event-types.ts';
import { readPages } from '../api-client.ts';
import { type Cli, verb } from '../command-line.ts';
import { CliError } from '../errors.ts';
import { readOverlap } from '../read-period.ts';
import { fields, oneLine, type Paint } from '../terminal.ts';

const SHOWN_MAX = 50;
const STATES: readonly DeliveryState[] = ['waiting', 'delivered', 'dead'];

/** Where it goes, what it takes, and whether it works. */
export function endpointText(paint: Paint, endpoint: WebhookEndpoint): string {
  const { id, url, label, types, state, failingSince, waiting } = endpoint;
  const colour = state === 'active' ? 'green' : state === 'paused' ? 'red' : 'dim';
  const facts = [
    types.length === 0 ? 'all types' : types.join(' '),
    ...(waiting === 0 ? [] : [`${waiting} waiting`]),
    ...(failingSince === null ? [] : [paint('red', `failing since ${failingSince}`)]),
  ];
  return `${paint(colour, state.padEnd(8))} ${paint('dim', id)} ${paint('bold', oneLine(label))} ${oneLine(url)}\n    ${facts.join(', ')}`;
}

/** State, type and time, and below them every attempt. */
export function deliveryText(paint: Paint, { id, state, type, cause, createdAt, nextAt, attempts }: Delivery): string {
  const colour = state === 'delivered' ? 'green' : state === 'dead' ? 'red' : 'dim';
  const next = nextAt === null ? '' : paint('dim', ` next ${nextAt}`);
  const head = `${paint(colour, state.padEnd(9))} ${paint('dim', `${id} ${createdAt}`)} ${paint('bold', type)}${cause === 'event' ? '' : ` (${cause})`}${next}`;
  const tries = attempts.map(({ at, ms, status, error, excerpt }) => {
    const answer = [status ?? '', error ?? '', excerpt].filter((part) => part !== '').join(' ');
    return `    ${at} ${ms} ms ${oneLine(String(answer)).slice(0, 300)}`;
  });
  return [head, ...tries].join('\n');
}

const secretText = (paint: Paint, rows: [string, string][], secret: string): string =>
  `${fields(paint, [...rows, ['secret', secret]])}\nThis is the only time that the secret is shown. Receivers check it: docs/webhooks.md.`;

export function webhooksCommand(cli: Cli): void {
  const command = verb(cli, {
    name: 'webhooks',
    summary: 'Have events sent to an address of yours, and see what became of that',
    examples: [
      'gate webhooks add https://example.com/hooks --label shop --types release.yanked,release.taken-down',
      'gate webhooks ping <id>',
      'gate webhooks deliveries <id> --state dead',
      'gate webhooks replay <id> --since 2026-11-21T00:00:00Z',
      'gate webhooks rotate <id> --overlap 86400',
    ],
  });
  const shown = (endpoint: WebhookEndpoint) => ({
    value: endpoint,
    text: (paint: Paint) => endpointText(paint, endpoint),
  });
  const id = 'of the endpoint';
  command
    .command('list')
    .description('Show your endpoints')
    .action(
      cli.answer(async () => {
        const { items } = await (await cli.api()).listWebhooks();
        return {
          value: { items },
          text: (paint) =>
            items.length === 0 ? 'There are no endpoints.' : items.map((each) => endpointText(paint, each)).join('\n'),
        };
      }),
    );
  command
    .command('add')
    .description('Send events to an address')
    .argument('<url>', 'https:, on the public internet')
    .option('--label <text>', 'what it is (default: the host of the address)')
    .option('--types <types>', 'only these, with commas between them (default: all)')
    .action(
      cli.answer(async (url: string, { label, types }: { label?: string; types?: string }) => {
        const named = label ?? URL.parse(url)?.host;
        if (!named) throw new CliError('usage', `${url} is no address; it looks like https://example.com/hooks`);
        const wish = { id: uuidv7(), url, label: named, types: readTypes(types) };
        const added = await (await cli.api()).addWebhook(wish);
        const { endpoint, secret } = added;
        const rows: [string, string][] = [
          ['id', endpoint.id],
          ['url', endpoint.url],
        ];
        return { value: added, text: (paint) => secretText(paint, rows, secret) };
      }),
    );
  for (const [name, enabled, description] of [
    ['enable', true, 'Send to it again, also after a pause'],
    ['disable', false, 'Send nothing to it any more'],
  ] as const) {
    command
      .command(name)
      .description(description)
      .argument('<id>', id)
      .action(cli.answer(async (each: string) => shown(await (await cli.api()).changeWebhook(each, { enabled }))));
  }
  command
    .command('remove')
    .description('Forget it and its deliveries')
    .argument('<id>', id)
    .action(
      cli.answer(async (each: string) => {
        await (await cli.api()).removeWebhook(each);
        return { value: {}, text: (paint) => `${paint('green', '✔')} removed` };
      }),
    );
  command
    .command('rotate')
    .description('Make a new secret; the old one signs as well for a while')
    .argument('<id>', id)
    .option('--overlap <seconds>', 'for how long, at most a week', readOverlap('seconds', 604_800), 86_400)
    .action(
      cli.answer(async (each: string, { overlap }: { overlap: number }) => {
        const rotated = await (await cli.api()).rotateWebhook(each, overlap);
        const rows: [string, string][] = [['old secret until', rotated.oldUntil]];
        return { value: rotated, text: (paint) => secretText(paint, rows, rotated.secret) };
      }),
    );
  deliveryCommands(cli, command);
}

function deliveryCommands(cli: Cli, command: ReturnType<typeof verb>): void {
  const id = 'of the endpoint';
  const shown = (delivery: Delivery) => ({ value: delivery, text: (paint: Paint) => deliveryText(paint, delivery) });
  command
    .command('deliveries')
    .description('Show what was sent and how it was answered, newest first')
    .argument('<id>', id)
    .option('--state <state>', STATES.join(', '), readState)
    .action(
      cli.answer(async (each: string, filter: { state?: DeliveryState }) => {
        const api = await cli.api();
        const items = await readPages((page) => api.listDeliveries(each, { ...filter, ...page }), SHOWN_MAX);
        return {
          value: { items },
          text: (paint) =>
            items.length === 0 ? 'There are no deliveries.' : items.map((item) => deliveryText(paint, item)).join('\n'),
        };
      }),
    );
  command
    .command('replay')
    .description('Send one delivery again, or all since a time')
    .argument('<id>', id)
    .argument('[delivery]', 'id of a delivery')
    .option('--since <time>', 'ISO 8601: whatever happened since')
    .action(
      cli.answer(async (each: string, delivery: string | undefined, { since }: { since?: string }) => {
        if ((delivery === undefined) === (since === undefined))
          throw new CliError(
            'usage',
            'Name a delivery, or a time: gate webhooks replay <id> --since 2026-11-21T00:00:00Z',
          );
        const api = await cli.api();
        if (delivery !== undefined) return shown(await api.replayDelivery(each, delivery));
        const sent = await api.replayWebhook(each, readTime(since!));
        const more = sent.more ? ' There is more: begin where these end.' : '';
        return { value: sent, text: (paint) => `${paint('green', '✔')} ${sent.deliveries} are sent again.${more}` };
      }),
    );
  command
    .command('ping')
    .description('Send a ping, to see whether it answers')
    .argument('<id>', id)
    .action(cli.answer(async (each: string) => shown(await (await cli.api()).pingWebhook(each))));
}

const readTypes = (text: string | undefined): EventType[] =>
  text === undefined ? [] : (text.split(',').map((type) => type.trim()) as EventType[]);

function readTime(text: string): string {
  const ms = Date.parse(text);
  if (Number.isNaN(ms)) throw new CliError('usage', `--since is a time such as 2026-11-21T00:00:00Z, not ${text}`);
  return new Date(ms).toISOString();
}

function readState(text: string): DeliveryState {
  if (STATES.includes(text as DeliveryState)) return text as DeliveryState;
  throw new InvalidArgumentError(`It is one of: ${STATES.join(', ')}.`);
}
