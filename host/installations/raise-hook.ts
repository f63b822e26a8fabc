import type { HookEvent, HookName, HookPayload } from '../../plugins-sdk/contract/index.ts';
import type { PluginRunner } from '../invocations/run-plugin.ts';
import type { InstallationFacts } from './contract.ts';

/** Raises an event of the installation's own life, if the plugin listens to it. Rejects with the plugin's fault. */
export async function raiseHook<Name extends HookName>(
  { runPlugin, nowMs }: { runPlugin: PluginRunner; nowMs(): number },
  installation: InstallationFacts,
  hook: Name,
  payload: HookPayload<Name>,
): Promise<void> {
  if (!installation.manifest.hooks?.includes(hook)) return;
  const event: HookEvent = {
    hook,
    eventId: `${hook}:${installation.id}:${installation.version}`,
    occurredAt: new Date(nowMs()).toISOString(),
    payload,
  };
  await runPlugin(installation, { kind: 'hook', event }, { caller: null });
}
