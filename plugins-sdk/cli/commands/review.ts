import type { QueuedReview, ReasonWish, Release, Review, ReviewFigures } from '../../../registry/index.ts';
import { readPages } from '../api-client.ts';
import { type Cli, verb } from '../command-line.ts';
import { CliError } from '../errors.ts';
import { columns, fields, oneLine, type Paint } from '../terminal.ts';
import { resolveReleaseId } from './releases.ts';

const REASON_FORM = 'code: what is wrong [@file[:line] ...]';
const PLACE = / @(\S+?)(?::(\d+))?$/;

/** `obfuscated-code: It evaluates text. @bundle.js:12`. Refuses with: usage. */
export function readReason(text: string): ReasonWish {
  const evidence: NonNullable<ReasonWish['evidence']> = [];
  let rest = text.trim();
  for (let place = PLACE.exec(rest); place !== null; place = PLACE.exec(rest)) {
    const [all, file, line] = place;
    evidence.unshift({ file: file!, ...(line !== undefined && { line: Number(line) }) });
    rest = rest.slice(0, -all.length).trimEnd();
  }
  const [, code, message] = /^([a-z][a-z-]*):\s*(\S[\s\S]*)$/.exec(rest) ?? [];
  if (!code || !message) throw new CliError('usage', `A reason is written as "${REASON_FORM}".`);
  return { code: code as ReasonWish['code'], message, ...(evidence.length > 0 && { evidence }) };
}

export function queueText(paint: Paint, items: QueuedReview[]): string {
  if (items.length === 0) return 'Nothing waits.';
  const rows = items.map(({ plugin, version, kind, queuedAt, assignedTo, mine, releaseId }) => [
    ...[`${plugin}@${version}`, kind, queuedAt, mine ? 'you' : (assignedTo ?? 'nobody'), releaseId],
  ]);
  return columns(paint, ['RELEASE', 'ROUND', 'SINCE', 'WITH', 'ID'], rows);
}

const SIGNS = { added: '+', removed: '-', changed: '~' } as const;

export function reviewText(paint: Paint, { release, rounds, comparison, notAutomatic }: Review): string {
  const lines = [`${paint('bold', `${release.plugin}@${release.version}`)} is ${release.state}`];
  for (const { round, kind, decision, statement, reasons, decidedAt, automatic } of rounds) {
    const end = decision === null ? 'waits' : `${decision} ${decidedAt}${automatic ? ', by the rule' : ''}`;
    lines.push(`${round}. ${kind}: ${end}`);
    if (statement !== null) lines.push(`   “${oneLine(statement)}”`);
    for (const { code, message, evidence } of reasons) {
      lines.push(`   ${paint('red', code)}: ${oneLine(message)}`);
      for (const { file, line, text } of evidence)
        lines.push(paint('dim', `     ${oneLine(file)}${line === null ? '' : `:${line}`} ${oneLine(text ?? '')}`));
    }
  }
  if (comparison !== null) {
    lines.push(`Since ${comparison.previousVersion ?? 'nothing'}:`);
    for (const { name, change, bytes, bytesBefore } of comparison.files)
      lines.push(`  ${SIGNS[change]} ${oneLine(name)} (${bytesBefore} → ${bytes} bytes)`);
    if (comparison.previousVersion !== null && comparison.manifest.length > 0)
      lines.push(`  ~ manifest: ${comparison.manifest.map(oneLine).join(', ')}`);
    for (const part of ['capabilities', 'hosts', 'secrets', 'routes', 'hooks'] as const) {
      for (const name of comparison[part].added) lines.push(`  + ${part} ${oneLine(name)}`);
      for (const name of comparison[part].removed) lines.push(`  - ${part} ${oneLine(name)}`);
    }
    for (const { id, severity, message } of comparison.findings?.added ?? [])
      lines.push(`  + finding ${id} (${severity}): ${oneLine(message)}`);
    if (comparison.findings)
      lines.push(`  ${comparison.findings.same} findings as before, ${comparison.findings.fixed.length} gone`);
  }
  for (const why of notAutomatic) lines.push(paint('dim', why));
  return lines.join('\n');
}

