import { once } from 'node:events';
import { startHost } from '../compose.ts';
import { readConfig } from '../config.ts';
import { createLog } from '../log.ts';
import type { Order } from './second-host.ts';

// Ended by whoever started it, also by its death.
const [{ appUrl, flags }] = (await once(process, 'message')) as [Order];
// As in the role: the mail of this one, too, goes into its own box and nowhere else.
const config = readConfig({ flags, defaults: { GATEHOUSE_DEV_MAILBOX: 'true' } });
const host = await startHost({ config, appUrl, log: createLog(config.logLevel) });
process.once('disconnect', () => void host.close().finally(() => process.exit(0)));
process.send!(host.url);
