import { expect } from 'chai';
import { bundlePlugin } from '../../plugins-sdk/bundle-plugin.ts';
import { startDev } from '../../plugins-sdk/cli/commands/dev.ts';
import type { DevEvent } from '../../plugins-sdk/cli/dev-session.ts';
import type { Json, Manifest, PluginFault } from '../../plugins-sdk/contract/index.ts';
import { mapStack, readSourceMap, type SourceMap } from '../../plugins-sdk/map-frames.ts';
import { type Harness, HarnessFault, HarnessRefusal, startHarness } from '../../plugins-sdk/testing/index.ts';
import type { Installation } from '../installations/contract.ts';
import { CONFORMANCE_CASES, type ConformanceCase, PREAMBLE } from './conformance-cases.ts';
import { KV, type TestPlatform } from './test-platform.ts';

/** How a case ended in one place: everything that may not differ between places. */
interface Ending {
  /** What a plugin answered: status, its own headers, and the body as base64. */
  answer?: { status: number; headers: Record<string, string>; body: string };
  value?: unknown;
  /** What a caller is told instead; null where the place has no callers to tell. */
  problem?: unknown;
  code?: string;
  /** What the author is told. */
  fault?: unknown;
  logs?: { source: string; level: string; message: string; facts: Json }[];
}

interface Place {
  name: string;
  run(asked: ConformanceCase, number: number): Promise<Ending>;
  close(): Promise<void>;
}

const CONFIG = { greeting: 'Hello' };
const OWN_HEADERS = ['content-type', 'location', 'set-cookie', 'x-own', 'x-two'];

const sourceOf = (cases: ConformanceCase[]): string => `import { definePlugin } from '@gatehouse/plugin-sdk';
${PREAMBLE}
const CASES = [
${cases.map(({ code }) => `  async (request, ctx) => { ${code} },`).join('\n')}
];
const route = (request, ctx) => CASES[Number(ctx.params.id)](request, ctx);
export default definePlugin({
  routes: { 'GET /c/:id': route, 'POST /c/:id': route },
  hooks: { 'order.paid': (event, ctx) => CASES[Number(event.eventId)](event, ctx) },
});
`;

const MANIFEST: Partial<Manifest> = {
  routes: [
    { method: 'GET', path: '/c/:id', access: 'caller' },
    { method: 'POST', path: '/c/:id', access: 'caller' },
  ],
  hooks: ['order.paid'],
  capabilities: [
    KV,
    { name: 'log', reason: 'Writes what the test compares.' },
    { name: 'config', reason: 'Reads what the test compares.' },
  ],
  config: { type: 'object', properties: { greeting: { type: 'string' } }, additionalProperties: false },
  // One of them spins.
  limits: { cpuMs: 200 },
};

/** Runs every case in `gate dev`, in the test harness and on the host of `platform`, and lets nothing differ. */
export function conformanceSuite(platformOf: () => TestPlatform): void {
  describe('one engine in three places', () => {
    const places: Place[] = [];
    before(async () => {
      const platform = platformOf();
      const plugin = { source: sourceOf(CONFORMANCE_CASES), manifest: { ...MANIFEST, name: 'conformance' } };
      const installation = await platform.install(plugin, { config: CONFIG });
      const folder = await platform.writePlugin(plugin);
      const { sourceMap } = await bundlePlugin({ folder, manifest: { entry: 'src/index.ts' } });
      const map = readSourceMap(sourceMap)!;
      places.push(
        await inDevelopment(folder, map),
        await inHarness(folder, map),
        inProduction(platform, installation, map),
      );
    });
    after(() => Promise.all(places.map((place) => place.close())));

    for (const [number, asked] of CONFORMANCE_CASES.entries()) {
      it(`a plugin that ${asked.that} ends alike`, async () => {
        const endings: Ending[] = [];
        for (const place of places) endings.push(await place.run(asked, number));
        const ends = onHostCode(endings[2]!);
        expect(ends).to.equal(asked.ends ?? 'answered');
        if (asked.writes !== undefined) expect(endings[2]!.logs).to.have.length(asked.writes);
        const text = (ending: Ending) => JSON.stringify(ending, null, 1);
        const [inDev, inTest, onHost] = endings as [Ending, Ending, Ending];
        expect(text(inDev), 'gate dev and the host').to.equal(text(onHost));
        // A test is told the fault itself, where a caller is told a problem.
        const { problem: _problem, ...told } = onHost;
        expect(text(inTest), 'the harness and the host').to.equal(text(told));
      });
    }
  });
}

/** What the cases say of how they end, so that three places cannot agree on something else. */
const onHostCode = ({ code }: Ending): string => code ?? 'answered';

/** Ids and what was measured differ with every run; the rest may not. */
const settled = (text: string): string =>
  text
    .replace(/[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}/g, '<id>')
    .replace(/, [\d.]+ used/g, ', <n> used')
    .replace(/"used":[\d.]+/g, '"used":"<n>"');

/** A fault with the places of the sources, whichever places it came with. */
const faultShown = (fault: PluginFault, map: SourceMap): unknown =>
  JSON.parse(settled(JSON.stringify({ ...fault, ...(fault.stack && { stack: mapStack(fault.stack, map) }) })));

type Line = NonNullable<Ending['logs']>[number];
/** What the plugin wrote; ends of invocations are compared as faults. */
const written = (lines: Line[], map: SourceMap): Line[] =>
  lines
    .filter(({ source }) => source !== 'host')
    .map(({ source, level, message, facts }) => ({ source, level, message: mapStack(message, map), facts }));

