import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { basename, dirname, join, relative, resolve } from 'node:path';
import { SLUG_PATTERN, SLUG_RULE } from '../../contract/index.ts';
import { type Cli, verb } from '../command-line.ts';
import { CliError } from '../errors.ts';
import { linkSdk } from '../link-sdk.ts';

export const TEMPLATES = {
  http: 'answers HTTP requests',
  fulfilment: 'delivers paid orders, exactly once',
} as const;
export type TemplateName = keyof typeof TEMPLATES;

const TEMPLATES_FOLDER = join(dirname(import.meta.dirname), 'templates');
/** Files of every template lie in `every`; the others are named after their template. */
const SHARED_TEMPLATE = 'every';
const ENDING = '.tmpl';

export interface InitCommand {
  /** Absolute; made if it does not exist. */
  folder: string;
  template: TemplateName;
  name: string;
  publisher: string;
}

/**
 * Writes a plugin that works at once: `gate dev`, `gate test`, `gate validate` and an editor need no install.
 * Refuses with: usage (a name that is no slug), folder-not-empty, file-unreadable, file-unwritable.
 */
export async function initPlugin(command: InitCommand): Promise<{ folder: string; files: string[] }> {
  const { folder, template, name, publisher } = command;
  checkSlug('--name', name);
  checkSlug('--publisher', publisher);
  const files = { ...(await readTemplate(SHARED_TEMPLATE)), ...(await readTemplate(template)) };
  await refuseFull(folder);
  const words: Record<string, string> = { name, publisher, title: titleOf(name) };
  try {
    for (const [path, text] of Object.entries(files)) {
      const target = join(folder, path);
      await mkdir(dirname(target), { recursive: true });
      // `wx`: whatever appeared meanwhile is somebody's work.
      await writeFile(
        target,
        text.replace(/\{\{(\w+)\}\}/g, (_all, word: string) => words[word]!),
        { flag: 'wx' },
      );
    }
    await linkSdk(folder);
  } catch (error) {
    throw new CliError('file-unwritable', `${folder} cannot be written: ${(error as Error).message}`, { folder });
  }
  return { folder, files: Object.keys(files).sort() };
}

export function checkSlug(option: string, text: string): string {
  if (new RegExp(SLUG_PATTERN).test(text)) return text;
  throw new CliError('usage', `${option} "${text}" ${SLUG_RULE}.`);
}

/** `order-delivery` as `Order delivery`. */
const titleOf = (name: string): string => name.charAt(0).toUpperCase() + name.slice(1).replaceAll('-', ' ');

/** Texts by the path that they get. A dot file is stored without its dot, so that it means nothing where it is stored. */
async function readTemplate(template: string): Promise<Record<string, string>> {
  const root = join(TEMPLATES_FOLDER, template);
  const entries = await readdir(root, { recursive: true, withFileTypes: true });
  const texts = entries
    .filter((entry) => entry.isFile() && entry.name.endsWith(ENDING))
    .map(async ({ parentPath, name }) => {
      const path = relative(root, join(parentPath, name)).replaceAll('\\', '/').slice(0, -ENDING.length);
      return [path === 'gitignore' ? '.gitignore' : path, await readFile(join(parentPath, name), 'utf8')] as const;
    });
  return Object.fromEntries(await Promise.all(texts));
}

/** A fresh repository is empty enough. */
async function refuseFull(folder: string): Promise<void> {
  const found = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw new CliError('file-unreadable', `${folder} cannot be used: ${error.message}`, { folder });
  });
  const files = found.filter((name) => name !== '.git');
  if (files.length === 0) return;
  const few = files.slice(0, 3).join(', ');
  throw new CliError('folder-not-empty', `${folder} has files in it (${few}); choose an empty or a new folder.`, {
    folder,
  });
}

interface InitOptions {
  template?: TemplateName;
  name?: string;
  publisher?: string;
}

export function initCommand(cli: Cli): void {
  verb(cli, {
    name: 'init',
    summary: 'Start a new plugin that works at once',
    examples: [
      'gate init my-plugin',
      'gate init ./vouchers --template fulfilment --name voucher-delivery --publisher acme-labs',
    ],
  })
    .argument('[folder]', 'folder of the new plugin: an empty or a new one', '.')
    .option(
      '--template <name>',
      Object.entries(TEMPLATES)
        .map(([name, does]) => `${name} (${does})`)
        .join(' or '),
      readTemplateName,
    )
    .option('--name <slug>', 'name of the plugin (default: name of the folder)')
    .option('--publisher <slug>', 'slug of the publisher that signs it')
    .action(
      cli.answer(async (given: string, options: InitOptions) => {
        const folder = resolve(cli.settings.cwd, given);
        const answers = cli.interactive() ? await ask(folder, options) : options;
        const { template = 'http', name = basename(folder), publisher } = answers;
        if (publisher === undefined) throw new CliError('usage', 'Say who publishes it: --publisher <slug>');
        const made = await initPlugin({ folder, template, name, publisher });
        return {
          value: { ...made, template, name, publisher },
          text: (paint) => {
            const next = relative(cli.settings.cwd, folder);
            const steps = [
              ...(next === '' ? [] : [`cd ${next}`]),
              'gate dev',
              'gate test',
              'gate validate',
              'gate publish',
            ];
            return [
              `${paint('green', '✔')} Made ${publisher}/${name} in ${folder}`,
              ...made.files.map((file) => paint('dim', `  ${file}`)),
              'Next:',
              ...steps.map((step) => `  ${step}`),
            ].join('\n');
          },
        };
      }),
    );
}

function readTemplateName(text: string): TemplateName {
  if (Object.hasOwn(TEMPLATES, text)) return text as TemplateName;
  throw new CliError('usage', `--template must be one of: ${Object.keys(TEMPLATES).join(', ')}`);
}

async function ask(folder: string, { template, name, publisher }: InitOptions): Promise<InitOptions> {
  const { input, select } = await import('@inquirer/prompts');
  const slug = (text: string) => new RegExp(SLUG_PATTERN).test(text) || '3 to 40 lower-case letters, digits and dashes';
  const proposal = slug(basename(folder)) === true ? basename(folder) : undefined;
  return {
    template:
      template ??
      (await select({
        message: 'Which template?',
        choices: Object.entries(TEMPLATES).map(([value, does]) => ({
          value: value as TemplateName,
          name: `${value}: ${does}`,
        })),
      })),
    name: name ?? (await input({ message: 'Name of the plugin', default: proposal, validate: slug })),
    publisher: publisher ?? (await input({ message: 'Slug of the publisher', validate: slug })),
  };
}
