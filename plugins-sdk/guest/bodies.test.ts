import { expect } from 'chai';
import { evaluateInGuest, httpInput, routeBundle, startGuest } from './guest-in-context.ts';

/** The same code must answer the same here and in the platform's own implementation. */
const SAME_AS_PLATFORM: [what: string, body: string][] = [
  [
    'a stream is a body, read in every way',
    `const make = () => new Response(new ReadableStream({ start(c) { c.enqueue(new Uint8Array([0xef, 0xbb, 0xbf, 0x7b])); c.enqueue(new Uint8Array([0x7d])); c.close() } }));
     const used = make(); const before = used.bodyUsed; const text = await used.text();
     return [before, text, used.bodyUsed, await make().json(), [...await make().bytes()], (await make().arrayBuffer()).byteLength, (await make().blob()).size,
       await used.text().catch((error) => error.name), await new Response(new ReadableStream({ start(c) { c.enqueue('text') } })).text().catch((error) => error.name)]`,
  ],
  [
    'a body can be read as a stream',
    `const r = new Response('héllo'); const reader = r.body.getReader(); const seen = [];
     for (;;) { const { value, done } = await reader.read(); if (done) break; seen.push(...value) }
     const byob = new Response('abc').body.getReader({ mode: 'byob' }); const { value } = await byob.read(new Uint8Array(2));
     return [seen, r.bodyUsed, new Response().body, [...value], new Response('x').body === null, r.body === r.body]`,
  ],
  [
    'clones of streams are read on their own, and locked ones are refused',
    `const r = new Response(new ReadableStream({ start(c) { c.enqueue(new Uint8Array([1, 2])); c.close() } })); const copy = r.clone();
     const one = await r.bytes(); one[0] = 9; const two = await copy.bytes();
     const locked = new Response('x'); locked.body.getReader(); const name = (use) => { try { use(); return 'ok' } catch (error) { return error.name } };
     const read = new Response('y'); await read.text();
     return [[...one], [...two], name(() => locked.clone()), await locked.text().catch((error) => error.name), locked.bodyUsed, name(() => new Response(locked.body)), name(() => read.clone())]`,
  ],
  [
    'requests move bodies and ask for duplex',
    `const name = (use) => { try { use(); return 'ok' } catch (error) { return error.name } };
     const stream = () => new ReadableStream({ start(c) { c.enqueue(new TextEncoder().encode('s')); c.close() } });
     const first = new Request('https://a.b/', { method: 'POST', body: 'text' }); const second = new Request(first);
     const third = new Request('https://a.b/', { method: 'PUT', body: stream(), duplex: 'half' }); const fourth = new Request(third, { headers: { x: '1' } });
     return [first.bodyUsed, await second.text(), third.bodyUsed, await fourth.text(), name(() => new Request('https://a.b/', { method: 'POST', body: stream() })),
       name(() => new Request('https://a.b/', { body: 'x' })), name(() => new Request('https://u:p@a.b/')), name(() => new Request('https://a.b/', { method: 'TRACE' })),
       name(() => new Request('https://a.b/', { method: 'a b' })), name(() => new Request('https://a.b/', { redirect: 'often' })),
       new Request('https://a.b/', { redirect: 'manual', cache: 'no-store' }).redirect, second.duplex, third.headers.get('content-type')]`,
  ],
  [
    'Blob holds, slices and gives bytes',
    `const b = new Blob(['aé', new Uint8Array([1, 2]), new Uint8Array([3]).buffer, new Blob(['z'])], { type: 'Text/X' }); const part = b.slice(1, -1, 'A/B');
     const name = (use) => { try { use(); return 'ok' } catch (error) { return error.name } };
     const pieces = []; for await (const piece of new Blob(['ab']).stream()) pieces.push(...piece);
     return [b.size, b.type, part.size, part.type, [...new Uint8Array(await part.arrayBuffer())], await new Blob(['\\ufeffx']).text(), [...await b.bytes()], pieces,
       name(() => new Blob('x')), name(() => new Blob({})), new Blob().size, new Blob(['a'], { type: 'ü' }).type, b.slice(3, 1).size, b.slice(-1).size, String(b),
       await new Response(b).text(), new Response(b).headers.get('content-type'), (await new Response('x').blob()).type]`,
  ],
  [
    'File has a name and a time',
    `const f = new File(['x'], 'a.txt', { type: 'text/plain', lastModified: 5 }); const name = (use) => { try { use(); return 'ok' } catch (error) { return error.name } };
     return [f.name, f.type, f.size, f.lastModified, f instanceof Blob, name(() => new File(['x'])), String(f), await f.text()]`,
  ],
  [
    'FormData keeps its order, and files become files',
    `const f = new FormData(); f.append('a', 1); f.append('b', new Blob(['x'], { type: 'a/b' })); f.append('a', '2'); f.append('c', new Blob(['y']), 'named.txt'); f.append('d', 'gone');
     f.set('a', 'set'); f.set('e', 'new'); f.delete('d'); const name = (use) => { try { use(); return 'ok' } catch (error) { return error.name } }; const seen = [];
     f.forEach((value, key) => seen.push(key));
     return [[...f.keys()], f.get('a'), f.getAll('a'), f.get('b').name, f.get('b') instanceof File, f.get('c').name, f.has('d'), f.get('d'), seen, [...f].length,
       name(() => f.append('a')), name(() => f.append('a', 'text', 'name')), name(() => new FormData({})), f.append.length, String(f), String(f.entries())]`,
  ],
  [
    'forms survive being sent, as multipart and as text',
    `const f = new FormData(); f.append('te"xt\\n', 'line\\nline'); f.append('file', new File([new Uint8Array([0, 13, 10, 45, 45, 255])], 'ü "q".bin', { type: 'x/y' })); f.append('empty', '');
     const sent = new Response(f); const back = await sent.formData(); const file = back.get('file');
     const plain = await new Response(new URLSearchParams([['a', '1 2'], ['a', 'é'], ['', '']])).formData();
     const name = async (response) => { try { await response.formData(); return 'ok' } catch (error) { return error.name } };
     return [sent.headers.get('content-type').slice(0, 30), [...back.keys()], back.get('te"xt\\n'), [...await file.bytes()], file.name, file.type, back.get('empty'), [...plain],
       await name(new Response('x')), await name(new Response('x', { headers: { 'content-type': 'multipart/form-data; boundary=b' } })),
       await name(new Response('--b--\\r\\n', { headers: { 'content-type': 'multipart/form-data; boundary="b"' } }))]`,
  ],
  [
    'forms are read with names that are tokens, as with quoted ones, and not with others',
    `const read = async (fields) => {
       const body = '--b\\r\\nContent-Disposition: form-data; ' + fields + '\\r\\n\\r\\nv\\r\\n--b--\\r\\n';
       const type = { headers: { 'content-type': 'multipart/form-data; boundary=b' } };
       try { return [...await new Response(body, type).formData()].map(([name, value]) => [name, value.name ?? value]) } catch (error) { return error.name }
     };
     const some = ['name=field', 'NAME=field', 'name=a; filename=x.txt', 'name=a;filename=x.txt', "name=a; filename=b; filename*=utf-8''b", 'filename=a; name="b"', 'name="a";filename=""',
       'filename="a; name=b"; name="c"', 'filename="a; name=b"', 'xname=a', "name='a'", 'name=%22a', 'name=""', 'name="a', 'name=a"b', 'name=fi(eld', 'name=ü', 'name=a;', 'filename=a', ''];
     return Promise.all(some.map(read))`,
  ],
  [
    'Headers are iterated as they are, and those of errors stay',
    `const h = new Headers([['b', '1'], ['a', '2']]); const seen = []; for (const [name] of h) { seen.push(name); if (seen.length < 4) h.append('z' + seen.length, 'x') }
     const name = (use) => { try { use(); return 'ok' } catch (error) { return error.name } };
     return [seen, String(h.entries()), h.keys().next(), name(() => new Headers(null)), name(() => new Headers([['a']])), name(() => Response.error().headers.append('a', 'b')),
       name(() => Response.redirect('https://a.b').headers.set('a', 'b')), Object.prototype.toString.call(h), name(() => new Headers({ [Symbol('x')]: 'y' })), Object.keys(Headers.prototype).length]`,
  ],
  [
    'streams are piped, split and walked',
    `const upper = new TransformStream({ transform(chunk, controller) { controller.enqueue(chunk.toUpperCase()) } });
     const out = []; for await (const chunk of ReadableStream.from(['a', 'b']).pipeThrough(upper)) out.push(chunk);
     const [one, two] = new ReadableStream({ start(c) { c.enqueue(1); c.close() } }).tee(); const written = [];
     await one.pipeTo(new WritableStream({ write(chunk) { written.push(chunk) } }));
     const walk = two[Symbol.asyncIterator](); const first = await walk.next(); const end = await walk.return('done');
     const decoded = []; for await (const text of ReadableStream.from([new Uint8Array([0xc3]), new Uint8Array([0xa9])]).pipeThrough(new TextDecoderStream())) decoded.push(text);
     return [out, written, first, end, decoded, new CountQueuingStrategy({ highWaterMark: 3 }).size(), new ByteLengthQueuingStrategy({ highWaterMark: 3 }).size(new Uint8Array(7))]`,
  ],
];

