import type { PluginRequest } from '../../contract/capabilities/plugins.ts';
import { CALL_BODY_UNITS_MAX, CALL_HEADERS_MAX, CALL_PATH_UNITS_MAX } from '../../contract/capabilities/sizes.ts';
import type { WireResponse } from '../../contract/invocation.ts';
import { contentFromWire } from '../body.ts';
import { headersFromList } from '../headers.ts';
import { callHost, type Invocation } from '../invocation.ts';
import { jsonStringify, keys, stringLower } from '../primordials.ts';
import { freezeClass } from '../removals.ts';
import { Response } from '../response.ts';
import { assertByRuntime, BY_RUNTIME, denied, field, invalid, textJson, valueText } from './arguments.ts';

/** The capability `plugins` of one invocation. */
class Plugins {
  readonly #invocation: Invocation;
  readonly #granted: boolean;

  constructor(key: object, invocation: Invocation, granted: boolean) {
    assertByRuntime(key);
    this.#invocation = invocation;
    this.#granted = granted;
  }

  async call(plugin: string, path: string, request: PluginRequest = {}): Promise<Response> {
    if (!this.#granted) throw denied('plugins');
    const { method, headers, body, installation } = request ?? {};
    const sent = method ?? (body === undefined ? 'GET' : 'POST');
    const isText = typeof body === 'string';
    const text = body === undefined ? null : isText ? body : valueText('body', body);
    if (text !== null && text.length > CALL_BODY_UNITS_MAX) {
      throw invalid(`The body has ${text.length} characters; ${CALL_BODY_UNITS_MAX} are allowed.`);
    }
    const target = `"plugin":${textJson('plugin', plugin)}${field('installation', installation)}`;
    const place = `"method":${textJson('method', sent)},"path":${textJson('path', path, CALL_PATH_UNITS_MAX)}`;
    const list = headersJson(headers, text !== null && !isText);
    const args = `{${target},${place},"headers":${list},"body":${jsonStringify(text)}}`;
    const answer = (await callHost(this.#invocation, 'plugins.call', args)) as WireResponse;
    const content = contentFromWire(answer.body, answer.bodyEncoding);
    return new Response(content, { status: answer.status, headers: headersFromList(answer.headers) });
  }

  async deliver(
    plugin: string,
    hook: string,
    payload: unknown,
    options: { eventId?: string; installation?: string } = {},
  ): Promise<never> {
    if (!this.#granted) throw denied('plugins');
    const { eventId, installation } = options ?? {};
    const json = valueText('payload', payload);
    if (json.length > CALL_BODY_UNITS_MAX) {
      throw invalid(`The payload has ${json.length} characters of JSON; ${CALL_BODY_UNITS_MAX} are allowed.`);
    }
    const target = `"plugin":${textJson('plugin', plugin)}${field('installation', installation)}`;
    const args = `{${target},"hook":${textJson('hook', hook)},"payload":${json}${field('eventId', eventId)}}`;
    return (await callHost(this.#invocation, 'plugins.deliver', args)) as never;
  }
}

freezeClass(Plugins, 'Plugins');

export const pluginsOf = (invocation: Invocation, granted: boolean): Plugins =>
  new Plugins(BY_RUNTIME, invocation, granted);

/** The host says which headers may be sent. */
function headersJson(headers: unknown, isJson: boolean): string {
  if (headers !== undefined && (typeof headers !== 'object' || headers === null)) {
    throw invalid('headers is an object of texts');
  }
  const names = headers === undefined ? [] : keys(headers as object);
  if (names.length > CALL_HEADERS_MAX) throw invalid(`A request may have ${CALL_HEADERS_MAX} headers`);
  let list = '';
  let hasType = false;
  for (let at = 0; at < names.length; at += 1) {
    const name = stringLower(names[at]!);
    if (name === 'content-type') hasType = true;
    const value = (headers as Record<string, unknown>)[names[at]!];
    list += `${at > 0 ? ',' : ''}[${textJson('header', name)},${textJson(name, value)}]`;
  }
  if (!isJson || hasType) return `[${list}]`;
  return `[${list}${list === '' ? '' : ','}["content-type","application/json"]]`;
}
