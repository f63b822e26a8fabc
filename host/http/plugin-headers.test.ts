import { validateHeaderName, validateHeaderValue } from 'node:http';
import { expect } from 'chai';
import fc from 'fast-check';
import { ANSWER_HEADERS_MAX, headersForPlugin, headersFromPlugin } from './plugin-headers.ts';

const HIDDEN_FROM_PLUGINS = [
  'Authorization',
  'Cookie',
  'Connection',
  'Keep-Alive',
  'Transfer-Encoding',
  'TE',
  'Trailer',
  'Upgrade',
  'Expect',
  'Host',
  'Proxy-Authorization',
  'Proxy-Connection',
  'Forwarded',
  'Via',
  'X-Forwarded-For',
  'X-Forwarded-Host',
  'X-Real-IP',
  'X-Original-URL',
  'CF-Connecting-IPv6',
  'CloudFront-Viewer-Address',
  'Fly-Client-IP',
  'X-Azure-ClientIP',
  'X-Envoy-External-Address',
  'X-Gatehouse-Invocation',
];

const HIDDEN_FROM_CALLERS = [
  'Set-Cookie',
  'Connection',
  'Keep-Alive',
  'Transfer-Encoding',
  'Upgrade',
  'Trailer',
  'Server',
  'X-Powered-By',
  'Date',
  'Content-Length',
  'Strict-Transport-Security',
  'Content-Security-Policy',
  'Clear-Site-Data',
  'Service-Worker-Allowed',
  'WWW-Authenticate',
  'Proxy-Authenticate',
  'Alt-Svc',
  'NEL',
  'Access-Control-Allow-Credentials',
  'X-Content-Type-Options',
  'X-Accel-Redirect',
  'X-Sendfile',
  'X-Gatehouse-Invocation',
];

const names = (flat: string[] | null) => flat!.filter((_, at) => at % 2 === 0);
const anyCase = (name: string) => fc.constantFrom(name, name.toLowerCase(), name.toUpperCase());

describe('headersForPlugin', () => {
  for (const name of HIDDEN_FROM_PLUGINS) {
    it(`keeps ${name} from plugins in any spelling`, () => {
      fc.assert(
        fc.property(anyCase(name), (spelt) => {
          expect(headersForPlugin([spelt, 'x', 'Accept', '*/*'])).to.deep.equal([['accept', '*/*']]);
        }),
      );
    });
  }

  it('passes everything else on in order, repetitions included', () => {
    const raw = ['X-A', '1', 'content-type', 'text/plain', 'X-A', '2', 'Traceparent', '00-1'];
    expect(headersForPlugin(raw)).to.deep.equal([
      ['x-a', '1'],
      ['content-type', 'text/plain'],
      ['x-a', '2'],
      ['traceparent', '00-1'],
    ]);
  });

  it('drops what a Connection header names, also when it comes later', () => {
    const raw = [
      'X-Secret',
      '1',
      'Connection',
      'keep-alive, x-secret',
      'X-Open',
      '2',
      'Connection',
      'X-Third',
      'x-third',
      '3',
    ];
    expect(headersForPlugin(raw)).to.deep.equal([['x-open', '2']]);
  });
});

describe('headersFromPlugin', () => {
  for (const name of HIDDEN_FROM_CALLERS) {
    it(`keeps ${name} from callers in any spelling`, () => {
      fc.assert(
        fc.property(anyCase(name), (spelt) => {
          expect(
            names(
              headersFromPlugin([
                [spelt, 'x'],
                ['X-Ok', 'y'],
              ]),
            ),
          ).to.deep.equal(['x-ok']);
        }),
      );
    });
  }

  it('lets nothing through that node:http would refuse or that could split the answer', () => {
    const text = fc.oneof(
      fc.string(),
      fc.string({ unit: 'binary' }),
      fc.constantFrom('a\r\nSet-Cookie: x', 'a\0', 'é', '😀'),
    );
    fc.assert(
      fc.property(fc.array(fc.tuple(text, text), { maxLength: 20 }), (headers) => {
        const flat = headersFromPlugin(headers)!;
        for (let at = 0; at < flat.length; at += 2) {
          validateHeaderName(flat[at]!);
          validateHeaderValue(flat[at]!, flat[at + 1]!);
          expect(flat[at + 1]).not.to.match(/[\r\n\0]/);
        }
      }),
    );
  });

  it('keeps the first of two content types and both of two links', () => {
    const flat = headersFromPlugin([
      ['content-type', 'text/plain'],
      ['Content-Type', 'text/html'],
      ['link', 'a'],
      ['link', 'b'],
    ]);
    expect(flat).to.deep.equal(['content-type', 'text/plain', 'link', 'a', 'link', 'b']);
  });

  it('gives up on answers with too many headers or too large ones', () => {
    const many = Array.from({ length: ANSWER_HEADERS_MAX + 1 }, (_, at): [string, string] => [`x-${at}`, '']);
    expect(headersFromPlugin(many)).to.equal(null);
    expect(headersFromPlugin(many.slice(1))).to.have.length(2 * ANSWER_HEADERS_MAX);
    expect(headersFromPlugin([['x-a', 'a'.repeat(20_000)]])).to.equal(null);
  });
});
