import { v7 as uuidv7 } from 'uuid';
import { answeringEgress } from '../egress/answering-egress.ts';
import { memoryQueue } from '../queues/memory-queue.ts';
import { memorySecrets } from '../secrets/memory-secrets.ts';
import { createShownSecrets } from '../secrets/shown-secrets.ts';
import type { CapabilityPorts } from './compose.ts';
import { insularPorts } from './insular-ports.ts';

/** Capabilities where there is nothing outside: no network answers and no secret is set. */
export const closedPorts = (nowMs: () => number = Date.now): Omit<CapabilityPorts, 'kvStore'> => ({
  ...insularPorts(),
  egress: answeringEgress(null),
  secrets: memorySecrets(() => ({})),
  shownSecrets: createShownSecrets(),
  queue: memoryQueue(nowMs).queue,
  newId: uuidv7,
  nowMs,
});
