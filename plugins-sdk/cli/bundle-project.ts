import { BundleRefused, bundlePlugin, type PluginBundle, showMessage } from '../bundle-plugin.ts';
import { CliError } from './errors.ts';
import type { Project } from './load-project.ts';

/**
 * Bundles a project. Refuses with: bundle-failed; its fact `frames` names every reason with file, line and
 * column, `messages` says the same for programs.
 */
export async function bundleProject(project: Project): Promise<PluginBundle> {
  try {
    return await bundlePlugin(project);
  } catch (error) {
    if (!(error instanceof BundleRefused)) throw error;
    const { entry } = project.manifest;
    throw new CliError('bundle-failed', `${entry} cannot be bundled.`, {
      frames: error.faults.map(showMessage),
      messages: error.faults,
    });
  }
}

/** The bundler's warnings as lines for people. */
export const warningLines = ({ warnings }: PluginBundle): string[] => warnings.map(showMessage);
