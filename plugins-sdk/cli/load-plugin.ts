import { type Manifest, sha256Hex } from '../contract/index.ts';
import { bundleProject, warningLines } from './bundle-project.ts';
import { loadProject } from './load-project.ts';

/** One build of the plugin in a folder. */
export interface LocalPlugin {
  manifest: Manifest;
  code: string;
  sourceMap: string;
  /** SHA-256 of the code, lower-case hex. */
  digest: string;
  warnings: string[];
}

/** Reads and bundles the plugin of a folder. Refuses with: manifest-missing, manifest-invalid, file-unreadable, bundle-failed. */
export async function loadLocalPlugin(folder: string): Promise<LocalPlugin> {
  const project = await loadProject(folder);
  const bundle = await bundleProject(project);
  const { code, sourceMap } = bundle;
  return { manifest: project.manifest, code, sourceMap, digest: sha256Hex(code), warnings: warningLines(bundle) };
}
