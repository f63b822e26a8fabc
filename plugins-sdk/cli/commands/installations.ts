import { type ApiClient, readPages } from '../api-client.ts';
import { type Cli, verb } from '../command-line.ts';
import { CliError } from '../errors.ts';
import { columns } from '../terminal.ts';

const UUID_PATTERN = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** The id of an installation by its slug, or the id itself: publishers have ids and no list. Refuses with: installation-unknown. */
export const resolveInstallationId =
  (api: Pick<ApiClient, 'listInstallations'>) =>
  async (slugOrId: string): Promise<string> => {
    if (UUID_PATTERN.test(slugOrId)) return slugOrId;
    const found = (await readPages(api.listInstallations)).find(({ slug }) => slug === slugOrId);
    if (found) return found.id;
    const message = `You have no installation "${slugOrId}"; list yours with: gate installations`;
    throw new CliError('installation-unknown', message, { slug: slugOrId });
  };

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
            : columns(
                paint,
                ['SLUG', 'PLUGIN', 'VERSION', 'ENABLED', 'GRANTS', 'ID'],
                installations.map(({ slug, plugin, version, enabled, grants, id }) => [
                  slug,
                  plugin,
                  version,
                  enabled ? 'yes' : 'no',
                  grants.join(', ') || 'none',
                  id,
                ]),
              ),
      };
    }),
  );
}
