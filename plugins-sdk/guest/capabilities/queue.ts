import type { Queue as QueueContract } from '../../contract/capabilities/queue.ts';
import { QUEUE_MESSAGE_BYTES_MAX } from '../../contract/capabilities/sizes.ts';
import { CapabilityError } from '../capability-error.ts';
import { callHost, type Invocation } from '../invocation.ts';
import { freezeClass } from '../removals.ts';
import { utf8LengthOver } from '../utf8.ts';
import { assertByRuntime, BY_RUNTIME, denied, field, textJson, valueText } from './arguments.ts';

/** The capability `queue` of one invocation. */
class Queue implements QueueContract {
  readonly #invocation: Invocation;
  readonly #granted: boolean;

  constructor(key: object, invocation: Invocation, granted: boolean) {
    assertByRuntime(key);
    this.#invocation = invocation;
    this.#granted = granted;
  }

  async send(queue: string, payload: unknown, options: { delaySeconds?: number; key?: string } = {}): Promise<never> {
    if (!this.#granted) throw denied('queue');
    const { delaySeconds, key } = options ?? {};
    const fields = `"queue":${textJson('queue', queue)},"payload":${payloadJson(payload)}`;
    const args = `{${fields}${field('delaySeconds', delaySeconds)}${field('key', key)}}`;
    return (await callHost(this.#invocation, 'queue.send', args)) as never;
  }
}

freezeClass(Queue, 'Queue');

export const queueOf = (invocation: Invocation, granted: boolean): Queue => new Queue(BY_RUNTIME, invocation, granted);

function payloadJson(payload: unknown): string {
  const json = valueText('payload', payload);
  const bytes = utf8LengthOver(json, QUEUE_MESSAGE_BYTES_MAX);
  if (bytes <= QUEUE_MESSAGE_BYTES_MAX) return json;
  throw new CapabilityError(
    'queue-message-too-large',
    `The payload has ${bytes} bytes of JSON; one message may have ${QUEUE_MESSAGE_BYTES_MAX}.`,
  );
}
