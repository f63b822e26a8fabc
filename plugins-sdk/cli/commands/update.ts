import type { Installation, UpdatePreview, UpdateRequest } from '../../../host/installations/contract.ts';
import type { CapabilityName, Json } from '../../contract/index.ts';
import type { ApiClient } from '../api-client.ts';
import { type Cli, verb } from '../command-line.ts';
import { diffText, releaseText } from '../describe-installation.ts';
import { CliError } from '../errors.ts';
import { readDelay, readPeriod } from '../read-period.ts';
import { oneLine } from '../terminal.ts';
import { warnOfRelease } from '../warn-of-release.ts';
import { readGrants, readJsonOption } from './install.ts';
import { resolveInstallationId } from './installations.ts';

export interface UpdateCommand {
  installationId: string;
  /** A version to stay on, or a range to follow. Default: what it follows; for a pinned one the newest, to stay on. */
  version?: string;
  /** To be granted beside what is granted already. */
  grants?: CapabilityName[];
  config?: Json;
  canary?: UpdateRequest['canary'];
  updates?: UpdateRequest['updates'];
  ignoreRequirements?: boolean;
  /** Asked before anything is changed that needs consent; false leaves everything as it is. */
  agree(preview: UpdatePreview): Promise<boolean>;
}

type UpdateApi = Pick<ApiClient, 'findInstallation' | 'previewUpdate' | 'updateInstallation'>;

/**
 * Updates an installation after showing what a release changes. Sends the consent to exactly that, and grants what it needs.
 * Refuses with: confirmation-needed, consent-needed, release-unknown, version-range-unsatisfied, rollout-running, …
 */
export const updateInstallation =
  (api: UpdateApi) =>
  async ({ installationId, grants = [], agree, version, ...change }: UpdateCommand): Promise<Installation> => {
    const before = await api.findInstallation(installationId);
    const running = before.updates.canary;
    if (change.canary && version === undefined && running) return api.updateInstallation(installationId, change);
    const preview = await api.previewUpdate(installationId, version);
    const moves = preview.releaseId !== before.releaseId;
    const asked = version ?? before.updates.follows ?? preview.toVersion;
    const agreed = moves && !preview.consented;
    if (agreed && !(await agree(preview))) {
      throw new CliError('confirmation-needed', 'Nothing was updated.', { digest: preview.digest });
    }
    const needed = agreed ? (preview.grantsMissing as CapabilityName[]) : [];
    const all = [...new Set([...before.grants, ...grants, ...needed])];
    return api.updateInstallation(installationId, {
      version: asked,
      ...change,
      ...(agreed && { consent: preview.digest }),
      ...(all.length > before.grants.length && { grants: all }),
    });
  };

interface UpdateOptions {
  show?: true;
  canary?: number;
  promoteAfter?: number | 'never';
  promote?: true;
  pin?: true;
  autoCanary?: number;
  delay?: number;
  acceptWeakerSigning?: string;
  ignoreRequirements?: true;
  grant?: CapabilityName[];
  config?: string;
  yes?: true;
}

export function updateCommand(cli: Cli): void {
  verb(cli, {
    name: 'update',
    summary: 'Bring an installation to another release, or change how it follows releases',
    examples: [
      'gate update shop --show                     # what would change',
      'gate update shop                            # the newest release that it follows',
      'gate update shop 1.4.0                      # stay on this one',
      "gate update shop '^1.4'                     # follow a range",
      'gate update shop 2.0.0 --canary 10 --promote-after 2h',
      'gate update shop --promote                  # the canary takes over',
      "gate update shop '^1' --auto-canary 5       # whatever it follows gets 5 % of the calls first",
      'gate update shop --delay 3d                 # takes by itself only what has been out for three days',
    ],
  })
    .argument('<installation>', 'slug or id of an installation')
    .argument('[version]', 'a version, a range of versions, or latest')
    .option('--show', 'show what would change, and change nothing')
    .option('--canary <percent>', 'give it a share of the calls first; 1 to 99', readPercent(1))
    .option('--promote-after <time>', 'when a canary that is no worse takes over: 30m, 2h, 1d, never', readPromoteAfter)
    .option('--promote', 'let the canary that runs take over')
    .option('--pin', 'stay on the release that it has')
    .option(
      '--auto-canary <percent>',
      'share that releases get first which arrive by themselves; 0: at once',
      readPercent(0),
    )
    .option(
      '--delay <time>',
      'how long a release has to be out before it arrives by itself: 12h, 3d; 0: at once',
      readDelay,
    )
    .option(
      '--accept-weaker-signing <reason>',
      'take this release although it is signed more weakly; for owners, with a second factor',
    )
    .option('--grant <capabilities>', 'grant these too, separated by commas', readGrants)
    .option('--config <json>', 'new configuration: JSON, or a file with it')
    .option('--ignore-requirements', 'although it requires what is not there, or others require what it replaces')
    .option('--yes', 'consent to what is shown')
    .action(
      cli.answer(async (slugOrId: string, version: string | undefined, options: UpdateOptions) => {
        const api = await cli.api();
        const id = await resolveInstallationId(api)(slugOrId);
        if (options.show) return show(api, id, version);
        if (options.promote) return changed(await api.promote(id));
        const updates = policyOf(options);
        if (options.pin || (version === undefined && updates && options.canary === undefined)) {
          const pinned = options.pin && { version: (await api.findInstallation(id)).version };
          return changed(await api.updateInstallation(id, { ...pinned, ...(updates && { updates }) }));
        }
        const config = options.config && (await readJsonOption('--config', options.config, cli.settings.cwd));
        if (options.acceptWeakerSigning !== undefined) await accept(cli, api, id, version, options.acceptWeakerSigning);
        const { canary: percent, promoteAfter } = options;
        const installation = await updateInstallation(api)({
          installationId: id,
          version,
          grants: options.grant,
          ...(config === undefined ? {} : { config }),
          ...(percent !== undefined && { canary: { percent, ...periodOf(promoteAfter) } }),
          ...(updates && { updates }),
          ...(options.ignoreRequirements && { ignoreRequirements: true }),
          agree: (preview) => askConsent(cli, preview, options.yes === true),
        });
        await warnOfRelease(cli, api, installation);
        return changed(installation);
      }),
    );
}

