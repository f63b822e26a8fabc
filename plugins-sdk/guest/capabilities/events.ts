import type { Events as EventsContract } from '../../contract/capabilities/events.ts';
import { EVENT_BYTES_MAX } from '../../contract/capabilities/sizes.ts';
import { CapabilityError } from '../capability-error.ts';
import { callHost, type Invocation } from '../invocation.ts';
import { freezeClass } from '../removals.ts';
import { utf8LengthOver } from '../utf8.ts';
import { assertByRuntime, BY_RUNTIME, denied, textJson, valueText } from './arguments.ts';

/** The capability `events` of one invocation. */
class Events implements EventsContract {
  readonly #invocation: Invocation;
  readonly #granted: boolean;

  constructor(key: object, invocation: Invocation, granted: boolean) {
    assertByRuntime(key);
    this.#invocation = invocation;
    this.#granted = granted;
  }

  async publish(topic: string, payload: unknown): Promise<never> {
    if (!this.#granted) throw denied('events');
    const args = `{"topic":${textJson('topic', topic)},"payload":${payloadJson(payload)}}`;
    return (await callHost(this.#invocation, 'events.publish', args)) as never;
  }
}

freezeClass(Events, 'Events');

export const eventsOf = (invocation: Invocation, granted: boolean): Events =>
  new Events(BY_RUNTIME, invocation, granted);

function payloadJson(payload: unknown): string {
  const json = valueText('payload', payload);
  const bytes = utf8LengthOver(json, EVENT_BYTES_MAX);
  if (bytes <= EVENT_BYTES_MAX) return json;
  throw new CapabilityError(
    'event-too-large',
    `The payload has ${bytes} bytes of JSON; one event may have ${EVENT_BYTES_MAX}.`,
  );
}
