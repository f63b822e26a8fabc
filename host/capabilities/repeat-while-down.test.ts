import { expect } from 'chai';
import { createBroker } from './broker.ts';
import { closedPorts } from './closed-ports.ts';
import { capabilityCalls } from './compose.ts';
import { memoryKvStore } from './memory-kv-store.ts';
import { repeatWhileDown } from './repeat-while-down.ts';
import { testScope } from './test-scope.ts';

const outage = () => Object.assign(new Error('Connection terminated unexpectedly'), { code: '57P01' });

/** A store whose answers get lost `times` times, after it has done what it was asked. */
function losing(times: number) {
  const store = memoryKvStore(Date.now);
  let lost = 0;
  const lose = async <Value>(work: Promise<Value>): Promise<Value> => {
    const value = await work;
    lost += 1;
    if (lost <= times) throw outage();
    return value;
  };
  return { ...store, increment: (...args: Parameters<typeof store.increment>) => lose(store.increment(...args)) };
}

const ask = async (times: number, deadlineInMs = 60_000) => {
  const store = losing(times);
  const nowMs = Date.now;
  const calls = repeatWhileDown(capabilityCalls({ kvStore: store, ...closedPorts() }), nowMs, [1, 1]);
  const broker = createBroker({ calls, onOutage: () => {} });
  const scope = testScope({ id: 'i' }, 'v', nowMs() + deadlineInMs);
  const call = { invocationId: 'v', installationId: 'i', seq: 1, name: 'kv.increment', args: '{"key":"n"}' };
  const { json } = await broker(scope, call);
  return { answer: JSON.parse(json), stored: (await store.get('i', 'n'))?.json };
};

describe('repeatWhileDown', () => {
  it('makes a call again whose answer was lost, and the call has its effect once', async () => {
    expect(await ask(2)).to.deep.equal({ answer: { value: 1 }, stored: '1' });
  });

  it('gives up after a few times, and says so', async () => {
    const { answer, stored } = await ask(3);
    expect(answer.code).to.equal('capability-unavailable');
    expect(stored).to.equal('1');
  });

  it('does not begin again when the invocation could not wait for it', async () => {
    expect((await ask(1, 0)).answer.code).to.equal('capability-unavailable');
  });
});
