import { v7 as uuidv7 } from 'uuid';
import type { Installation, RequirementPlan } from '../../../host/installations/contract.ts';
import { isCapabilityName } from '../../contract/index.ts';
import { type ApiClient, readPages } from '../api-client.ts';
import type { Cli } from '../command-line.ts';
import { CliError } from '../errors.ts';
import { parsePluginName } from '../plugin-name.ts';
import { columns, oneLine, type Paint } from '../terminal.ts';

/**
 * Installs what a plugin requires and the operator has not: under its own name, following the range that is asked for, with what it cannot
 * do without. Refuses with: requirements-conflict, confirmation-needed, and whatever keeps one of them from being installed.
 */
export async function installRequired(
  cli: Cli,
  api: ApiClient,
  text: string,
  { yes }: { yes?: true },
): Promise<Installation[]> {
  const { steps } = await api.planRequirements(parsePluginName(text));
  if (steps.length === 0) return [];
  const wishes = await Promise.all(steps.map((step) => neededBy(api, step)));
  cli.note(stepsText(cli.paint, text, steps, wishes));
  await confirm(cli, yes === true);
  const taken = new Set((await readPages(api.listInstallations)).map(({ slug }) => slug));
  const installed: Installation[] = [];
  for (const [at, { plugin, range }] of steps.entries()) {
    const slug = freeSlug(plugin.slice(plugin.indexOf('/') + 1), taken);
    taken.add(slug);
    // Those that require each other cannot all come after what they require.
    const circle = { ignoreRequirements: true };
    const request = { id: uuidv7(), plugin, version: range, slug, grants: wishes[at]!, ...circle };
    installed.push(await api.install(request));
  }
  return installed;
}

type Step = RequirementPlan['steps'][number];

async function neededBy(api: Pick<ApiClient, 'findRelease'>, { plugin, version }: Step) {
  const { capabilities = [] } = (await api.findRelease(plugin, version)).manifest;
  return capabilities.flatMap(({ name, optional }) => (!optional && isCapabilityName(name) ? [name] : []));
}

const SLUG_CHARS_MAX = 40;

function freeSlug(name: string, taken: ReadonlySet<string>): string {
  for (let number = 1; ; number += 1) {
    const tail = number === 1 ? '' : `-${number}`;
    const slug = name.slice(0, SLUG_CHARS_MAX - tail.length) + tail;
    if (!taken.has(slug)) return slug;
  }
}

const stepsText = (paint: Paint, text: string, steps: Step[], wishes: string[][]): string =>
  `${oneLine(text)} requires:\n${columns(
    paint,
    ['PLUGIN', 'VERSION', 'FOLLOWS', 'REQUIRED BY', 'GRANTS'],
    steps.map(({ plugin, version, range, requiredBy }, at) => [
      plugin,
      version,
      range,
      requiredBy,
      wishes[at]!.join(', ') || 'none',
    ]),
  )}`;

async function confirm(cli: Cli, yes: boolean): Promise<void> {
  if (yes) return;
  if (!cli.interactive()) {
    throw new CliError('confirmation-needed', 'Nothing was installed; add --yes to install and grant all of this.');
  }
  const prompts = await import('@inquirer/prompts');
  if (await prompts.confirm({ message: 'Install and grant all of this?', default: false })) return;
  throw new CliError('confirmation-needed', 'Nothing was installed.');
}
