import type { IncomingMessage, ServerResponse } from 'node:http';
import { v7 as uuidv7 } from 'uuid';
import { HostRefusal } from '../../host/errors.ts';
import { readBody } from '../../host/http/read-body.ts';
import { deliverHook } from '../../host/installations/deliver-hook.ts';
import type { PluginAnswer } from '../../host/invocations/run-plugin.ts';
import type { Json } from '../contract/index.ts';
import { localPrincipal } from './dev-operator.ts';
import type { DevSession, LoadedPlugin } from './dev-session.ts';

export const CONTROL_PREFIX = '/_gatehouse/';

interface ControlAnswer {
  value: unknown;
  invocationId: string | null;
}

interface ControlRequest {
  session: DevSession;
  loaded: LoadedPlugin;
  /** What the path names behind the verb; empty where it names nothing. */
  name: string;
  readBody(): Promise<Buffer>;
}

/** What the control plane does for an installation, and a look at what the plugin stored. */
const ANSWERS: Record<string, (request: ControlRequest) => Promise<ControlAnswer>> = {
  'GET health': async ({ session, loaded }) =>
    jsonAnswer(await session.host.runPlugin(loaded.installation, { kind: 'health' }, { caller: null })),

  'GET kv': async ({ session }) => ({
    value: session.host.stored().map(({ key, json, version }) => ({ key, version, value: JSON.parse(json) })),
    invocationId: null,
  }),

  'POST hooks/<hook>': async ({ session, loaded: { installation }, name: hook, readBody }) => {
    const { eventId, payload } = readDelivery((await readBody()).toString('utf8'));
    const { runPlugin } = session.host;
    const deliver = deliverHook({ ownFacts: async () => installation, runPlugin, nowMs: Date.now });
    const value = await deliver(localPrincipal('operator')!, installation.id, { hook, eventId, payload });
    return { value, invocationId: value.invocationId };
  },

  'POST schedule/<job>': async ({ session, loaded: { installation }, name }) => {
    const declared = (installation.manifest.schedule ?? []).map((job) => job.name);
    if (!declared.includes(name)) throw new HostRefusal('route-unknown', `There is no job "${name}".`, { declared });
    const job = { kind: 'schedule' as const, name, dueAt: new Date().toISOString() };
    return jsonAnswer(await session.host.runPlugin(installation, job, { caller: null }));
  },
};

const jsonAnswer = ({ invocationId, output }: PluginAnswer): ControlAnswer => ({
  value: (output as { value: Json }).value,
  invocationId,
});

/** Answers a request below `/_gatehouse/`. Refuses with: route-unknown, the codes of deliverHook, the plugin's fault. */
export async function answerControl(
  session: DevSession,
  loaded: LoadedPlugin,
  req: IncomingMessage,
  res: ServerResponse,
): Promise<ControlAnswer> {
  const [verb, name = '', ...rest] = req.url!.split('?', 1)[0]!.slice(CONTROL_PREFIX.length).split('/');
  const found = Object.keys(ANSWERS).find((key) => {
    const [start, wants] = key.split('/');
    return start === `${req.method} ${verb}` && (wants === undefined) === (name === '') && rest.length === 0;
  });
  if (found === undefined) {
    throw new HostRefusal('route-unknown', `Below ${CONTROL_PREFIX} there are: ${Object.keys(ANSWERS).join(', ')}.`);
  }
  const { inputBytes } = loaded.installation.limits;
  return ANSWERS[found]!({ session, loaded, name, readBody: async () => readBody(req, res, inputBytes) });
}

/** The same body as the control plane takes; here the event's id may be left out. Refuses with: body-malformed, body-invalid. */
function readDelivery(text: string): { eventId: string; payload: Json } {
  let body: { eventId?: unknown; payload?: Json } | null;
  try {
    body = JSON.parse(text);
  } catch {
    throw new HostRefusal('body-malformed', 'The body must be JSON: {"eventId": "…", "payload": {…}}.');
  }
  const { eventId = uuidv7(), payload } = body ?? {};
  if (payload === undefined) throw bodyInvalid('/payload', 'is required');
  if (typeof eventId !== 'string') throw bodyInvalid('/eventId', 'must be text');
  return { eventId, payload };
}

const bodyInvalid = (pointer: string, message: string) =>
  new HostRefusal('body-invalid', undefined, { faults: [{ pointer, message }] });
