import { type Harness, startHarness } from '@gatehouse/plugin-sdk/testing';
import { expect } from 'chai';

const folder = `${import.meta.dirname}/..`;

describe('hello-http', () => {
  let harness: Harness;
  before(async () => {
    harness = await startHarness({ folder, config: { greeting: 'Welcome, {name}!' } });
  });
  after(() => harness.close());
  beforeEach(() => harness.reset());

  const json = async (path: string) => (await harness.fetch(path)).json();

  it('says at its root where to ask', async () => {
    const response = await harness.fetch('/');
    expect(response.headers.get('content-type')).to.equal('text/plain;charset=UTF-8');
    expect(await response.text()).to.contain('/greetings/Ada');
  });

  it('greets in the words of the operator and counts each guest', async () => {
    expect(await json('/greetings/Ada')).to.deep.equal({ greeting: 'Welcome, Ada!', times: 1 });
    expect(await json('/greetings/Ada')).to.deep.equal({ greeting: 'Welcome, Ada!', times: 2 });
    expect(await json('/greetings/J%C3%BCrgen')).to.deep.equal({ greeting: 'Welcome, Jürgen!', times: 1 });
    expect(harness.kv).to.deep.equal({ 'greeted/Ada': 2, 'greeted/J%C3%BCrgen': 1 });
  });

  it('loses no count when guests come all at once', async () => {
    await Promise.all(Array.from({ length: 20 }, () => harness.fetch('/greetings/Ada')));
    expect(harness.kv['greeted/Ada']).to.equal(20);
  });

  it('takes a name for nothing but a name', async () => {
    expect(await json('/greetings/$&')).to.include({ greeting: 'Welcome, $&!' });
    expect((await harness.fetch(`/greetings/${'x'.repeat(41)}`)).status).to.equal(422);
  });

  it('logs a guest once', async () => {
    await harness.fetch('/greetings/Ada');
    await harness.fetch('/greetings/Ada');
    expect(harness.logs.map(({ source, message, facts }) => ({ source, message, facts }))).to.deep.equal([
      { source: 'log', message: 'a new guest', facts: { name: 'Ada' } },
    ]);
  });

  it('gives a body back byte for byte', async () => {
    const body = Uint8Array.from({ length: 256 }, (_, byte) => byte);
    const response = await harness.fetch('/echo', {
      method: 'POST',
      body,
      headers: { 'content-type': 'image/x-test' },
    });
    expect(new Uint8Array(await response.arrayBuffer())).to.deep.equal(body);
    expect(response.headers.get('content-type')).to.equal('image/x-test');
  });

  it('is well, and refuses a greeting that names nobody', async () => {
    expect(await harness.health()).to.deep.equal({ status: 'ok' });
    expect(await harness.configure({ greeting: 'Hi, {name}' })).to.deep.equal({ ok: true });
    const report = await harness.configure({ greeting: 'Hello there' });
    expect(report).to.deep.include({ ok: false });
  });

  it('greets without counting or logging where the operator did not allow it', async () => {
    for (const [grants, answer] of [
      [['config'], { greeting: 'Hello, Ada!' }],
      [['config', 'kv'], { greeting: 'Hello, Ada!', times: 1 }],
    ] as const) {
      const modest = await startHarness({ folder, grants: [...grants] });
      try {
        expect(await (await modest.fetch('/greetings/Ada')).json()).to.deep.equal(answer);
        expect(modest.logs).to.deep.equal([]);
      } finally {
        await modest.close();
      }
    }
  });
});
