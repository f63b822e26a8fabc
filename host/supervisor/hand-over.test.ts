import type { ChildProcess } from 'node:child_process';
import { EventEmitter } from 'node:events';
import { expect } from 'chai';
import { endWhatIsNotTaken } from './hand-over.ts';

describe('endWhatIsNotTaken', () => {
  it('ends what was not answered when the process is gone, and nothing that was taken or given back', () => {
    const sent: unknown[] = [];
    const child = Object.assign(new EventEmitter(), {
      send: (...all: unknown[]) => {
        sent.push(all);
        return true;
      },
    });
    endWhatIsNotTaken(child as unknown as ChildProcess);
    const handles = ['taken', 'given back', 'unheard'].map((name) => ({ name, closed: 0, close: () => {} }));
    handles.forEach((handle, seq) => {
      handle.close = () => {
        handle.closed += 1;
      };
      child.send({ cmd: 'NODE_CLUSTER', act: 'newconn', seq }, handle);
    });
    child.send({ op: 'drain' });
    expect(sent).to.have.length(4);
    child.emit('exit', 0, null);
    child.emit('internalMessage', { cmd: 'NODE_CLUSTER', ack: 0, accepted: true });
    child.emit('internalMessage', { cmd: 'NODE_CLUSTER', ack: 1, accepted: false });
    expect(handles.map(({ closed }) => closed)).to.deep.equal([0, 0, 0]);
    child.emit('close', 0, null);
    expect(handles.map(({ closed }) => closed)).to.deep.equal([0, 0, 1]);
  });
});
