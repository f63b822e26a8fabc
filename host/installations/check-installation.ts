import semver from 'semver';
import {
  type CapabilityName,
  type ConfigureReport,
  checkConfig,
  type DocumentFault,
  type Json,
  type Manifest,
} from '../../plugins-sdk/contract/index.ts';
import type { Release } from '../../registry/index.ts';
import { HostRefusal, releaseBlocked } from '../errors.ts';
import { PluginFaultError } from '../invocations/contract.ts';
import type { PluginRunner } from '../invocations/run-plugin.ts';
import type { InstallationFacts } from './contract.ts';

/** Refuses with: release-not-installable, release-blocked, engine-incompatible. */
export function checkRelease(release: Release, hostVersion: string): void {
  if (release.state !== 'published') {
    const { plugin, version, state, yanked } = release;
    const instead = yanked?.replacement ? ` Its publisher suggests ${yanked.replacement}.` : '';
    const message = yanked === null ? undefined : `${plugin}@${version} was yanked: ${yanked.reason}${instead}`;
    throw new HostRefusal('release-not-installable', message, { plugin, state });
  }
  if (release.blocked !== null) {
    const { plugin, version, blocked } = release;
    throw releaseBlocked({ ...blocked, plugin, version });
  }
  const { engine } = release.manifest;
  if (!semver.satisfies(hostVersion, engine, { includePrerelease: true })) {
    throw new HostRefusal(
      'engine-incompatible',
      `The release asks for Gatehouse ${engine}; this host is ${hostVersion}.`,
      { engine, hostVersion },
    );
  }
}

/** Refuses with: capability-undeclared, grant-missing. */
export function checkGrants({ capabilities = [] }: Manifest, grants: readonly CapabilityName[]): void {
  const declared = capabilities.map(({ name }) => name);
  const undeclared = grants.filter((grant) => !declared.includes(grant));
  if (undeclared.length > 0) {
    throw new HostRefusal('capability-undeclared', undefined, { undeclared, declared });
  }
  const missing = capabilities.filter(({ name, optional }) => !optional && !grants.includes(name));
  if (missing.length > 0) {
    const names = missing.map(({ name }) => name);
    throw new HostRefusal('grant-missing', `Grant ${names.join(', ')}, or do not install the plugin.`, { missing });
  }
}

/**
 * The manifest's schema first, then the plugin's own `configure`, in the sandbox. `lenient` takes a fault of that for
 * consent. Refuses with: config-invalid, and the plugin's fault.
 */
export async function checkConfiguration(
  installation: InstallationFacts,
  config: Json,
  runPlugin: PluginRunner,
  { lenient = false } = {},
): Promise<void> {
  const checked = checkConfig(installation.manifest, config);
  if (!checked.ok) throw configInvalid(checked.faults);
  const report = await askPlugin(installation, config, runPlugin).catch((error): ConfigureReport => {
    if (lenient && error instanceof PluginFaultError) return { ok: true };
    throw error;
  });
  if (!report.ok) throw configInvalid(report.faults);
}

async function askPlugin(
  installation: InstallationFacts,
  config: Json,
  runPlugin: PluginRunner,
): Promise<ConfigureReport> {
  try {
    const { output } = await runPlugin(installation, { kind: 'configure', config }, { caller: null });
    return (output as { value: Json }).value as unknown as ConfigureReport;
  } catch (error) {
    if (error instanceof PluginFaultError && error.fault.code === 'handler-missing') return { ok: true };
    throw error;
  }
}

const configInvalid = (faults: DocumentFault[]) => new HostRefusal('config-invalid', undefined, { faults });
