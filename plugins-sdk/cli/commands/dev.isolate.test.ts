import { cp, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import type { DevRequest } from '../dev-server.ts';
import type { DevEvent } from '../dev-session.ts';
import { refusalOf } from '../test-refusal.ts';
import { type DevOptions, startDev } from './dev.ts';
import { initPlugin } from './init.ts';

type Event = DevEvent | DevRequest;

/** The members of all answers that these tests look at. */
interface Shown {
  greeting: string;
  times: number;
  code: string;
  frames: string[];
  faults: { pointer: string }[];
  result: { vouchers: unknown[] };
}
const shownBy = async (answer: Response | Promise<Response>): Promise<Shown> => (await (await answer).json()) as Shown;

describe('startDev', () => {
  let root: string;
  let copies = 0;
  let running: { close(): Promise<void> }[] = [];
  before(async () => {
    root = await mkdtemp(join(tmpdir(), 'gate-'));
    await initPlugin({ folder: join(root, 'http'), template: 'http', name: 'hello', publisher: 'acme-labs' });
    await initPlugin({ folder: join(root, 'shop'), template: 'fulfilment', name: 'shop', publisher: 'acme-labs' });
  });
  afterEach(async () => {
    await Promise.all(running.map((each) => each.close()));
    running = [];
  });
  after(() => rm(root, { recursive: true, force: true }));

  /** A session over a fresh copy of a template, with everything that it reported. */
  const start = async (template: 'http' | 'shop', options: Partial<DevOptions> = {}) => {
    const folder = join(root, `copy-${copies++}`);
    await cp(join(root, template), folder, { recursive: true });
    const events: Event[] = [];
    const waiting: { type: string; resolve: (event: never) => void }[] = [];
    const dev = await startDev({ folder, port: 0, ...options }, (event) => {
      events.push(event);
      for (const each of waiting.splice(0)) {
        if (each.type === event.type) each.resolve(event as never);
        else waiting.push(each);
      }
    });
    running.push(dev);
    /** The next event of a type, from now on. */
    const next = <Type extends Event['type']>(type: Type): Promise<Extract<Event, { type: Type }>> =>
      new Promise((resolve) => waiting.push({ type, resolve }));
    /** At once, as editors do: a file that is half written is a change of its own to who watches. */
    const edit = async (file: string, change: (text: string) => string) => {
      await writeFile(join(root, 'edited'), change(await readFile(join(folder, file), 'utf8')));
      await rename(join(root, 'edited'), join(folder, file));
    };
    const ask = (path: string, init?: RequestInit) => fetch(`${dev.url}${path}`, init);
    return { ...dev, folder, events, next, edit, ask };
  };
  const ofType = <Type extends Event['type']>(events: Event[], type: Type) =>
    events.filter((event) => event.type === type) as Extract<Event, { type: Type }>[];

  it('answers like the data plane, with every declared capability granted', async () => {
    const { ask, next } = await start('http', { config: '{"greeting":"Hi"}' });
    const request = next('request');
    const answer = await ask('/greetings/Ada');
    expect(await shownBy(answer)).to.deep.equal({ greeting: 'Hi, Ada!', times: 1 });
    expect(answer.headers.get('content-security-policy')).to.equal("sandbox; frame-ancestors 'none'");
    const seen = await request;
    expect(seen).to.include({ method: 'GET', path: '/greetings/Ada', status: 200 });
    expect(seen.invocationId).to.equal(answer.headers.get('x-gatehouse-invocation'));
    expect(seen.usage!.hostCalls).to.equal(1);
    expect(seen.limits!.cpuMs).to.be.greaterThan(0);
  });

  it('shows the host calls of a request', async () => {
    const { ask, next } = await start('http');
    const request = next('request');
    await ask('/greetings/Ada');
    const { calls, omitted } = (await request).trace!;
    expect(omitted).to.equal(0);
    expect(calls.map(({ name, ok }) => [name, ok])).to.deep.equal([['kv.increment', true]]);
    expect(calls[0]!.ms).to.be.at.least(0);
  });

  it('lets a debugger in only where it was asked to, and answers there as elsewhere', async () => {
    expect((await start('http')).inspectorUrl).to.equal(null);
    const { ask, edit, next, inspectorUrl } = await start('http', { inspect: 0 });
    const { host, hostname } = new URL(inspectorUrl!);
    expect(hostname).to.equal('127.0.0.1');
    const targets = (await (await fetch(`http://${host}/json/list`)).json()) as { webSocketDebuggerUrl: string }[];
    expect(targets.map(({ webSocketDebuggerUrl }) => webSocketDebuggerUrl)).to.deep.equal([inspectorUrl]);
    expect((await shownBy(ask('/greetings/Ada'))).greeting).to.equal('Hello, Ada!');
    const loaded = next('loaded');
    await edit('src/index.ts', (text) => text.replace("'Hello'", "'Goodbye'"));
    await loaded;
    expect(await shownBy(ask('/greetings/Ada'))).to.deep.equal({ greeting: 'Goodbye, Ada!', times: 2 });
  });

  it('answers with the new code after a save, and what was stored is still there', async () => {
    const { ask, edit, next } = await start('http');
    expect((await shownBy(ask('/greetings/Ada'))).times).to.equal(1);
    const loaded = next('loaded');
    await edit('src/index.ts', (text) => text.replace("'Hello'", "'Ahoy'"));
    expect((await loaded).first).to.equal(false);
    expect(await shownBy(ask('/greetings/Ada'))).to.deep.equal({ greeting: 'Ahoy, Ada!', times: 2 });
  });

  it('follows a changed manifest', async () => {
    const { ask, edit, next } = await start('http');
    expect((await ask('/greetings/Ada', { method: 'POST' })).status).to.equal(405);
    const loaded = next('loaded');
    await edit('gatehouse.json', (text) => text.replace('"path": "/",', '"path": "/start",'));
    await loaded;
    expect((await ask('/')).status).to.equal(404);
    expect((await ask('/start')).status).to.equal(502);
  });

  it('shows a broken build and goes on answering with the version before', async () => {
    const { ask, edit, next } = await start('http');
    const failed = next('build-failed');
    await edit('src/index.ts', (text) => text.replace('definePlugin<Config>', 'definePlugin<<'));
    const { kept, frames, code } = await failed;
    expect([kept, code]).to.deep.equal([true, 'bundle-failed']);
    expect(frames.join()).to.match(/src\/index\.ts:\d+:\d+/);
    expect((await ask('/greetings/Ada')).status).to.equal(200);
    const loaded = next('loaded');
    await edit('src/index.ts', (text) =>
      text.replace('definePlugin<<', 'definePlugin<Config>').replace("'Hello'", "'Back'"),
    );
    await loaded;
    expect((await shownBy(ask('/greetings/Ada'))).greeting).to.equal('Back, Ada!');
  });

  it('says so when a mistake is taken back', async () => {
    const { edit, next, ask } = await start('http');
    const failed = next('build-failed');
    await edit('gatehouse.json', (text) => text.replace('"plugin"', '"toy"'));
    expect((await failed).faults[0]!.pointer).to.equal('/kind');
    const mended = next('mended');
    await edit('gatehouse.json', (text) => text.replace('"toy"', '"plugin"'));
    await mended;
    expect((await ask('/greetings/Ada')).status).to.equal(200);
  });

  it('refuses a folder without a manifest and leaves it as it is', async () => {
    const error = await refusalOf(startDev({ folder: join(root, 'nowhere'), port: 0 }, () => {}));
    expect(error.code).to.equal('manifest-missing');
    expect(await readdir(root)).not.to.include('nowhere');
  });

  it('keeps the version before when new code does not even start', async () => {
    const { ask, edit, next } = await start('http');
    const failed = next('build-failed');
    await edit('src/index.ts', (text) => `${text}\nthrow new Error('on purpose');\n`);
    expect((await failed).message).to.contain('on purpose');
    expect((await ask('/greetings/Ada')).status).to.equal(200);
  });

  it('starts with broken code, says why nothing answers, and recovers', async () => {
    const folder = join(root, 'broken');
    await cp(join(root, 'http'), folder, { recursive: true });
    const good = await readFile(join(folder, 'src/index.ts'), 'utf8');
    await writeFile(join(folder, 'src/index.ts'), 'export default {');
    const events: Event[] = [];
    let onLoaded = () => {};
    const loaded = new Promise<void>((resolve) => {
      onLoaded = resolve;
    });
    const dev = await startDev({ folder, port: 0 }, (event) => {
      events.push(event);
      if (event.type === 'loaded') onLoaded();
    });
    running.push(dev);
    expect(ofType(events, 'build-failed')[0]!.kept).to.equal(false);
    const answer = await fetch(`${dev.url}/`);
    expect([answer.status, (await shownBy(answer)).code]).to.deep.equal([503, 'bundle-failed']);
    await writeFile(join(folder, 'src/index.ts'), good);
    await loaded;
    expect((await fetch(`${dev.url}/`)).status).to.equal(200);
  });

  it("shows a fault with frames in the author's own files, and to callers only its code", async () => {
    const { ask, edit, next, events } = await start('http');
    const loaded = next('loaded');
    await edit('src/index.ts', (text) =>
      text.replace("({ try: '/greetings/Ada' })", "{ throw new TypeError('no luck'); }"),
    );
    await loaded;
    const answer = await ask('/');
    expect(answer.status).to.equal(502);
    const problem = await shownBy(answer);
    expect(problem.code).to.equal('plugin-threw');
    expect(JSON.stringify(problem)).not.to.contain('no luck');
    const [fault] = ofType(events, 'fault');
    expect(fault!.fault).to.include({ name: 'TypeError', message: 'no luck' });
    expect(fault!.frames[0]).to.match(/src\/index\.ts:8:\d+/);
    expect(fault!.invocationId).to.equal(answer.headers.get('x-gatehouse-invocation'));
    const reloaded = next('loaded');
    await edit('src/index.ts', (text) => `// One line more, and no other code.\n${text}`);
    await reloaded;
    await ask('/');
    expect(ofType(events, 'fault')[1]!.frames[0]).to.match(/src\/index\.ts:9:\d+/);
  });

  it('holds the plugin to its real limits', async () => {
    const { ask, edit, next } = await start('http');
    const loaded = next('loaded');
    await edit('src/index.ts', (text) => text.replace("({ try: '/greetings/Ada' })", '{ for (;;); }'));
    await loaded;
    const answer = await ask('/');
    expect((await shownBy(answer)).code).to.equal('cpu-limit');
    expect((await ask('/greetings/Ada')).status).to.equal(200);
  });

  it('delivers hooks, in the form of the control plane, and refuses wrong payloads with pointers', async () => {
    const { ask } = await start('shop', { config: '{"skus":["vpn-year"]}' });
    const deliver = (payload: unknown, hook = 'order.paid') =>
      ask(`/_gatehouse/hooks/${hook}`, { method: 'POST', body: JSON.stringify({ eventId: 'e-1', payload }) });
    const order = { orderId: 'o-1', lines: [{ sku: 'vpn-year', quantity: 2 }] };
    const first = await shownBy(deliver(order));
    expect(first.result.vouchers).to.have.length(2);
    expect((await shownBy(deliver(order))).result).to.deep.equal(first.result);
    expect(await shownBy(ask('/orders/o-1'))).to.deep.equal(first.result);
    const wrong = await deliver({ orderId: 'o-2', lines: [] });
    expect(wrong.status).to.equal(422);
    expect((await shownBy(wrong)).faults[0]!.pointer).to.equal('/lines');
    expect((await deliver(order, 'order.created')).status).to.equal(404);
    const missing = await ask('/_gatehouse/hooks/order.paid', { method: 'POST', body: '{}' });
    expect((await shownBy(missing)).faults).to.deep.equal([{ pointer: '/payload', message: 'is required' }]);
    const stored = await shownBy(ask('/_gatehouse/kv'));
    expect(stored).to.deep.equal([{ key: 'order:o-1', version: 1, value: first.result }]);
  });

  it('reports health and what the plugin wrote to its log', async () => {
    const { ask, events } = await start('shop', { config: '{"skus":["vpn-year"]}' });
    const payload = { orderId: 'o-1', lines: [{ sku: 'vpn-year', quantity: 1 }] };
    await ask('/_gatehouse/hooks/order.paid', { method: 'POST', body: JSON.stringify({ payload }) });
    const [written] = ofType(events, 'log');
    expect(written!.entry).to.deep.include({
      source: 'log',
      level: 'info',
      message: 'delivered',
      facts: { orderId: 'o-1', vouchers: 1 },
    });
    const { ask: askHello } = await start('http');
    expect(await (await askHello('/_gatehouse/health')).json()).to.deep.equal({ status: 'ok' });
  });

  it('names every fault of the configuration and of the handlers, and still runs', async () => {
    const { events, ask } = await start('shop', { config: '{"skus":"vpn"}' });
    expect(ofType(events, 'mismatch')[0]!.faults[0]!.pointer).to.equal('/skus');
    expect((await ask('/orders/none')).status).to.equal(404);
  });

  it('does not grant what is denied', async () => {
    const { ask, events } = await start('http', { deny: ['kv'] });
    expect((await ask('/greetings/Ada')).status).to.equal(502);
    expect(ofType(events, 'fault')[0]!.fault.message).to.contain('kv');
  });

  it('lets only those in whom the manifest lets in', async () => {
    const { ask } = await start('http', { access: 'public' });
    expect((await ask('/')).status).to.equal(200);
    expect((await ask('/greetings/Ada', { method: 'DELETE' })).status).to.equal(401);
    const asCaller = await start('http', { access: 'caller' });
    expect((await asCaller.ask('/greetings/Ada', { method: 'DELETE' })).status).to.equal(403);
  });

  it('takes a page of another site for nobody, and lets it control nothing', async () => {
    const { url } = await start('http');
    const ask = (method: string, path: string, headers: Record<string, string> = {}) =>
      new Promise<number>((resolve, reject) => {
        const sent = request(url + path, { method, headers }, (answer) => resolve(answer.resume().statusCode!));
        sent.once('error', reject).end(method === 'POST' ? '{"payload":{}}' : undefined);
      });
    const foreign = { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'no-cors' };
    expect(await ask('DELETE', '/greetings/Ada', foreign)).to.equal(401);
    expect(await ask('POST', '/_gatehouse/hooks/order.paid', { ...foreign, 'sec-fetch-mode': 'navigate' })).to.equal(
      403,
    );
    expect(await ask('GET', '/_gatehouse/kv', foreign)).to.equal(403);
    expect(await ask('GET', '/greetings/Ada', foreign)).to.equal(200);
    expect(await ask('DELETE', '/greetings/Ada', { ...foreign, origin: 'https://localhost.example' })).to.equal(401);
    // A page of the author's own, which the browser calls cross-site for its other name of the same machine.
    expect(await ask('DELETE', '/greetings/Ada', { ...foreign, origin: 'http://localhost:5173' })).to.equal(204);
    expect(await ask('DELETE', '/greetings/Ada', { 'sec-fetch-site': 'same-site' })).to.equal(404);
    expect(await ask('DELETE', '/greetings/Ada', { ...foreign, authorization: 'Bearer own' })).to.equal(404);
    expect(await ask('GET', '/_gatehouse/kv', { ...foreign, 'sec-fetch-mode': 'navigate' })).to.equal(200);
  });

  it('answers no page whose name only resolves to this machine', async () => {
    const { url } = await start('http');
    const status = await new Promise((resolve, reject) => {
      const req = request(`${url}/_gatehouse/kv`, { headers: { host: 'evil.example' } }, (res) => {
        res.resume();
        resolve(res.statusCode);
      });
      req.once('error', reject);
      req.end();
    });
    expect(status).to.equal(400);
  });

  it('says which port is taken and leaves nothing running', async () => {
    const { url } = await start('http');
    const port = Number(new URL(url).port);
    const error = await refusalOf(start('http', { port }));
    expect(error.code).to.equal('port-taken');
    expect(error.message).to.contain('--port');
  });
});
