import { expect } from 'chai';
import fc from 'fast-check';
import { DEFAULT_LIMITS, type Json } from '../../../plugins-sdk/contract/index.ts';
import { RECORDING_FORMAT, type Recording } from '../../../plugins-sdk/contract/recording.ts';
import { REDACTED_VALUES_MAX } from './masks.ts';
import { redactRecording } from './redact-recording.ts';

const HEX = 'a'.repeat(64);

/** A recording of one request; `body` as the caller sent it, `results` of the host calls `kv.get`. */
function recorded(
  request: { body?: string | null; url?: string; headers?: [string, string][]; bodyEncoding?: 'utf8' | 'base64' },
  more: { results?: Json[]; args?: Json; output?: Json; config?: Json; logs?: string[] } = {},
): Recording {
  const { body = null, url = 'https://gate.example/x', headers = [], bodyEncoding = 'utf8' } = request;
  const { results = [], args = {}, output = null, config = null, logs = [] } = more;
  return {
    format: RECORDING_FORMAT,
    id: 'i',
    recordedAt: '2026-01-01T00:00:00.000Z',
    why: 'requested',
    plugin: 'acme/p',
    version: '1.0.0',
    bundleDigest: HEX,
    installation: { id: 'i', slug: 's', operator: 'o' },
    job: 'POST /x',
    engine: { gatehouse: '0.1.0', node: '26', v8: '14', guest: HEX },
    invocation: {
      input: JSON.stringify({
        context: { invocationId: 'i', config },
        kind: 'http',
        route: 'POST /x',
        params: {},
        request: { method: 'POST', url, headers, body, bodyEncoding },
      }),
      seed: HEX,
      startedAtMs: 1,
      limits: DEFAULT_LIMITS,
    },
    calls: results.map((result) => ({
      name: 'kv.get',
      args: JSON.stringify(args),
      result: { ok: true, json: JSON.stringify(result) },
    })),
    turns: results.map((_result, at) => ({ seq: at + 1, nowMs: 1 })),
    logs: logs.map((message) => ({ source: 'console', level: 'info', json: JSON.stringify({ message }) })),
    outcome: { status: 'completed', output: JSON.stringify({ kind: 'value', value: output }) },
    usage: { cpuMs: 1, wallMs: 1, executions: 1 },
    redacted: null,
  };
}

const bare = { personal: [], secrets: [] };
const inputOf = (recording: Recording) => JSON.parse(recording.invocation.input);
const EMAIL = 'ada@example.org';

