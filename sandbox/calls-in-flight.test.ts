import { expect } from 'chai';
import { DEFAULT_LIMITS } from '../plugins-sdk/contract/index.ts';
import { CallRecord } from './call-record.ts';
import { CallsInFlight } from './calls-in-flight.ts';

const settle = () => new Promise((resolve) => setImmediate(resolve));

/** Calls that end when the test says so. */
function openCalls() {
  const calls = new CallsInFlight();
  const begun: string[] = [];
  const ends = new Map<string, () => void>();
  const enter = (installation: string, call: string, name = 'kv.get', max = 2) =>
    calls.enter(installation, name, max, () => {
      begun.push(call);
      return new Promise<void>((resolve) => ends.set(call, resolve));
    });
  const end = async (call: string) => {
    ends.get(call)!();
    await settle();
  };
  return { begun, enter, end };
}

describe('Host calls in flight', () => {
  it('are as many as the installation may have; the others wait in order', async () => {
    const { begun, enter, end } = openCalls();
    for (const call of ['a', 'b', 'c', 'd']) enter('one', call);
    expect(begun).to.deep.equal(['a', 'b']);
    await end('b');
    expect(begun).to.deep.equal(['a', 'b', 'c']);
    await end('a');
    await end('c');
    expect(begun).to.deep.equal(['a', 'b', 'c', 'd']);
    await end('d');
    enter('one', 'e');
    expect(begun.at(-1)).to.equal('e');
  });

  it('do not wait for those of another installation', () => {
    const { begun, enter } = openCalls();
    for (const call of ['a', 'b', 'c']) enter('one', call);
    enter('two', 'x');
    expect(begun).to.deep.equal(['a', 'b', 'x']);
  });

  it('do not count where they wait for others, and are not held up by those that do', () => {
    const { begun, enter } = openCalls();
    for (const name of ['fetch.send', 'plugins.call', 'plugins.deliver', 'request.read']) enter('one', name, name);
    enter('one', 'a');
    enter('one', 'b');
    enter('one', 'response.write', 'response.write');
    expect(begun).to.have.length(7);
  });

  it('are taken back before they have begun, and only then', async () => {
    const { begun, enter, end } = openCalls();
    const takeBack = ['a', 'b', 'c', 'd'].map((call) => enter('one', call));
    expect(takeBack[0]).to.equal(null);
    takeBack[2]!();
    await end('a');
    await end('b');
    expect(begun).to.deep.equal(['a', 'b', 'd']);
  });

  it('of an invocation that is over do not begin any more', async () => {
    const inFlight = new CallsInFlight();
    const made: number[] = [];
    let end = () => {};
    const limits = { ...DEFAULT_LIMITS, hostCallsInFlight: 1 };
    const ids = { invocationId: 'i', installationId: 'one', digest: '', input: '', seed: '', startedAtMs: 0 };
    const record = new CallRecord(
      { ...ids, limits },
      {
        hostCall: ({ seq }) => {
          made.push(seq);
          return new Promise((resolve) => {
            end = () => resolve({ ok: true, json: 'null' });
          });
        },
        log: () => {},
      },
      inFlight,
    );
    for (const seq of [1, 2, 3]) record.issue(seq, 'kv.set', '{}');
    record.close();
    end();
    await settle();
    expect(made).to.deep.equal([1]);
  });
});