const hours = (seconds: number | null): string => (seconds === null ? '-' : `${(seconds / 3_600).toFixed(1)} h`);

const figuresText = (paint: Paint, figures: ReviewFigures): string =>
  fields(paint, [
    ['decided', `${figures.decided}, of them ${figures.automatic} by the rule`],
    ['approved', String(figures.approved)],
    ['sent back', String(figures.changesRequested)],
    ['rejected', String(figures.rejected)],
    ['appeals', `${figures.appeals}, of them ${figures.appealsGranted} granted`],
    ['turnaround', `${hours(figures.turnaroundSecondsP50)} (p50), ${hours(figures.turnaroundSecondsP95)} (p95)`],
    ['waiting', `${figures.waiting}${figures.oldestWaitingSince ? ` since ${figures.oldestWaitingSince}` : ''}`],
  ]);

const changed = (release: Release) => ({
  value: release,
  text: (paint: Paint) => `${paint('green', '✔')} ${release.plugin}@${release.version} is ${release.state}`,
});

const RELEASE = ['<release>', '<publisher>/<name>@<version>, or the id of the release'] as const;

export function reviewCommand(cli: Cli): void {
  const command = verb(cli, {
    name: 'review',
    summary: 'Judge releases, answer to judgements, and take releases down',
    examples: [
      'gate review queue --assigned nobody',
      'gate review show acme/hello@1.0.1',
      'gate review take acme/hello@1.0.1',
      'gate review check acme/hello@1.0.1 code=fine hosts="fault Why a bank?"',
      'gate review reject acme/hello@1.0.1 --reason "obfuscated-code: It evaluates text. @bundle.js:12"',
      'gate review appeal acme/hello@1.0.1 "The line is a template of a test."',
      'gate review take-down acme/hello@1.0.1 --reason "malicious-behaviour: It sends orders away."',
    ],
  });
  judging(cli, command);
  answering(cli, command);
  safety(cli, command);
}

type Command = ReturnType<typeof verb>;
type Api = Awaited<ReturnType<Cli['api']>>;

/** Resolves the release first. */
const withRelease =
  <Options>(cli: Cli, work: (api: Api, id: string, options: Options) => Promise<Release>) =>
  async (text: string, options: Options) => {
    const api = await cli.api();
    return changed(await work(api, await resolveReleaseId(api)(text), options));
  };

function judging(cli: Cli, command: Command): void {
  command
    .command('queue')
    .option('--assigned <whom>', 'me or nobody')
    .action(
      cli.answer(async ({ assigned }: { assigned?: 'me' | 'nobody' }) => {
        const api = await cli.api();
        const items = await readPages((page) => api.reviewQueue({ ...page, ...(assigned && { assigned }) }));
        return { value: { items }, text: (paint) => queueText(paint, items) };
      }),
    );
  command
    .command('figures')
    .option('--from <time>', 'ISO 8601 (default: 30 days ago)')
    .option('--to <time>', 'ISO 8601')
    .action(
      cli.answer(async (span: { from?: string; to?: string }) => {
        const figures = await (await cli.api()).reviewFigures(span);
        return { value: figures, text: (paint) => figuresText(paint, figures) };
      }),
    );
  command
    .command('show')
    .argument(...RELEASE)
    .action(
      cli.answer(async (text: string) => {
        const api = await cli.api();
        const review = await api.findReview(await resolveReleaseId(api)(text));
        return { value: review, text: (paint) => reviewText(paint, review) };
      }),
    );
  for (const [name, to] of [
    ['take', 'me'],
    ['give-back', 'nobody'],
  ] as const)
    command
      .command(name)
      .argument(...RELEASE)
      .action(
        cli.answer(async (text: string) => {
          const api = await cli.api();
          const round = await api.assignReview(await resolveReleaseId(api)(text), to);
          return { value: round, text: () => (to === 'me' ? 'It is yours.' : 'It is for anybody again.') };
        }),
      );
  command
    .command('check')
    .argument(...RELEASE)
    .argument('<checks...>', '<item>=fine, =not-applicable or ="fault what is wrong"')
    .action(
      cli.answer(async (text: string, checks: string[]) => {
        const api = await cli.api();
        const round = await api.checkReview(await resolveReleaseId(api)(text), readChecks(checks));
        const rows = Object.entries(round.checklist).map(([item, check]) => [item, check.verdict, check.note ?? '']);
        return { value: round, text: (paint) => columns(paint, ['ITEM', 'VERDICT', 'NOTE'], rows) };
      }),
    );
  command
    .command('approve')
    .argument(...RELEASE)
    .option('--hold', 'let its publisher choose when it is published')
    .action(
      cli.answer(
        withRelease(cli, (api, id, { hold }: { hold?: boolean }) =>
          api.decideReview(id, { decision: 'approve', reasons: [], ...(hold && { hold }) }),
        ),
      ),
    );
  for (const decision of ['request-changes', 'reject'] as const)
    command
      .command(decision)
      .argument(...RELEASE)
      .requiredOption('--reason <text...>', REASON_FORM)
      .action(
        cli.answer(
          withRelease(cli, (api, id, { reason }: { reason: string[] }) =>
            api.decideReview(id, { decision, reasons: reason.map(readReason) }),
          ),
        ),
      );
}

