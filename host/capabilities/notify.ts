import type { Json, OperatorMessage } from '../../plugins-sdk/contract/index.ts';
import { HostRefusal } from '../errors.ts';
import { findRoute } from '../invocations/plugin-request.ts';
import type { PluginMessages } from '../notifications/contract.ts';
import type { CapabilityCalls } from './broker.ts';
import { callKey } from './call-key.ts';
import type { CallingInstallation } from './call-scope.ts';
import { CapabilityError } from './capability-error.ts';

/** The capability `notify`: messages to the operator, few enough to be read. */
export const notifyCalls = ({ messages }: { messages: PluginMessages }): Pick<CapabilityCalls, 'notify.send'> => ({
  'notify.send': async (context, args: OperatorMessage) => {
    const { installation } = context;
    if (args.link !== undefined) checkLink(installation, args.link);
    const notificationId = await messages.send(installation, args, callKey(context, 'notify.send', args));
    if (notificationId === null) throw new CapabilityError('notify-rate-exceeded');
    return { notificationId } satisfies Json;
  },
});

function checkLink({ manifest }: CallingInstallation, link: string): void {
  try {
    findRoute({ manifest }, 'GET', link.split('?', 1)[0]!);
  } catch (error) {
    if (!(error instanceof HostRefusal)) throw error;
    throw new CapabilityError('notify-link-unknown', `The plugin has no route GET ${link}.`);
  }
}
