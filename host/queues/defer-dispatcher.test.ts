import { expect } from 'chai';
import type { Log } from '../http/log.ts';
import type { Dispatch, Dispatcher } from './contract.ts';
import { deferDispatcher } from './defer-dispatcher.ts';

const silent: Log = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
const message: Dispatch = { id: 'first', delayMs: 0, rank: 0 };
const run = async () => ({ next: 'ended' }) as const;

describe('deferDispatcher', () => {
  const deferred = (failures = 0) => {
    const said: string[] = [];
    const dispatcher: Dispatcher = {
      dispatch: async ({ id }) => void said.push(`dispatch ${id}`),
      start: () => said.push('start'),
      close: async () => void said.push('close'),
    };
    const open = async () => {
      said.push('open');
      if (failures-- > 0) throw new Error('not reachable');
      return dispatcher;
    };
    return { said, dispatcher: deferDispatcher(open, silent) };
  };

  it('opens nothing where nobody needs it', async () => {
    const { said, dispatcher } = deferred();
    dispatcher.start(run);
    await dispatcher.close();
    expect(said).to.deep.equal([]);
  });

  it('opens and starts once, for the first message', async () => {
    const { said, dispatcher } = deferred();
    dispatcher.start(run);
    await Promise.all([
      dispatcher.dispatch(message),
      dispatcher.open(),
      dispatcher.dispatch({ ...message, id: 'other' }),
    ]);
    await dispatcher.close();
    expect(said).to.have.members(['open', 'start', 'dispatch first', 'dispatch other', 'close']);
    expect(said.slice(0, 2)).to.deep.equal(['open', 'start']);
  });

  it('takes messages where others hand them out', async () => {
    const { said, dispatcher } = deferred();
    await dispatcher.open();
    dispatcher.start(run);
    expect(said).to.deep.equal(['open', 'start']);
  });

  it('tries again after a failure', async () => {
    const { said, dispatcher } = deferred(1);
    dispatcher.start(run);
    expect(await dispatcher.dispatch(message).catch((error: Error) => error.message)).to.equal('not reachable');
    await dispatcher.dispatch(message);
    expect(said).to.deep.equal(['open', 'open', 'start', 'dispatch first']);
  });

  it('opens nothing once it is closed', async () => {
    const { said, dispatcher } = deferred();
    await dispatcher.close();
    expect(await dispatcher.dispatch(message).catch((error: Error) => error.message)).to.contain('closed');
    expect(said).to.deep.equal([]);
  });
});
