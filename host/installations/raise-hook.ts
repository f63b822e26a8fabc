import type { HookEvent, HookName, HookPayload } from '../../plugins-sdk/contract/index.ts';
import type { PluginRunner } from '../invocations/run-plugin.ts';
import type { InstallationFacts } from './contract.ts';

export interface HookPorts {
  runPlugin: PluginRunner;
  nowMs(): number;
}

/**
 * Raises an event of the installation's own life, if the plugin listens to it. `occurrence` tells it from others of its kind:
 * raised again for the same change, as after the death of a host, the plugin sees the same id. Rejects with the plugin's fault.
 */
export async function raiseHook<Name extends HookName>(
  { runPlugin, nowMs }: HookPorts,
  installation: InstallationFacts,
  hook: Name,
  payload: HookPayload<Name>,
  occurrence: string | number = installation.version,
): Promise<void> {
  if (!installation.manifest.hooks?.includes(hook)) return;
  const event: HookEvent = {
    hook,
    eventId: `${hook}:${installation.id}:${occurrence}`,
    occurredAt: new Date(nowMs()).toISOString(),
    payload,
  };
  await runPlugin(installation, { kind: 'hook', event }, { caller: null });
}

/** The same where the plugin has no say: whatever it ends with is in its log, and true is returned where it ended well. */
export const tellHook = <Name extends HookName>(...args: Parameters<typeof raiseHook<Name>>): Promise<boolean> =>
  raiseHook(...args).then(
    () => true,
    () => false,
  );