describe('redactRecording', () => {
  it('leaves a recording as it is where nothing is to be hidden', () => {
    const recording = recorded({ body: '{ "a" : 1.0 }' }, { results: [{ value: 1 }] });
    expect(redactRecording(recording, { personal: ['/body/email'], secrets: ['sesame'] })).to.include({
      redacted: recording.redacted,
    });
    expect(redactRecording(recording, bare)).to.equal(recording);
  });

  it('replaces a personal value by one placeholder wherever it stands', () => {
    const recording = recorded(
      { body: JSON.stringify({ email: EMAIL, plan: 'year' }), url: `https://x/?mail=${encodeURIComponent(EMAIL)}` },
      {
        results: [{ value: `owner ${EMAIL}` }],
        args: { key: `user:${EMAIL}` },
        output: { to: EMAIL },
        logs: [`for ${EMAIL}`],
      },
    );
    const redacted = redactRecording(recording, { personal: ['/body/email'], secrets: [] })!;
    expect(JSON.stringify(redacted)).to.not.include('ada').and.not.include('example.org');
    const { request } = inputOf(redacted);
    expect(JSON.parse(request.body)).to.deep.equal({ email: 'personal-1@redacted.invalid', plan: 'year' });
    expect(request.url).to.equal('https://x/?mail=personal-1@redacted.invalid');
    expect(redacted.calls[0]!.args).to.equal('{"key":"user:personal-1@redacted.invalid"}');
    expect(redacted.outcome).to.have.property('output').that.includes('"to":"personal-1@redacted.invalid"');
    expect(redacted.redacted).to.deep.include({ values: 1, places: ['/body/email'] });
  });

  it('finds values by pointer in every place that can be named', () => {
    const recording = recorded(
      {
        body: 'name=Ada+L&plan=1',
        url: 'https://x/?q=Lovelace&n=1',
        headers: [
          ['content-type', 'application/x-www-form-urlencoded'],
          ['x-who', 'Augusta'],
        ],
      },
      { results: [{ value: [{ tel: 4711 }, { tel: 12 }] }], config: { owner: { name: 'Byron' } } },
    );
    const personal = ['/body/name', '/query/q', '/headers/X-Who', '/results/kv.get/value/*/tel', '/config/owner'];
    const redacted = redactRecording(recording, { personal, secrets: [] })!;
    const { request, context } = inputOf(redacted);
    expect(request.body).to.match(/^name=personal-\d&plan=1$/);
    expect(request.url).to.match(/^https:\/\/x\/\?q=personal-\d&n=1$/);
    expect(request.headers[1][1]).to.match(/^personal-\d$/);
    expect(context.config.owner.name).to.match(/^personal-\d$/);
    expect(redacted.calls[0]!.result!.json).to.equal('{"value":[{"tel":0},{"tel":0}]}');
    expect(redacted.redacted!.places).to.have.members([
      '/config/owner',
      '/headers/x-who',
      '/query/q',
      '/body/name',
      '/results/kv.get/value/0/tel',
      '/results/kv.get/value/1/tel',
    ]);
  });

  it('hides secrets, credentials in headers and whatever is named like one', () => {
    const recording = recorded(
      {
        body: '{"password":"hunter2!"}',
        headers: [
          ['authorization', 'Bearer abc.def'],
          ['cookie', 'sid=12345678; lang=en'],
        ],
      },
      {
        results: [{ value: { apiKey: 'k-1234' } }],
        config: { clientSecret: 's-9876' },
        output: 'used sesame-open',
        logs: ['s-9876'],
      },
    );
    const redacted = redactRecording(recording, { personal: [], secrets: ['sesame-open'] })!;
    const text = JSON.stringify(redacted);
    for (const value of ['hunter2!', 'abc.def', '12345678', 'k-1234', 's-9876', 'sesame-open']) {
      expect(text).to.not.include(value);
    }
    const { headers } = inputOf(redacted).request;
    expect(headers[0][1]).to.match(/^Bearer secret-\d$/);
    expect(headers[1][1]).to.match(/^sid=secret-\d; lang=secret-\d$/);
  });

  it('hides what is named like a credential in lists, and in a configuration that is to be checked', () => {
    const listed = redactRecording(recorded({ body: '{"backupTokens":["k-1234","k-5678"]}' }), bare)!;
    expect(JSON.parse(inputOf(listed).request.body)).to.deep.equal({ backupTokens: ['secret-1', 'secret-2'] });
    const recording = recorded({});
    const config = { apiKey: 'k-1234', owner: { mail: EMAIL } };
    recording.invocation.input = JSON.stringify({ context: { config: null }, kind: 'configure', config });
    const asked = redactRecording(recording, { personal: ['/config/owner/mail'], secrets: [] })!;
    expect(inputOf(asked).config).to.deep.equal({
      apiKey: 'secret-1',
      owner: { mail: 'personal-2@redacted.invalid' },
    });
  });

  it('hides a body that it cannot read where something in it is personal', () => {
    const binary = recorded({ body: 'AAECAw==', bodyEncoding: 'base64' });
    const redacted = redactRecording(binary, { personal: ['/body/email'], secrets: [] })!;
    expect(inputOf(redacted).request).to.include({ body: 'personal-1', bodyEncoding: 'utf8' });
  });

  const base64 = (text: string) => Buffer.from(text).toString('base64');
  const fetched = (json: Json, args: Json = {}): Recording => ({
    ...recorded({}),
    calls: [{ name: 'fetch.send', args: JSON.stringify(args), result: { ok: true, json: JSON.stringify(json) } }],
  });

  it('hides credentials in what other services answered, in headers and in bodies', () => {
    const body = JSON.stringify({ access_token: 'at-12345', user: { mail: EMAIL } });
    const headers = [['set-cookie', 'sid=abcdefgh; Path=/']];
    const recording = fetched({ status: 200, headers, body, bodyEncoding: 'utf8' });
    const personal = ['/results/fetch.send/body/user/mail'];
    const [call] = redactRecording(recording, { personal, secrets: [] })!.calls;
    const answer = JSON.parse(call!.result!.json);
    expect(answer.headers[0][1]).to.match(/^sid=secret-\d; Path=secret-\d$/);
    expect(JSON.parse(answer.body)).to.deep.equal({
      access_token: 'secret-3',
      user: { mail: 'personal-4@redacted.invalid' },
    });
  });

  it('is done soon with credentials that are nearly all blanks', () => {
    // By the square of its length this would keep the host from its work for minutes: far beyond any deadline of a test.
    const [call] = redactRecording(fetched(['token', `Bearer${' '.repeat(500_000)}\n`]), bare)!.calls;
    expect(call!.result!.json).to.equal('["token","secret-1"]');
  });

  it('looks into bytes as well', () => {
    const sent = { url: 'https://x', body: base64('key=sesame-open&x=1'), bodyEncoding: 'base64' };
    const redacted = redactRecording(fetched({}, sent), { personal: [], secrets: ['sesame-open'] })!;
    const { body } = JSON.parse(redacted.calls[0]!.args);
    expect(Buffer.from(body, 'base64').toString()).to.equal('key=secret-1&x=1');
    const signed: Recording = {
      ...fetched({}),
      calls: [{ name: 'crypto.sign', args: `{"key":{"bytes":"${base64('sesame-open')}"}}`, result: null }],
    };
    const [call] = redactRecording(signed, { personal: [], secrets: ['sesame-open'] })!.calls;
    expect(call!.args).to.equal(`{"key":{"bytes":"${base64('secret-1')}"}}`);
  });

  it('hides what passed piece by piece, wherever a piece ends', () => {
    const text = JSON.stringify({ email: EMAIL, plan: 'year' });
    const read = (piece: string | null) => ({
      name: 'request.read',
      args: '{}',
      result: { ok: true, json: JSON.stringify({ piece: piece && base64(piece) }) },
    });
    const write = (piece: string) => ({
      name: 'response.write',
      args: JSON.stringify({ piece: base64(piece) }),
      result: { ok: true, json: 'null' },
    });
    const streamed = (...written: string[]): Recording => ({
      ...recorded({}),
      calls: [read(text.slice(0, 15)), read(text.slice(15)), read(null), ...written.map(write)],
    });
    const pieceOf = (json: string) => Buffer.from(JSON.parse(json).piece, 'base64').toString();
    const plan = { personal: ['/body/email'], secrets: [] };
    const whole = redactRecording(streamed(`to ${EMAIL}`), plan)!.calls;
    const body = whole.slice(0, 2).map(({ result }) => pieceOf(result!.json));
    expect(body.every((piece) => piece.length > 0)).to.equal(true);
    expect(JSON.parse(body.join(''))).to.deep.equal({ email: 'personal-1@redacted.invalid', plan: 'year' });
    expect(whole[2]!.result!.json).to.equal('{"piece":null}');
    expect(pieceOf(whole[3]!.args)).to.equal('to personal-1@redacted.invalid');
    const cut = redactRecording(streamed(EMAIL.slice(0, 5), EMAIL.slice(5)), plan)!.calls;
    expect(cut.slice(3).map(({ args }) => pieceOf(args))).to.deep.equal(['redacted', 'redacted']);
  });

  describe('of a multipart form', () => {
    const part = (name: string, value: string) =>
      `--x1\r\nContent-Disposition: form-data; name=${name}\r\n\r\n${value}\r\n`;
    const headers: [string, string][] = [['content-type', 'multipart/form-data; boundary="x1"']];
    const form = `${part('"user"', 'ada')}${part('password', 'sésame-ouvre')}${part('"apiKey"', 'k-12345')}--x1--\r\n`;
    const hidden = `${part('"user"', 'ada')}${part('password', 'secret-1')}${part('"apiKey"', 'secret-2')}--x1--\r\n`;

    it('hides the parts that are named like credentials, and what the plugin made of them', () => {
      const recording = redactRecording(recorded({ headers, body: form }, { logs: ['sésame-ouvre?'] }), bare)!;
      expect(inputOf(recording).request).to.include({ body: hidden, bodyEncoding: 'utf8' });
      expect(recording.redacted!.places).to.deep.equal(['/body/password', '/body/apiKey']);
      expect(JSON.parse(recording.logs[0]!.json).message).to.equal('secret-1?');
    });

    it('leaves the bytes of its files as they are', () => {
      const file = Buffer.from([0xff, 0xd8, 0x00, 0x80, 0xfe]);
      const bytes = (text: string) =>
        Buffer.concat([
          Buffer.from(part('"photo"; filename="a.jpg"', '').slice(0, -2)),
          file,
          Buffer.from(`\r\n${text}`),
        ]);
      const body = bytes(form).toString('base64');
      const { request } = inputOf(redactRecording(recorded({ headers, body, bodyEncoding: 'base64' }), bare)!);
      expect(request).to.include({ body: bytes(hidden).toString('base64'), bodyEncoding: 'base64' });
    });

    it('does so too where it is read piece by piece', () => {
      const pieces = [form.slice(0, 70), form.slice(70)].map((piece) => Buffer.from(piece).toString('base64'));
      const calls = pieces.map((piece) => {
        return { name: 'request.read', args: '{}', result: { ok: true, json: JSON.stringify({ piece }) } };
      });
      const redacted = redactRecording({ ...recorded({ headers }), calls }, bare)!.calls;
      const read = redacted.map(({ result }) => Buffer.from(JSON.parse(result!.json).piece, 'base64').toString());
      expect(read.join('')).to.equal(hidden);
    });

    it('leaves it as it is where nothing is named so, or it is no such form', () => {
      for (const body of [`${part('"user"', 'ada')}--x1--\r\n`, 'nonsense', '--x1', '']) {
        const recording = recorded({ headers, body });
        expect(redactRecording(recording, bare)).to.equal(recording);
      }
      const unbounded = recorded({ headers: [['content-type', 'multipart/form-data']], body: form });
      expect(redactRecording(unbounded, bare)).to.equal(unbounded);
    });
  });

  it('does not replace short values elsewhere, nor words of the contract', () => {
    const recording = recorded({ body: '{"a":"en","b":"http","c":"kind"}' }, { output: 'en' });
    const redacted = redactRecording(recording, { personal: ['/body/a', '/body/b', '/body/c'], secrets: [] })!;
    expect(inputOf(redacted)).to.include({ kind: 'http', route: 'POST /x' });
    expect(redacted.outcome).to.have.property('output', '{"kind":"value","value":"en"}');
  });

  it('gives up where there is too much to replace', () => {
    const many = Object.fromEntries(
      Array.from({ length: REDACTED_VALUES_MAX + 1 }, (_, at) => [`n${at}`, `value-${at}`]),
    );
    const recording = recorded({ body: JSON.stringify(many) });
    expect(redactRecording(recording, { personal: ['/body/*'], secrets: [] })).to.equal(null);
  });

  it('leaves nothing of a personal text behind, whatever it is and whatever surrounds it', () => {
    const text = fc
      .string({ unit: 'grapheme', minLength: 8, maxLength: 40 })
      .filter((value) => !/^[\w-]*$/.test(value));
    fc.assert(
      fc.property(text, fc.json(), (value, around) => {
        const recording = recorded(
          { body: JSON.stringify({ value, around }) },
          {
            results: [{ text: `<${value}>`, nested: JSON.stringify({ value }) }],
            output: { body: JSON.stringify([value]) },
            logs: [value],
          },
        );
        const redacted = redactRecording(recording, { personal: ['/body/value'], secrets: [] })!;
        const { body } = inputOf(redacted).request;
        const strings = [
          JSON.parse(body).value,
          redacted.calls[0]!.result!.json,
          redacted.logs[0]!.json,
          (redacted.outcome as { output: string }).output,
        ];
        for (const each of strings) {
          expect(each).to.not.include(value);
          expect(each).to.not.include(JSON.stringify(value).slice(1, -1));
        }
      }),
      { numRuns: 200 },
    );
  });
});
