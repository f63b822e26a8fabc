import { expect } from 'chai';
import fc from 'fast-check';
import { inputText, readInputText, textOfInput } from './input-text.ts';
import type { ContextFacts, GuestInput } from './invocation.ts';
import { BODY_FOLLOWS_FROM_UNITS } from './wire-text.ts';

const text = fc.string({ unit: 'binary' });
const context = fc.record({
  invocationId: text,
  installation: fc.record({ id: text, slug: text, version: text }),
  operator: fc.record({ id: text, slug: text }),
  caller: fc.option(fc.record({ kind: fc.constant('caller' as const), id: text })),
  grants: fc.constantFrom<ContextFacts['grants']>([], ['kv', 'log']),
  config: fc.constantFrom(null, { greeting: 'a\nb' }),
});
const body = fc.option(
  fc.oneof(
    text,
    text.map((end) => 'x'.repeat(BODY_FOLLOWS_FROM_UNITS) + end),
  ),
);
const request = fc.record(
  {
    method: text,
    url: text,
    headers: fc.array(fc.tuple(text, text)),
    body,
    bodyEncoding: fc.constantFrom('utf8' as const, 'base64' as const),
    streamed: fc.constant(true),
  },
  { requiredKeys: ['method', 'url', 'headers', 'body', 'bodyEncoding'] },
);
const inputs: fc.Arbitrary<GuestInput> = fc.oneof(
  fc.record({ kind: fc.constant('http' as const), route: text, params: fc.dictionary(text, text), request, context }),
  fc.record({ kind: fc.constant('schedule' as const), name: text, dueAt: text, context }),
  fc.record({ kind: fc.constant('health' as const), context }),
);

describe('the text of an input', () => {
  it('reads as what was written, whatever its texts hold', () => {
    fc.assert(
      fc.property(inputs, (input) => {
        expect(JSON.parse(JSON.stringify(readInputText(textOfInput(input))))).to.deep.equal(
          JSON.parse(JSON.stringify(input)),
        );
      }),
    );
  });

  it('has a line for what is asked, one for the context, one for the headers, and ends with a long body as it is', () => {
    const job = {
      kind: 'http' as const,
      route: 'POST /',
      params: {},
      request: {
        method: 'POST',
        url: 'http://a/',
        headers: [],
        body: 'x"\n'.repeat(300),
        bodyEncoding: 'utf8' as const,
      },
    };
    const lines = inputText(job, '{"grants":[]}', '[["a","b"]]').split('\n');
    expect(lines.slice(0, 3)).to.deep.equal([
      '["POST /",{},"POST","http://a/",null,"utf8",false]',
      '{"grants":[]}',
      '[["a","b"]]',
    ]);
    expect(lines.slice(3).join('\n')).to.equal(job.request.body);
  });

  it('is refused where lines are missing', () => {
    for (const text of ['', '{}', '{"kind":"health"}', '["GET /",{},"GET","/",null,"utf8",false]\n{}'])
      expect(() => readInputText(text), text).to.throw(SyntaxError);
  });
});
