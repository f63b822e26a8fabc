import { expect } from 'chai';
import { countAttempts } from '../rate-limits/count-attempts.ts';
import { readRateLimits } from '../rate-limits/rules/limits.ts';
import { createRunLimits } from '../rate-limits/run-limits.ts';
import { createClientAddress } from './client-address.ts';
import { answered, type Served, serveFakes } from './fake-ports.ts';

describe('limits of rate', () => {
  const opened: Served[] = [];
  afterEach(async () => {
    for (const { http } of opened.splice(0)) await http.close(0);
  });
  /** Serves with the limits of a setting, such as `api-address=3/60`. */
  const serve = async (setting: string, trusted: string[] = []) => {
    const limits = readRateLimits(setting);
    const limited: string[] = [];
    const onLimited = (name: string) => limited.push(name);
    const served = await serveFakes(
      {},
      {
        rateLimits: countAttempts({ limits, redis: null, onLimited }),
        runLimits: createRunLimits({ limits, onLimited }),
        clientAddress: createClientAddress(trusted),
      },
    );
    served.fake.run = async () => answered('hello');
    opened.push(served);
    const statuses = async (count: number, send: (at: number) => Promise<Response>) => {
      const seen: number[] = [];
      for (let at = 0; at < count; at++) seen.push((await send(at)).status);
      return seen;
    };
    return { ...served, statuses, limited };
  };

  it('answer 429 with the name of the limit and when to come back, before credentials and bodies are looked at', async () => {
    const { origin, limited, fake } = await serve('api-address=1/60');
    await fetch(`${origin}/v1/whoami`);
    const refused = await fetch(`${origin}/v1/tokens`, { method: 'POST', body: 'x'.repeat(100_000) });
    expect(refused.status).to.equal(429);
    expect(Number(refused.headers.get('retry-after'))).to.be.within(1, 60);
    expect(await refused.json()).to.include({ code: 'rate-limited', limit: 'api-address', allowed: 1, perSeconds: 60 });
    expect(limited).to.deep.equal(['api-address']);
    expect(fake.calls).to.deep.equal([]);
  });

  it('hold for all paths of the control plane together, also those that are not there, but never for probes', async () => {
    const { origin, statuses } = await serve('api-address=3/60');
    const paths = ['/', '/nothing', '/v1/whoami', '/docs', '/assets/style.css'];
    expect(await statuses(5, (at) => fetch(origin + paths[at]))).to.deep.equal([200, 404, 401, 429, 429]);
    expect((await fetch(`${origin}/healthz`)).status).to.equal(200);
    expect((await fetch(`${origin}/readyz`)).status).to.equal(200);
  });

  it('hold for strangers who read the catalogue, by their address, and not for those who say who they are', async () => {
    const { origin, as, fake, statuses } = await serve('catalogue-address=2/60', ['127.0.0.1']);
    const read = (headers: Record<string, string> = {}) => fetch(`${origin}/v1/catalogue`, { headers });
    expect((await read()).status).to.equal(401);
    fake.strangersRead = true;
    expect(await statuses(3, () => read())).to.deep.equal([200, 200, 429]);
    expect((await fetch(`${origin}/v1/catalogue/acme/hello`)).status).to.equal(429);
    expect((await read({ 'x-forwarded-for': '203.0.113.9' })).status).to.equal(200);
    expect((await read({ authorization: 'Bearer nobody' })).status).to.equal(401);
    expect((await as('operator-owner', '/v1/catalogue')).status).to.equal(200);
    expect((await fetch(`${origin}/v1/catalogue/acme/hello/ratings`)).status).to.equal(401);
  });

  it('hold for a token from wherever it comes, and for no other token', async () => {
    const { as, fake, statuses } = await serve('api-token=2/60', ['127.0.0.1']);
    const from = (at: number) => ({ headers: { 'x-forwarded-for': `203.0.113.${at}` } });
    expect(await statuses(4, (at) => as('admin', '/v1/whoami', from(at)))).to.deep.equal([200, 200, 429, 429]);
    const known = fake.findPrincipal;
    expect(known).to.be.a('function');
    expect((await as('person', '/v1/permissions')).status).to.equal(200);
  });

  it('hold for a person, whatever they ask for', async () => {
    const { as, statuses } = await serve('api-account=2/60');
    expect((await statuses(4, () => as('person', '/v1/whoami'))).slice(2)).to.deep.equal([429, 429]);
    expect((await as('admin', '/v1/whoami')).status).to.equal(200);
  });

  it('hold for an address on the data plane, also where credentials are wrong', async () => {
    const { origin, statuses } = await serve('run-address=3/60');
    const guess = (at: number) => ({ headers: { authorization: `Bearer guess-${at}` } });
    expect(await statuses(5, (at) => fetch(`${origin}/run/acme/shop/`, guess(at)))).to.deep.equal([
      401, 401, 401, 429, 429,
    ]);
    const refused = await fetch(`${origin}/run/acme/shop/`);
    // A third of the minute, less what the requests took.
    expect(Number(refused.headers.get('retry-after'))).to.be.within(1, 20);
    expect(await refused.json()).to.include({ code: 'rate-limited', limit: 'run-address' });
  });

  it('hold for a token on the data plane', async () => {
    const { as, origin, statuses } = await serve('run-token=2/60');
    expect(await statuses(3, () => as('caller', '/run/acme/shop/'))).to.deep.equal([200, 200, 429]);
    expect((await fetch(`${origin}/run/acme/shop/`)).status).to.equal(200);
  });

  for (const path of ['/v1/accounts/password-resets', '/v1/accounts/verification-mails']) {
    it(`hold for mail to one address, however it is written and from wherever it is asked for (${path})`, async () => {
      const { origin, statuses } = await serve('mail-account=2/60', ['127.0.0.1']);
      const ask = (email: string, at: number) =>
        fetch(origin + path, {
          method: 'POST',
          body: JSON.stringify({ email }),
          headers: { 'content-type': 'application/json', 'x-forwarded-for': `203.0.113.${at}` },
        });
      const seen = await statuses(4, (at) => ask(at % 2 ? 'ada@example.com' : 'Ada@Example.com', at));
      expect(seen).to.deep.equal([202, 202, 429, 429]);
      expect((await ask('grace@example.com', 9)).status).to.equal(202);
      const composed = 'j\u00f6rg@example.com';
      const written = [composed, composed.normalize('NFD')];
      expect(await statuses(4, (at) => ask(written[at % 2]!, at))).to.deep.equal([202, 202, 429, 429]);
    });
  }

  describe('by address', () => {
    const LIMITS = 'run-address=2/60,api-address=2/60';
    for (const path of ['/run/acme/shop/', '/problems']) {
      const statusesOf = async (trusted: string[], forwarded: (at: number) => string) => {
        const { origin, statuses } = await serve(LIMITS, trusted);
        return statuses(4, (at) => fetch(origin + path, { headers: { 'x-forwarded-for': forwarded(at) } }));
      };

      it(`are not evaded by an invented X-Forwarded-For (${path})`, async () => {
        expect(await statusesOf([], (at) => `203.0.113.${at}`)).to.deep.equal([200, 200, 429, 429]);
        // Behind a proxy, what the client wrote stands left of what the proxy saw.
        const seen = await statusesOf(['127.0.0.1'], (at) => `203.0.113.${at}, 198.51.100.7`);
        expect(seen).to.deep.equal([200, 200, 429, 429]);
      });

      it(`are not evaded within a network of IPv6 (${path})`, async () => {
        const seen = await statusesOf(['127.0.0.1'], (at) => `2001:db8::${at}:1`);
        expect(seen).to.deep.equal([200, 200, 429, 429]);
      });

      it(`tell clients behind a proxy apart (${path})`, async () => {
        const seen = await statusesOf(['127.0.0.1'], (at) => `203.0.113.${at}`);
        expect(seen).to.deep.equal([200, 200, 200, 200]);
      });

      it(`take a chain that breaks off as coming from the proxy itself (${path})`, async () => {
        const odd = ['nonsense', 'unknown', "' or 1=1 --", ',,,,'];
        expect(await statusesOf(['127.0.0.1'], (at) => odd[at]!)).to.deep.equal([200, 200, 429, 429]);
      });
    }
  });
});
