import { expect } from 'chai';
import { type CapabilityName, DEFAULT_LIMITS, type Json, type Manifest } from '../../plugins-sdk/contract/index.ts';
import { answeringEgress } from '../egress/answering-egress.ts';
import { memorySecrets } from '../secrets/memory-secrets.ts';
import { createShownSecrets } from '../secrets/shown-secrets.ts';
import { createBroker } from './broker.ts';
import { closedPorts } from './closed-ports.ts';
import { capabilityCalls } from './compose.ts';
import { memoryKvStore } from './memory-kv-store.ts';
import { testScope } from './test-scope.ts';

const MANIFEST = {
  fetchHosts: ['api.example.com', '*.cdn.example.com', 'config:endpoint'],
  secrets: [
    {
      name: 'API_KEY',
      reason: 'Signs requests.',
      send: { hosts: ['api.example.com'], header: 'authorization', format: 'Bearer {}' },
    },
    {
      name: 'CDN_KEY',
      reason: 'Signs requests.',
      optional: true,
      send: { hosts: ['*.cdn.example.com'], header: 'x-key' },
    },
    { name: 'SIGNING_KEY', reason: 'Signs answers.' },
  ],
} as unknown as Manifest;
const ALL: CapabilityName[] = ['fetch', 'secrets', 'secret-values'];

function open({
  secrets = { API_KEY: 'key-$&-123' } as Record<string, string>,
  answer = () => new Response('ok') as Response | Promise<Response>,
} = {}) {
  const sent: Request[] = [];
  const shownSecrets = createShownSecrets();
  const broker = createBroker({
    calls: capabilityCalls({
      kvStore: memoryKvStore(Date.now),
      ...closedPorts(),
      egress: answeringEgress((request) => {
        sent.push(request);
        return answer();
      }),
      secrets: memorySecrets(() => secrets),
      shownSecrets,
    }),
    onOutage: (error) => {
      throw error;
    },
  });
  const scopeOf = (changes: Parameters<typeof testScope>[0] = {}) =>
    testScope({ manifest: MANIFEST, config: { endpoint: 'https://shop.test' }, grants: ALL, ...changes });
  const call = async (name: string, args: object, scope = scopeOf(), seq = 1) => {
    const { ok, json } = await broker(scope, {
      invocationId: 'v',
      installationId: 'i',
      seq,
      name,
      args: JSON.stringify(args),
    });
    return { ok, value: JSON.parse(json) as Record<string, Json> & { code?: string } };
  };
  const request = (url: string, more: object = {}) => ({
    url,
    method: 'GET',
    headers: [],
    body: null,
    bodyEncoding: 'utf8',
    redirect: 'follow',
    ...more,
  });
  const send = (url: string, more?: object, scope?: ReturnType<typeof scopeOf>, seq?: number) =>
    call('fetch.send', request(url, more), scope, seq);
  return { sent, shownSecrets, scopeOf, call, send };
}