const AsyncFunction = (async () => {}).constructor as new (body: string) => () => Promise<unknown>;

/** What one route answers with, as it leaves the isolate. */
async function answerOf(body: string, limits = {}) {
  const { run } = await startGuest(routeBundle(body));
  const { output, fault } = run(httpInput(), { limits });
  return { response: (output as { response: Record<string, unknown> } | null)?.response, fault };
}

describe('bodies, blobs, forms and streams', () => {
  for (const [what, body] of SAME_AS_PLATFORM) {
    it(`answer as the platform's own: ${what}`, async () => {
      const platform = JSON.parse(JSON.stringify(await new AsyncFunction(body)()));
      expect(await evaluateInGuest(body)).to.deep.equal(platform);
    });
  }

  it('send a stream piece by piece, each when the one before was taken', async () => {
    const { run } = await startGuest(
      routeBundle(
        `return new Response(ReadableStream.from(['a', 'b']).pipeThrough(new TextEncoderStream()), { status: 201, headers: { 'content-type': 'text/event-stream' } })`,
      ),
    );
    const { records, output } = run(httpInput());
    const calls = records.filter(({ op }) => op === 'call').map(({ name, payload }) => [name, JSON.parse(payload)]);
    expect(calls).to.deep.equal([
      ['response.start', { status: 201, headers: [['content-type', 'text/event-stream']] }],
      ['response.write', { piece: 'YQ==' }],
      ['response.write', { piece: 'Yg==' }],
    ]);
    expect(output).to.deep.equal({ kind: 'streamed' });
  });

  it('read the body of a request as the host hands it over', async () => {
    const { run } = await startGuest(
      routeBundle(`const sizes = []; for await (const piece of request.body) sizes.push(piece.length); return sizes`),
    );
    const pieces = ['YWFh', 'Yg=='];
    const host = () => ({ ok: true, value: { piece: pieces.shift() ?? null } });
    const { output } = run(httpInput({ streamed: true }), { host });
    expect((output as { response: { body: string } }).response.body).to.equal('[3,1]');
  });

  it('end an invocation whose stream fails, with what it failed with', async () => {
    const { fault } = await answerOf(
      `return new Response(new ReadableStream({ pull() { throw new RangeError('dry') } }))`,
    );
    expect(fault).to.include({ code: 'plugin-threw', name: 'RangeError', message: 'dry' });
  });

  it('cancel a stream that gives more than an answer may have', async () => {
    const { run } = await startGuest(
      routeBundle(`let pulled = 0;
        return new Response(new ReadableStream({ pull(c) { pulled += 1; c.enqueue(new Uint8Array(1000)) }, cancel() { console.log('cancelled after ' + (pulled < 20)) } }))`),
    );
    const { fault, logs } = run(httpInput(), { limits: { outputBytes: 10_000 } });
    expect(fault).to.include({ code: 'output-too-large', limit: 'outputBytes', allowed: 10_000, used: 11_000 });
    expect(logs.map(({ message }) => message)).to.deep.equal(['cancelled after true']);
  });

  it('are read to their end before fetch sends them, and what it answers has the face of a fetched one', async () => {
    const { run } = await startGuest(
      routeBundle(`const body = ReadableStream.from(['a', 'é']).pipeThrough(new TextEncoderStream());
        const r = await fetch('https://a.b/x', { method: 'POST', body, duplex: 'half' });
        const fixed = (() => { try { r.headers.set('a', 'b') } catch (error) { return error.name } })();
        return [r.status, r.url, r.redirected, r.type, fixed, r.clone().url, await r.text()]`),
    );
    const sent: unknown[] = [];
    const { output } = run(httpInput(), {
      host: (name, args) => {
        sent.push([name, args]);
        const answer = { status: 204, statusText: 'No Content', headers: [], body: null, bodyEncoding: 'utf8' };
        return { ok: true, value: { ...answer, url: 'https://a.b/y', redirected: true } };
      },
    });
    expect(sent).to.deep.equal([
      [
        'fetch.send',
        { url: 'https://a.b/x', method: 'POST', headers: [], body: 'YcOp', bodyEncoding: 'base64', redirect: 'follow' },
      ],
    ]);
    expect(JSON.parse((output as { response: { body: string } }).response.body)).to.deep.equal([
      204,
      'https://a.b/y',
      true,
      'basic',
      'TypeError',
      'https://a.b/y',
      '',
    ]);
  });

  for (const [when, abort] of [
    ['while its body waits for more', 'pull() { if (pulled++ > 0) controller.abort(new RangeError("late")) }'],
    ['by the last of its body', 'pull(c) { c.close(); controller.abort(new RangeError("late")) }'],
  ] as const) {
    it(`are not sent by a fetch that is aborted ${when}`, async () => {
      const { run } = await startGuest(
        routeBundle(`const controller = new AbortController(); let pulled = 0; let cancelled = 'no';
          const body = new ReadableStream({ start(c) { c.enqueue(new Uint8Array(1)) }, cancel(reason) { cancelled = reason.message }, ${abort} });
          const thrown = await fetch('https://a.b/', { method: 'POST', body, duplex: 'half', signal: controller.signal }).catch((error) => error.message);
          return [thrown, cancelled]`),
      );
      const { output, records } = run(httpInput());
      const { response } = output as { response: { body: string } };
      expect(JSON.parse(response.body)).to.deep.equal(['late', when.includes('last') ? 'no' : 'late']);
      expect(records.some(({ op }) => op === 'call')).to.equal(false);
    });
  }

  it('are not kept by a signal that outlives its requests', async () => {
    const route = `const { signal } = controller; let reads = 0; const { body } = new Response('x');
      await fetch('https://a.b/', { signal }); await fetch('https://a.b/', { signal }).catch(() => {});
      await fetch('https://a.b/', { signal, method: 'POST', body, duplex: 'half' }).catch(() => {});
      Object.defineProperty(signal, 'reason', { get() { reads += 1 } }); controller.abort(); return reads`;
    const { run } = await startGuest(`const controller = new AbortController(); ${routeBundle(route)}`);
    let calls = 0;
    const answer = {
      status: 204,
      statusText: '',
      headers: [],
      body: null,
      bodyEncoding: 'utf8',
      url: '',
      redirected: false,
    };
    const host = () =>
      calls++ === 0 ? { ok: true, value: answer } : { ok: false, value: { code: 'fetch-limit', message: '' } };
    const { output } = run(httpInput(), { host });
    expect((output as { response: { body: string } }).response.body).to.equal('0');
  });

  it('are read as forms from clients that write them in other ways', async () => {
    const body = [
      'a preamble that nobody reads',
      '--b x',
      'content-disposition: form-data;name="a"',
      '',
      'one\r\n--bad',
      '--b x\t ',
      'X-Other: 1',
      'Content-Disposition: form-data; name="f%22"; filename=""',
      'Content-Type: a/b; c=d',
      '',
      '',
      '--b x--',
      'an epilogue',
    ].join('\r\n');
    const { run } = await startGuest(
      routeBundle(
        `const form = await request.formData(); const file = form.get('f"'); return [[...form.keys()], form.get('a'), file.name, file.type, file.size]`,
      ),
    );
    const headers: [string, string][] = [['content-type', 'multipart/form-data; charset=x; boundary="b x"']];
    const { output } = run(httpInput({ method: 'POST', headers, body }));
    expect(JSON.parse((output as { response: { body: string } }).response.body)).to.deep.equal([
      ['a', 'f"'],
      'one\r\n--bad',
      '',
      'a/b; c=d',
      0,
    ]);
  });

  it('keep what a stream gave, though it fills the same buffer again', async () => {
    // Of the platforms, Node.js forgets; the standard takes the bytes as each chunk comes.
    const read = `const buffer = new Uint8Array(2);
      async function* pieces() { for (const n of [1, 2, 3]) { buffer.fill(n); yield buffer } }
      return [...await new Response(ReadableStream.from(pieces())).bytes()]`;
    expect(await evaluateInGuest(read)).to.deep.equal([1, 1, 2, 2, 3, 3]);
  });

  it('say which chunk is no body', async () => {
    const { fault } = await answerOf(`return new Response(ReadableStream.from(['text']))`);
    expect(fault).to.include({ code: 'plugin-threw', name: 'TypeError' });
    expect(fault?.message).to.contain('Uint8Array');
  });

  it('write the same boundary for the same seed', async () => {
    const code = routeBundle(`const f = new FormData(); f.append('a', 'b'); return new Response(f)`);
    const bodies = [];
    for (const seed of ['11', '11', '22']) {
      const { run } = await startGuest(code);
      bodies.push((run(httpInput(), { seed: seed.repeat(32) }).output as { response: { body: string } }).response.body);
    }
    expect(bodies[0]).to.equal(bodies[1]);
    expect(bodies[0]).not.to.equal(bodies[2]);
  });
});
