import { setImmediate } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect } from 'chai';
import { httpInput, routeBundle, startGuest } from './guest-in-context.ts';

const ANSWER = {
  status: 204,
  statusText: '',
  headers: [],
  body: null,
  bodyEncoding: 'utf8',
  url: '',
  redirected: false,
};

describe('AbortSignal.any', () => {
  let collectGarbage: () => void;
  before(() => {
    setFlagsFromString('--expose-gc');
    collectGarbage = runInNewContext('gc') as () => void;
    // Contexts that are made later must not have it.
    setFlagsFromString('--no-expose-gc');
  });
  for (const [what, use] of [
    ['looked at', 'signal.aborted; signal.reason'],
    [
      'listened to and let go',
      `const f = () => {}; signal.addEventListener('abort', f); signal.removeEventListener('abort', f)`,
    ],
    ['listened to by onabort', 'signal.onabort = () => {}; signal.onabort = null'],
    ['given to fetch', `await fetch('https://a.b/', { signal })`],
    [
      'given to a fetch that sends a stream',
      `await fetch('https://a.b/', { signal, method: 'POST', body: new Response('x').body, duplex: 'half' })`,
    ],
    ['given to a pipe', `await new Response('x').body.pipeTo(new WritableStream(), { signal })`],
    ['aborted by another', `signal.onabort = () => {}; another.abort()`],
  ] as const) {
    it(`keeps no memory in a signal that outlives its own, ${what}`, async () => {
      const route = `const another = new AbortController();
        const signal = AbortSignal.any([AbortSignal.any([controller.signal]), another.signal]); ${use}; globalThis.made = signal; return 1`;
      const { run, context } = await startGuest(`const controller = new AbortController(); ${routeBundle(route)}`);
      const made: WeakRef<object>[] = [];
      for (let at = 0; at < 10; at += 1) {
        expect(run(httpInput(), { host: () => ({ ok: true, value: ANSWER }) }).fault).to.equal(null);
        made.push(new WeakRef(context.made as object));
        delete context.made;
      }
      // What a WeakRef has shown stays until the end of the turn.
      await setImmediate();
      collectGarbage();
      // The last one may still be on the way somewhere.
      expect(made.slice(0, -1).filter((each) => each.deref() !== undefined)).to.deep.equal([]);
    });
  }
});