/** Refuses with: usage. */
export function readChecks(checks: readonly string[]): object {
  const entries = checks.map((check) => {
    const [, item, verdict, note] = /^([a-z-]+)=([a-z-]+)(?:\s+(\S[\s\S]*))?$/.exec(check) ?? [];
    if (!item || !verdict) throw new CliError('usage', `"${check}" is not <item>=<verdict>.`);
    return [item, { verdict, ...(note && { note }) }];
  });
  return Object.fromEntries(entries);
}

function answering(cli: Cli, command: Command): void {
  for (const [name, act] of [
    ['resubmit', (api: Api, id: string, said: string) => api.resubmitRelease(id, said)],
    ['appeal', (api: Api, id: string, said: string) => api.appealRelease(id, said)],
  ] as const)
    command
      .command(name)
      .argument(...RELEASE)
      .argument('<statement>', 'what you say to the reasons')
      .action(
        cli.answer(async (text: string, said: string) => {
          const api = await cli.api();
          return changed(await act(api, await resolveReleaseId(api)(text), said));
        }),
      );
  command
    .command('publish')
    .argument(...RELEASE)
    .action(cli.answer(withRelease(cli, (api, id) => api.publishApproved(id))));
}

function safety(cli: Cli, command: Command): void {
  command
    .command('take-down')
    .argument(...RELEASE)
    .requiredOption('--reason <text>', REASON_FORM)
    .action(
      cli.answer(withRelease(cli, (api, id, { reason }: { reason: string }) => api.takeDown(id, readReason(reason)))),
    );
  command
    .command('restore')
    .argument(...RELEASE)
    .requiredOption('--reason <text>', 'why it may run again')
    .action(cli.answer(withRelease(cli, (api, id, { reason }: { reason: string }) => api.restoreRelease(id, reason))));
  command.command('trusted').action(
    cli.answer(async () => {
      const { items } = await (await cli.api()).listTrusted();
      const rows = items.map(({ publisher, since, reason }) => [publisher, since, oneLine(reason)]);
      return {
        value: { items },
        text: (paint) =>
          items.length === 0 ? 'Nobody is trusted with patches.' : columns(paint, ['PUBLISHER', 'SINCE', 'WHY'], rows),
      };
    }),
  );
  command
    .command('trust')
    .argument('<publisher>', 'slug')
    .requiredOption('--reason <text>', 'why')
    .action(
      cli.answer(async (publisher: string, { reason }: { reason: string }) => {
        const trusted = await (await cli.api()).trustPublisher(publisher, reason);
        return { value: trusted, text: () => `Clean patches of ${publisher} are approved by the rule.` };
      }),
    );
  command
    .command('distrust')
    .argument('<publisher>', 'slug')
    .action(
      cli.answer(async (publisher: string) => {
        await (await cli.api()).distrustPublisher(publisher);
        return { value: {}, text: () => `People look at every release of ${publisher}.` };
      }),
    );
}
