import { expect } from 'chai';
import { Departure } from './departure.ts';

describe('Departure', () => {
  it('tells everybody who still waits, once', () => {
    const departure = new Departure();
    const told: string[] = [];
    const listenerOf = (name: string) => () => void told.push(name);
    const [first, second, third] = [listenerOf('first'), listenerOf('second'), listenerOf('third')];
    for (const listener of [first, second, third]) departure.addEventListener('abort', listener);
    departure.removeEventListener('abort', second);
    departure.removeEventListener('abort', listenerOf('a stranger'));
    expect([departure.aborted, told]).to.deep.equal([false, []]);
    departure.tell();
    departure.tell();
    expect([departure.aborted, told]).to.deep.equal([true, ['first', 'third']]);
  });

  it('has nobody left to tell when the only listener has gone', () => {
    const departure = new Departure();
    const listener = () => expect.fail('nobody waits');
    departure.addEventListener('abort', listener);
    departure.removeEventListener('abort', listener);
    departure.tell();
    expect(departure.aborted).to.equal(true);
  });
});
