import { QUEUE_ATTEMPTS_DEFAULT, QUEUE_MESSAGE_BYTES_MAX } from '../../plugins-sdk/contract/index.ts';
import type { NewMessage } from '../queues/contract.ts';
import type { CapabilityCalls } from './broker.ts';
import { callKey } from './call-key.ts';
import { CapabilityError } from './capability-error.ts';
import { derivedId } from './derived-id.ts';
import { further } from './lineage.ts';

export interface QueuePorts {
  queue: {
    /** Stores a message and sees to it that it is handed out; null where as many wait as may. */
    send(message: NewMessage): Promise<{ id: string; stored: boolean } | null>;
  };
  /** UUIDv7. */
  newId(): string;
  /** 64 hex digits. */
  newSeed(): string;
}

/** The capability `queue`: messages of an installation to itself. */
export const queueCalls = ({ queue, newId, newSeed }: QueuePorts): Pick<CapabilityCalls, 'queue.send'> => ({
  'queue.send': async (context, args: { queue: string; payload: unknown; delaySeconds?: number; key?: string }) => {
    const { installation, invocationId, callSeq, lineage } = context;
    const declared = installation.manifest.queues?.find(({ name }) => name === args.queue);
    if (!declared) {
      throw new CapabilityError('queue-undeclared', `The manifest does not declare the queue "${args.queue}".`);
    }
    const payload = JSON.stringify(args.payload);
    const bytes = Buffer.byteLength(payload);
    if (bytes > QUEUE_MESSAGE_BYTES_MAX) {
      throw new CapabilityError(
        'queue-message-too-large',
        `The payload has ${bytes} bytes of JSON; one message may have ${QUEUE_MESSAGE_BYTES_MAX}.`,
      );
    }
    const sent = await queue.send({
      id: newId(),
      callId: derivedId(invocationId, callSeq, callKey(context, 'queue.send', args).argsSha256),
      installationId: installation.id,
      queue: args.queue,
      key: args.key ?? null,
      payload,
      delayMs: (args.delaySeconds ?? 0) * 1_000,
      attemptsMax: declared.attempts ?? QUEUE_ATTEMPTS_DEFAULT,
      depth: further(lineage, null).depth,
      seed: newSeed(),
    });
    if (sent === null) throw new CapabilityError('queue-full');
    return { id: sent.id, duplicate: !sent.stored };
  },
});
