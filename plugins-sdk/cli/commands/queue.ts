import { InvalidArgumentError } from 'commander';
import type { MessageState, QueueMessage } from '../../../host/queues/contract.ts';
import { readPages } from '../api-client.ts';
import { type Cli, verb } from '../command-line.ts';
import { oneLine, type Paint } from '../terminal.ts';
import { resolveInstallationId } from './installations.ts';

const SHOWN_MAX = 100;
const STATES: readonly MessageState[] = ['waiting', 'done', 'dead'];

/** One message: its state, when it runs next or ran last, and why it failed. */
export function messageText(paint: Paint, message: QueueMessage): string {
  const { id, queue, state, attempts, attemptsMax, dueAt, error } = message;
  const shown = paint(state === 'dead' ? 'red' : state === 'done' ? 'green' : 'dim', state.padEnd(7));
  const failed = error === null ? '' : ` ${oneLine(error)} (attempt ${attempts} of ${attemptsMax})`;
  const due = state === 'waiting' ? paint('dim', ` due ${dueAt}`) : '';
  return `${shown} ${id} ${paint('bold', oneLine(queue))}${due}${failed}`;
}

export function queueCommand(cli: Cli): void {
  const queue = verb(cli, {
    name: 'queue',
    summary: 'Show what an installation has put off, and try again what failed',
    examples: [
      'gate queue list shop --state dead',
      'gate queue retry shop 0197c0de-…',
      'gate queue rm shop 0197c0de-…',
    ],
  });
  queue
    .command('list')
    .description('Show messages, newest first')
    .argument('<installation>', 'slug or id of an installation')
    .option('--state <state>', STATES.join(', '), readState)
    .option('--queue <name>', 'only those of one queue')
    .action(
      cli.answer(async (slugOrId: string, filter: { state?: MessageState; queue?: string }) => {
        const api = await cli.api();
        const id = await resolveInstallationId(api)(slugOrId);
        const items = await readPages((page) => api.listMessages(id, { ...filter, ...page }), SHOWN_MAX);
        return {
          value: { items },
          text: (paint) =>
            items.length === 0 ? 'There are no messages.' : items.map((item) => messageText(paint, item)).join('\n'),
        };
      }),
    );
  queue
    .command('retry')
    .description('Give a dead message all its attempts again')
    .argument('<installation>', 'slug or id of an installation')
    .argument('<message>', 'id of the message')
    .action(
      cli.answer(async (slugOrId: string, message: string) => {
        const api = await cli.api();
        const retried = await api.retryMessage(await resolveInstallationId(api)(slugOrId), message);
        return { value: retried, text: (paint) => messageText(paint, retried) };
      }),
    );
  queue
    .command('rm')
    .description('Remove a message')
    .argument('<installation>', 'slug or id of an installation')
    .argument('<message>', 'id of the message')
    .action(
      cli.answer(async (slugOrId: string, message: string) => {
        const api = await cli.api();
        await api.removeMessage(await resolveInstallationId(api)(slugOrId), message);
        return { value: { id: message, removed: true }, text: () => `${oneLine(message)} is removed.` };
      }),
    );
}

function readState(text: string): MessageState {
  const state = STATES.find((each) => each === text);
  if (!state) throw new InvalidArgumentError(`It is one of ${STATES.join(', ')}.`);
  return state;
}
