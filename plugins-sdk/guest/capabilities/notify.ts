import type { Notify as NotifyContract, OperatorMessage } from '../../contract/capabilities/notify.ts';
import { NOTIFY_TEXT_UNITS_MAX } from '../../contract/capabilities/sizes.ts';
import { callHost, type Invocation } from '../invocation.ts';
import { freezeClass } from '../removals.ts';
import { assertByRuntime, BY_RUNTIME, denied, field, invalid, textJson } from './arguments.ts';

/** The capability `notify` of one invocation. */
class Notify implements NotifyContract {
  readonly #invocation: Invocation;
  readonly #granted: boolean;

  constructor(key: object, invocation: Invocation, granted: boolean) {
    assertByRuntime(key);
    this.#invocation = invocation;
    this.#granted = granted;
  }

  async send(message: Omit<OperatorMessage, 'severity'> & { severity?: OperatorMessage['severity'] }): Promise<never> {
    if (!this.#granted) throw denied('notify');
    if (typeof message !== 'object' || message === null) throw invalid('A message is { title, text, severity, link }.');
    const { title, text, severity = 'info', link } = message;
    const words = `"title":${textJson('title', title)},"text":${textJson('text', text, NOTIFY_TEXT_UNITS_MAX)}`;
    const args = `{${words},"severity":${textJson('severity', severity)}${field('link', link)}}`;
    return (await callHost(this.#invocation, 'notify.send', args)) as never;
  }
}

freezeClass(Notify, 'Notify');

export const notifyOf = (invocation: Invocation, granted: boolean): Notify =>
  new Notify(BY_RUNTIME, invocation, granted);