/** Says what is accepted, then lets exactly that release come. */
async function accept(cli: Cli, api: ApiClient, id: string, wanted: string | undefined, reason: string) {
  const { toVersion, weaknesses } = await api.previewUpdate(id, wanted);
  if (weaknesses.length === 0) return;
  cli.note(weaknessText(cli.paint, weaknesses));
  await api.acceptSigning(id, { version: toVersion, reason });
}

const weaknessText = (paint: Cli['paint'], weaknesses: UpdatePreview['weaknesses']): string =>
  weaknesses.map(({ message }) => `${paint('red', '✖')} ${oneLine(message)}`).join('\n');

function policyOf({ autoCanary, canary, promoteAfter, delay }: UpdateOptions): UpdateRequest['updates'] {
  const period = canary === undefined ? periodOf(promoteAfter) : {};
  const policy = {
    ...(autoCanary !== undefined && { canaryPercent: autoCanary }),
    ...(delay !== undefined && { delaySeconds: delay }),
    ...period,
  };
  return Object.keys(policy).length > 0 ? policy : undefined;
}

const periodOf = (promoteAfter: UpdateOptions['promoteAfter']) =>
  promoteAfter === undefined ? {} : { promoteAfterSeconds: promoteAfter === 'never' ? null : promoteAfter };

async function show(api: ApiClient, id: string, version: string | undefined) {
  const preview = await api.previewUpdate(id, version);
  return {
    value: preview,
    text: (paint: Cli['paint']) => {
      const { fromVersion, toVersion, changes, needsConsent, consented, weaknesses, obstacles } = preview;
      const weaker = weaknesses.length === 0 ? '' : `\n${weaknessText(paint, weaknesses)}`;
      const verdict = consented
        ? needsConsent
          ? 'It ran here before: no consent is needed.'
          : 'No consent is needed.'
        : paint('yellow', 'It waits for consent: gate update asks for it, or --yes gives it.');
      return `${oneLine(`${fromVersion} → ${toVersion}`)}\n${diffText(paint, changes)}\n${verdict}${weaker}${obstacles.map((each) => `\n${paint('red', '✖')} ${oneLine(each)}`).join('')}`;
    },
  };
}

async function askConsent(cli: Cli, preview: UpdatePreview, yes: boolean): Promise<boolean> {
  const { fromVersion, toVersion, changes, digest } = preview;
  cli.note(`${oneLine(`${toVersion} may do more than ${fromVersion}:`)}\n${diffText(cli.paint, changes)}`);
  if (yes) return true;
  if (!cli.interactive()) {
    const message = `${toVersion} may do more than ${fromVersion}; add --yes to consent to it.`;
    throw new CliError('confirmation-needed', message, { changes, digest });
  }
  const { confirm } = await import('@inquirer/prompts');
  return confirm({ message: 'Consent to all of this?', default: false });
}

export const changed = (installation: Installation) => ({
  value: installation,
  text: (paint: Cli['paint']) =>
    `${paint('green', '✔')} ${oneLine(`${installation.slug} runs ${installation.plugin} ${releaseText(installation)}`)}`,
});

const readPercent =
  (min: number) =>
  (text: string): number => {
    const percent = Number(text.replace(/%$/, ''));
    if (Number.isInteger(percent) && percent >= min && percent <= 99) return percent;
    throw new CliError('usage', `A share of the calls is a whole number from ${min} to 99, not "${text}".`);
  };

/** `30m`, `2h`, `1d` in seconds; `never` stays a word, because commander takes null for an empty text. */
const readPromoteAfter = (text: string): number | 'never' =>
  text === 'never' ? text : readPeriod('--promote-after', text);