describe('The capability fetch', () => {
  it('needs its grant before anything is looked at', async () => {
    const { send, scopeOf, sent } = open();
    expect((await send('nonsense', {}, scopeOf({ grants: ['kv'] }))).value.code).to.equal('capability-denied');
    expect(sent).to.deep.equal([]);
  });

  it('reaches declared hosts, and the one that the operator entered', async () => {
    const { send } = open();
    const codes = async (...urls: string[]) =>
      Promise.all(urls.map(async (url) => (await send(url)).value.code ?? 'ok'));
    expect(await codes('https://api.example.com/', 'https://a.cdn.example.com/', 'https://shop.test/x')).to.deep.equal([
      'ok',
      'ok',
      'ok',
    ]);
    expect(await codes('https://other.test/', 'https://api.example.com:8443/', 'https://10.0.0.1/')).to.deep.equal(
      Array(3).fill('fetch-host-undeclared'),
    );
    expect(
      await codes('http://api.example.com/', 'ftp://api.example.com/', 'nonsense', 'https://a:b@api.example.com/'),
    ).to.deep.equal(Array(4).fill('fetch-url-refused'));
  });

  it('hands on text as text and bytes as base64', async () => {
    let body: string | Uint8Array<ArrayBuffer> = 'grüße';
    const { send } = open({ answer: () => new Response(body, { status: 203, headers: { 'x-a': 'b' } }) });
    expect((await send('https://shop.test/')).value).to.deep.include({
      status: 203,
      body: 'grüße',
      bodyEncoding: 'utf8',
      redirected: false,
    });
    body = new Uint8Array([255, 0, 1]);
    expect((await send('https://shop.test/')).value).to.deep.include({ body: '/wAB', bodyEncoding: 'base64' });
  });

  it('adds a secret to requests to its hosts, over whatever the plugin set, and to no others', async () => {
    const { send, sent } = open({ secrets: { API_KEY: 'key-$&-123', CDN_KEY: 'cdn' } });
    await send('https://api.example.com/', { headers: [['Authorization', 'mine']] });
    await send('https://a.cdn.example.com/');
    await send('https://shop.test/');
    expect(sent.map(({ headers }) => [headers.get('authorization'), headers.get('x-key')])).to.deep.equal([
      ['Bearer key-$&-123', null],
      [null, 'cdn'],
      [null, null],
    ]);
  });

  it('adds none where the operator did not grant secrets', async () => {
    const { send, sent, scopeOf } = open();
    await send('https://api.example.com/', {}, scopeOf({ grants: ['fetch'] }));
    expect(sent[0]!.headers.get('authorization')).to.equal(null);
  });

  it('refuses a request that needs a secret which is not entered, unless it is optional', async () => {
    const { send, sent } = open({ secrets: {} });
    expect((await send('https://api.example.com/')).value).to.include({ code: 'secret-missing' });
    expect((await send('https://a.cdn.example.com/')).ok).to.equal(true);
    expect(sent).to.have.length(1);
  });

  it('takes secrets out of an answer that repeats them, whatever part it is', async () => {
    const key = 'key-$&-123';
    const { send } = open({
      answer: () =>
        new Response(JSON.stringify({ headers: { authorization: `Bearer ${key}` } }), {
          headers: { 'x-echo': key, 'x-basic': Buffer.from(key).toString('base64') },
        }),
    });
    const { value } = await send('https://api.example.com/');
    expect(JSON.stringify(value)).to.not.include(key).and.not.include(Buffer.from(key).toString('base64'));
    expect(value.body).to.equal('{"headers":{"authorization":"Bearer [secret API_KEY]"}}');
  });

  it('gives a request that changes something the same key however often it is executed', async () => {
    const { send, sent } = open();
    const post = (body: string, seq: number) => send('https://shop.test/', { method: 'POST', body }, undefined, seq);
    await post('a', 1);
    await post('a', 1);
    await post('a', 2);
    await post('b', 1);
    await send('https://shop.test/', { method: 'POST', headers: [['Idempotency-Key', 'mine']] });
    await send('https://shop.test/');
    const [first, ...more] = sent.map(({ headers }) => headers.get('idempotency-key'));
    expect(first).to.match(/^[0-9a-f]{32}$/);
    expect(more[0]).to.equal(first);
    expect(new Set([first, more[1], more[2]]).size).to.equal(3);
    expect(more.slice(3)).to.deep.equal(['mine', null]);
  });

  it('sends as many requests as the limit allows, failed ones among them', async () => {
    const { send, sent, scopeOf } = open();
    const scope = scopeOf({ limits: { ...DEFAULT_LIMITS, fetches: 2 } });
    await send('https://shop.test/', {}, scope);
    await send('https://undeclared.test/', {}, scope);
    expect((await send('https://shop.test/', {}, scope)).value.code).to.equal('fetch-limit');
    expect(sent).to.have.length(1);
    expect((await send('https://shop.test/', {}, scopeOf())).ok).to.equal(true);
  });

  it('refuses arguments of other shapes, and bodies that are too large', async () => {
    const { call, send } = open();
    const odd = [
      {},
      { url: 7 },
      { method: 'CONNECT' },
      { method: 'GET X' },
      { headers: [['a']] },
      { redirect: 'x' },
      { body: 7 },
      { extra: 1 },
    ];
    for (const more of odd) {
      const args =
        Object.keys(more).length === 0
          ? {}
          : {
              url: 'https://shop.test/',
              method: 'GET',
              headers: [],
              body: null,
              bodyEncoding: 'utf8',
              redirect: 'follow',
              ...more,
            };
      expect((await call('fetch.send', args)).value.code, JSON.stringify(more)).to.equal(
        'capability-arguments-invalid',
      );
    }
    const body = 'ä'.repeat(600_000);
    expect((await send('https://shop.test/', { method: 'POST', body })).value.code).to.equal('fetch-request-too-large');
  });
});

describe('The capabilities secrets and secret-values', () => {
  it('name what is declared and entered', async () => {
    const { call } = open({ secrets: { SIGNING_KEY: 'sign', API_KEY: 'key', UNDECLARED: 'other' } });
    expect((await call('secrets.names', {})).value).to.deep.equal(['API_KEY', 'SIGNING_KEY']);
  });

  it('show a value with a grant of its own only, and remember that', async () => {
    const { call, scopeOf, shownSecrets } = open({ secrets: { SIGNING_KEY: 'sign-123456', UNDECLARED: 'other' } });
    const get = (name: string, grants = ALL) => call('secret-values.get', { name }, scopeOf({ grants }));
    expect((await get('SIGNING_KEY', ['secrets', 'fetch'])).value.code).to.equal('capability-denied');
    expect((await get('SIGNING_KEY')).value).to.equal('sign-123456');
    expect(shownSecrets.values('i')).to.deep.equal(['sign-123456']);
    expect((await get('API_KEY')).value.code).to.equal('secret-missing');
    expect((await get('UNDECLARED')).value.code).to.equal('secret-undeclared');
    expect((await get('lower')).value.code).to.equal('capability-arguments-invalid');
  });
});