async function answerOf(response: Response): Promise<NonNullable<Ending['answer']>> {
  const headers = Object.fromEntries(
    OWN_HEADERS.flatMap((name) => {
      const value = response.headers.get(name);
      return value === null ? [] : [[name, value]];
    }),
  );
  return { status: response.status, headers, body: Buffer.from(await response.arrayBuffer()).toString('base64') };
}

/** What a place that speaks HTTP said, and the invocation that it was about. */
async function readHttp(response: Response): Promise<{ ending: Ending; invocationId: string | null }> {
  const invocationId = response.headers.get('x-gatehouse-invocation');
  if (response.headers.get('content-type') !== 'application/problem+json') {
    return { ending: { answer: await answerOf(response) }, invocationId };
  }
  const text = await response.text();
  const problem = JSON.parse(settled(text)) as { code: string };
  return { ending: { problem, code: problem.code }, invocationId };
}

const pathOf = ({ request }: ConformanceCase, number: number): string => `/c/${number}${request?.path ?? ''}`;
const initOf = ({ request }: ConformanceCase): RequestInit => ({
  redirect: 'manual',
  ...(request?.method !== undefined && { method: request.method }),
  ...(request?.headers && { headers: request.headers }),
  ...(request?.body !== undefined && { body: request.body }),
});
const eventOf = ({ payload }: ConformanceCase, number: number) => ({
  eventId: String(number),
  payload: payload as never,
});

function inProduction(platform: TestPlatform, installation: Installation, map: SourceMap): Place {
  const logsOf = async (invocationId: string) =>
    (await platform.as.publisher.listLogs(installation.id, { invocationId, limit: 100 })).items.toReversed();
  return {
    name: 'host',
    run: async (asked, number) => {
      const response =
        asked.payload === undefined
          ? await platform.call(installation, pathOf(asked, number), initOf(asked))
          : await fetch(`${platform.host.url}/v1/installations/${installation.id}/hooks/order.paid`, {
              method: 'POST',
              headers: { authorization: `Bearer ${platform.credentials.operator}`, 'content-type': 'application/json' },
              body: JSON.stringify(eventOf(asked, number)),
            });
      const { ending, invocationId } = await readHttp(response);
      const value = asked.payload !== undefined && ending.answer ? delivered(ending.answer) : null;
      const id = invocationId ?? value?.invocationId;
      const lines = id === undefined || id === null ? [] : await logsOf(id);
      const end = lines.find(({ source }) => source === 'host');
      const { fault } = (end?.facts ?? {}) as unknown as { fault?: PluginFault };
      return endingOf(
        { ...(value ? { value: value.result } : ending) },
        fault && faultShown(fault, map),
        written(lines, map),
      );
    },
    close: async () => {},
  };
}

const delivered = ({ body }: NonNullable<Ending['answer']>) =>
  JSON.parse(Buffer.from(body, 'base64').toString()) as { invocationId: string; result: Json };

/** In one order of members, without those that say nothing. */
const endingOf = (ending: Ending, fault: unknown, logs: Line[]): Ending => ({
  ...(ending.answer && { answer: ending.answer }),
  ...('value' in ending && { value: ending.value }),
  ...(ending.problem !== undefined && { problem: ending.problem }),
  ...(ending.code !== undefined && { code: ending.code }),
  ...(fault !== undefined && { fault }),
  logs,
});

async function inDevelopment(folder: string, map: SourceMap): Promise<Place> {
  let events: DevEvent[] = [];
  const config = JSON.stringify(CONFIG);
  const dev = await startDev({ folder, port: 0, access: 'caller', config }, (event) => {
    if (event.type !== 'request') events.push(event);
  });
  return {
    name: 'dev',
    run: async (asked, number) => {
      events = [];
      const response = await fetch(
        `${dev.url}${asked.payload === undefined ? pathOf(asked, number) : '/_gatehouse/hooks/order.paid'}`,
        asked.payload === undefined ? initOf(asked) : { method: 'POST', body: JSON.stringify(eventOf(asked, number)) },
      );
      const { ending } = await readHttp(response);
      const value = asked.payload !== undefined && ending.answer ? delivered(ending.answer) : null;
      const told = events.find((event) => event.type === 'fault');
      const lines = events.flatMap((event) => (event.type === 'log' ? [event.entry] : []));
      return endingOf(
        value ? { value: value.result } : ending,
        told && faultShown(told.fault, map),
        written(lines, map),
      );
    },
    close: dev.close,
  };
}

async function inHarness(folder: string, map: SourceMap): Promise<Place> {
  const harness = await startHarness({ folder, config: CONFIG });
  return {
    name: 'harness',
    run: async (asked, number) => {
      harness.logs.length = 0;
      const ended = await harnessEnding(harness, asked, number).catch((error: unknown) => {
        if (error instanceof HarnessRefusal) return { code: error.code };
        if (error instanceof HarnessFault) return { code: error.fault.code, fault: faultShown(error.fault, map) };
        throw error;
      });
      const { fault, ...ending } = ended as Ending;
      return endingOf(ending, fault, written(harness.logs, map));
    },
    close: harness.close,
  };
}

async function harnessEnding(harness: Harness, asked: ConformanceCase, number: number): Promise<Ending> {
  if (asked.payload === undefined)
    return { answer: await answerOf(await harness.fetch(pathOf(asked, number), initOf(asked))) };
  const { eventId, payload } = eventOf(asked, number);
  return { value: await harness.deliver('order.paid', payload, { eventId }) };
}
