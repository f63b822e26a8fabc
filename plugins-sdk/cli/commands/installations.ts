import type { Conduct } from '../../../host/conduct/contract.ts';
import type { Installation } from '../../../host/installations/contract.ts';
import { type ApiClient, readPages } from '../api-client.ts';
import { type Cli, verb } from '../command-line.ts';
import { CliError, ServerRefusal } from '../errors.ts';
import { columns, oneLine, type Paint } from '../terminal.ts';

const UUID_PATTERN = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** The id of an installation by its slug, or the id itself: publishers have ids and no list. Refuses with: installation-unknown. */
export const resolveInstallationId =
  (api: Pick<ApiClient, 'listInstallations'>) =>
  async (slugOrId: string): Promise<string> => {
    if (UUID_PATTERN.test(slugOrId)) return slugOrId;
    const installations = await readPages(api.listInstallations).catch(refuseSlugs(slugOrId));
    const found = installations.find(({ slug }) => slug === slugOrId);
    if (found) return found.id;
    const message = `You have no installation "${slugOrId}"; list yours with: gate installations`;
    throw new CliError('installation-unknown', message, { slug: slugOrId });
  };

/** Slugs are names within one operator, so whoever is none has to say the id. */
const refuseSlugs =
  (slug: string) =>
  (error: unknown): never => {
    if (!(error instanceof ServerRefusal) || error.code !== 'permission-denied') throw error;
    const message = `"${slug}" is a name that only its operator knows. Name the installation by its id, which the operator sees in: gate installations`;
    throw new CliError('installation-unknown', message, { slug });
  };

/** One word, or two with a time, for how an installation behaves. */
export function conductText({ strikes, score, solitarySince, suspendedAt }: Conduct): string {
  if (suspendedAt !== null) return `suspended ${suspendedAt}`;
  if (solitarySince !== null) return `alone ${solitarySince}`;
  return strikes === 0 ? 'good' : `${strikes} ${strikes === 1 ? 'strike' : 'strikes'}, score ${score.toFixed(1)}`;
}

const unfinishedText = ({ slug, plugin, version, id }: Installation): string =>
  `${slug}: it is not installed to the end. Repeat it: gate install ${plugin}@${version} --as ${slug} --id ${id}; or remove it: gate uninstall ${slug}`;

/** Why one runs alone or not at all. */
function whyTexts(paint: Paint, { slug, blocked, conduct: { reason, suspendedAt } }: Installation): string[] {
  const said = (color: 'red' | 'yellow', text: string) => `${paint(color, '✖')} ${oneLine(`${slug}: ${text}`)}`;
  return [
    ...(blocked === null
      ? []
      : [said('red', `its release was blocked: ${blocked.reason} Update it with: gate update ${slug} <version>`)]),
    ...(reason === null
      ? []
      : [suspendedAt === null ? said('yellow', reason) : said('red', `${reason} Resume it with: gate resume ${slug}`)]),
  ];
}

/** A line for each, and below them why some run alone or not at all. */
export function installationsText(paint: Paint, installations: Installation[]): string {
  const rows = installations.map(({ slug, plugin, version, enabled, installing, blocked, conduct, grants, id }) => [
    slug,
    plugin,
    version,
    installing ? 'installing' : enabled ? 'yes' : 'no',
    blocked === null ? conductText(conduct) : `blocked ${blocked.at}`,
    grants.join(', ') || 'none',
    id,
  ]);
  const why = installations.flatMap((each) => whyTexts(paint, each));
  const unfinished = installations
    .filter(({ installing }) => installing)
    .map((each) => `${paint('yellow', '✖')} ${oneLine(unfinishedText(each))}`);
  return [
    columns(paint, ['SLUG', 'PLUGIN', 'VERSION', 'ENABLED', 'CONDUCT', 'GRANTS', 'ID'], rows),
    ...why,
    ...unfinished,
  ].join('\n');
}

export function installationsCommand(cli: Cli): void {
  verb(cli, {
    name: 'installations',
    summary: 'List your installations',
    examples: ['gate installations', 'gate installations --json'],
  }).action(
    cli.answer(async () => {
      const installations = await readPages((await cli.api()).listInstallations);
      return {
        value: { items: installations },
        text: (paint) =>
          installations.length === 0
            ? 'You have no installations yet: gate install <publisher>/<name> --as <slug>'
            : installationsText(paint, installations),
      };
    }),
  );
}
