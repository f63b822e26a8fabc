import { resolve } from 'node:path';
import { PluginFaultError } from '../../../host/invocations/contract.ts';
import type { Finding } from '../../../registry/index.ts';
import type { PluginShape } from '../../contract/index.ts';
import { mapFrames } from '../../map-frames.ts';
import { type Cli, verb } from '../command-line.ts';
import { compareShape } from '../compare-shape.ts';
import { LOCAL_OPERATOR } from '../dev-operator.ts';
import { CliError } from '../errors.ts';
import type { LocalPlugin } from '../load-plugin.ts';
import { findingText, scanPlugin } from '../scan-plugin.ts';
import { bytesText, fields, type Paint } from '../terminal.ts';

export interface ValidatedPlugin {
  /** `<publisher>/<name>`. */
  plugin: string;
  version: string;
  bundleBytes: number;
  shape: PluginShape;
  warnings: string[];
  /** What the scan of the registry would find in the code. */
  findings: Finding[];
}

/**
 * Checks a plugin as far as that is possible without an operator: the manifest, the bundle, and the handlers that the
 * code really has, asked for in the real sandbox. Refuses with: manifest-missing, manifest-invalid, bundle-failed,
 * plugin-invalid (with `faults` that point into the manifest, or the fault of code that does not start).
 */
export async function validatePlugin(folder: string): Promise<ValidatedPlugin> {
  // Loaded here, because most commands need no sandbox and shall start at once.
  const { loadLocalPlugin } = await import('../load-plugin.ts');
  const plugin = await loadLocalPlugin(folder);
  const { manifest, code, warnings } = plugin;
  const shape = await describe(plugin);
  const faults = compareShape(manifest, shape);
  if (faults.length > 0) {
    const count = faults.length === 1 ? 'a fault' : `${faults.length} faults`;
    throw new CliError('plugin-invalid', `The plugin in ${folder} has ${count}.`, { faults });
  }
  return {
    plugin: `${manifest.publisher}/${manifest.name}`,
    version: manifest.version,
    bundleBytes: Buffer.byteLength(code),
    shape,
    warnings,
    // Handlers were asked for, not run: `gate scan` does that.
    findings: (await scanPlugin(plugin, { run: false })).findings,
  };
}

async function describe(plugin: LocalPlugin): Promise<PluginShape> {
  const { startLocalHost } = await import('../../local-host.ts');
  const host = await startLocalHost({ operator: LOCAL_OPERATOR });
  try {
    return await host.describe(host.install(plugin));
  } catch (error) {
    if (!(error instanceof PluginFaultError)) throw error;
    const { fault } = error;
    const message = `The code does not start: ${fault.message}`;
    throw new CliError('plugin-invalid', message, { fault, frames: mapFrames(fault, plugin.sourceMap) });
  } finally {
    await host.close();
  }
}

export function validateCommand(cli: Cli): void {
  verb(cli, {
    name: 'validate',
    summary: 'Check manifest, code and handlers of a plugin',
    examples: ['gate validate', 'gate validate ./my-plugin --json'],
  })
    .argument('[folder]', 'folder of the plugin', '.')
    .action(
      cli.answer(async (folder: string) => {
        const validated = await validatePlugin(resolve(cli.settings.cwd, folder));
        return { value: validated, text: (paint) => validatedText(paint, validated) };
      }),
    );
}

function validatedText(
  paint: Paint,
  { plugin, version, bundleBytes, shape, warnings, findings }: ValidatedPlugin,
): string {
  const { routes, hooks, schedule, health, configure } = shape;
  const list = (names: string[]) => names.join(', ') || 'none';
  return [
    `${paint('green', '✔')} ${plugin}@${version} is fine`,
    fields(paint, [
      ['bundle', bytesText(bundleBytes)],
      ['routes', list(routes)],
      ['hooks', list(hooks)],
      ['schedule', list(schedule)],
      ['health', health ? 'yes' : 'no'],
      ['configure', configure ? 'yes' : 'no'],
    ]),
    ...warnings.map((warning) => `${paint('yellow', 'warning')} ${warning}`),
    ...findings.map((finding) => findingText(paint, finding)),
  ].join('\n');
}
