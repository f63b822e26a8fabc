import { type Command, InvalidArgumentError } from 'commander';
import type { Rating, RatingReport } from '../../../registry/index.ts';
import { readPages } from '../api-client.ts';
import { type Cli, verb } from '../command-line.ts';
import { parsePluginName } from '../plugin-name.ts';
import { oneLine, type Paint } from '../terminal.ts';

const SHOWN_MAX = 20;

/** Stars, version and what was said, with the publisher's reply below. */
export function ratingText(paint: Paint, rating: Rating): string {
  const { id, stars, version, own, helpful, unhelpful, body, hidden, reply, updatedAt } = rating;
  const head = `${paint('bold', '★'.repeat(stars) + '☆'.repeat(5 - stars))} ${version} ${paint('dim', updatedAt)} ${id}`;
  const votes = helpful + unhelpful === 0 ? '' : ` ${helpful} of ${helpful + unhelpful} found it helpful`;
  const lines = (text: string) => (text === '' ? [] : text.split('\n').map((line) => `    ${oneLine(line)}`));
  return [
    `${head}${own ? ' (yours)' : ''}${votes}`,
    ...(hidden === null ? [] : [paint('yellow', `    Hidden by a moderator: ${oneLine(hidden)}`)]),
    ...lines(body),
    ...(reply === null ? [] : [paint('dim', '    The publisher replied:'), ...lines(reply.body)]),
  ].join('\n');
}

/** What was reported, with the reason, oldest first. */
export function reportsText(paint: Paint, reports: RatingReport[]): string {
  if (reports.length === 0) return 'Nothing is reported.';
  return reports
    .map(({ rating, reason, createdAt }) =>
      [
        `${paint('bold', rating.plugin)} reported ${paint('dim', createdAt)}: ${oneLine(reason)}`,
        ...ratingText(paint, rating).split('\n'),
      ].join('\n  '),
    )
    .join('\n');
}

export function reviewsCommand(cli: Cli): void {
  const reviews = verb(cli, {
    name: 'reviews',
    summary: 'Read and write what those who installed a plugin think of it',
    examples: [
      'gate reviews list acme-labs/hello-http',
      'gate reviews write acme-labs/hello-http --stars 4 "Greets well."',
      'gate reviews vote 0197c0de-… --unhelpful',
      'gate reviews reply 0197c0de-… "Mended in 1.2.0."',
      'gate reviews hide 0197c0de-… "It advertises another plugin."',
    ],
  });
  const shown = (rating: Rating) => ({ value: rating, text: (paint: Paint) => ratingText(paint, rating) });
  const nameOf = (text: string) => parsePluginName(text).plugin;
  const plugin = '<publisher>/<name>';
  const id = 'id of the review';
  reviews
    .command('list')
    .description('Show reviews, newest first')
    .argument('<plugin>', plugin)
    .action(
      cli.answer(async (name: string) => {
        const api = await cli.api();
        const items = await readPages((page) => api.listRatings(nameOf(name), page), SHOWN_MAX);
        const none = 'Nobody has reviewed it.';
        return {
          value: { items },
          text: (paint) => (items.length === 0 ? none : items.map((item) => ratingText(paint, item)).join('\n')),
        };
      }),
    );
  reviews
    .command('write')
    .description('Review a plugin that you have, or had, installed; replaces what your organisation said before')
    .argument('<plugin>', plugin)
    .argument('[text]', 'what you think of it', '')
    .requiredOption('--stars <count>', '1 to 5', readStars)
    .action(
      cli.answer(async (name: string, body: string, { stars }: { stars: number }) =>
        shown(await (await cli.api()).rate(nameOf(name), { stars, body })),
      ),
    );
  reviews
    .command('rm')
    .description('Withdraw what your organisation said of a plugin')
    .argument('<plugin>', plugin)
    .action(
      cli.answer(async (name: string) => {
        await (await cli.api()).withdrawRating(nameOf(name));
        return { value: {}, text: (paint) => `${paint('green', '✔')} withdrawn` };
      }),
    );
  reviews
    .command('vote')
    .description("Say that another organisation's review was helpful, or not")
    .argument('<review>', id)
    .option('--unhelpful', 'it was not')
    .action(
      cli.answer(async (review: string, { unhelpful }: { unhelpful?: true }) =>
        shown(await (await cli.api()).voteRating(review, unhelpful !== true)),
      ),
    );
  reviews
    .command('reply')
    .description('Reply to a review of your plugin')
    .argument('<review>', id)
    .argument('<text>', 'the reply; replaces the one before')
    .action(
      cli.answer(async (review: string, body: string) => shown(await (await cli.api()).replyToRating(review, body))),
    );
  reviews
    .command('report')
    .description('Tell the moderators what is wrong with a review')
    .argument('<review>', id)
    .argument('<reason>', 'what is wrong with it')
    .action(
      cli.answer(async (review: string, reason: string) => {
        await (await cli.api()).reportRating(review, reason);
        return { value: {}, text: (paint) => `${paint('green', '✔')} reported` };
      }),
    );
  moderatingVerbs(cli, reviews);
}

/** What moderators do. */
function moderatingVerbs(cli: Cli, reviews: Command): void {
  const id = 'id of the review';
  const moderated = (rating: Rating, done: string) => ({
    value: rating,
    text: (paint: Paint) => `${paint('green', '✔')} ${done}; every report about it is settled`,
  });
  reviews
    .command('reports')
    .description('For moderators: show what was reported and not settled, oldest first')
    .option('--limit <count>', `how many to show; default ${SHOWN_MAX}`, readCount)
    .action(
      cli.answer(async ({ limit = SHOWN_MAX }: { limit?: number }) => {
        const api = await cli.api();
        const items = await readPages((page) => api.ratingReports(page), limit);
        return { value: { items }, text: (paint) => reportsText(paint, items) };
      }),
    );
  reviews
    .command('hide')
    .description('For moderators: take a review from view; its stars count no longer, and its author sees why')
    .argument('<review>', id)
    .argument('<reason>', 'what is wrong with it')
    .action(
      cli.answer(async (review: string, reason: string) =>
        moderated(await (await cli.api()).moderateRating(review, reason), 'hidden'),
      ),
    );
  reviews
    .command('restore')
    .description('For moderators: show a review again, or let a reported one stand')
    .argument('<review>', id)
    .action(
      cli.answer(async (review: string) => moderated(await (await cli.api()).moderateRating(review, null), 'shown')),
    );
}

function readCount(text: string): number {
  const count = Number(text);
  if (Number.isInteger(count) && count >= 1 && count <= 1_000) return count;
  throw new InvalidArgumentError('It is a whole number from 1 to 1000.');
}

function readStars(text: string): number {
  if (/^[1-5]$/.test(text)) return Number(text);
  throw new InvalidArgumentError('It is a whole number from 1 to 5.');
}
