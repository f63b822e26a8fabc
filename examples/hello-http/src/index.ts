import { definePlugin } from '@gatehouse/plugin-sdk';

interface Config {
  greeting?: string;
}

const NAME_LENGTH_MAX = 40;
const DEFAULT_GREETING = 'Hello, {name}!';

export default definePlugin<Config>()({
  routes: {
    'GET /': (request) => {
      const example = new URL('greetings/Ada', request.url);
      return new Response(`Ask me for a greeting, for example at ${example.pathname}\n`);
    },

    'GET /greetings/:name': async (_request, { params, config, kv, log }) => {
      const name = params.name.trim();
      if (name.length > NAME_LENGTH_MAX) {
        return Response.json({ error: `A name has at most ${NAME_LENGTH_MAX} characters.` }, { status: 422 });
      }
      const greeting = (config?.greeting ?? DEFAULT_GREETING).replace('{name}', () => name);
      // Counting and logging are courtesies: where the operator did not grant them, the greeting is all there is.
      const counted = await ifGranted(() => kv.increment(`greeted/${encodeURIComponent(name)}`));
      if (counted?.value === 1) await ifGranted(() => log.info('a new guest', { name }));
      return { greeting, times: counted?.value };
    },

    'POST /echo': async (request) =>
      new Response(await request.arrayBuffer(), {
        headers: { 'content-type': request.headers.get('content-type') ?? 'application/octet-stream' },
      }),
  },

  health: () => ({ status: 'ok' }),

  configure: ({ greeting = DEFAULT_GREETING }) =>
    greeting.includes('{name}')
      ? { ok: true }
      : { ok: false, faults: [{ pointer: '/greeting', message: 'must contain {name}, which stands for the guest' }] },
});

/** What `use` gives; undefined where it needs a capability that the operator did not grant. */
async function ifGranted<Result>(use: () => Result | Promise<Result>): Promise<Result | undefined> {
  try {
    return await use();
  } catch (error) {
    if ((error as { code?: string }).code === 'capability-denied') return undefined;
    throw error;
  }
}
