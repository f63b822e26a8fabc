import type { ChildProcess } from 'node:child_process';

/** What node:cluster says to a worker with a connection, and what the worker answers; see node:internal/cluster. */
interface ClusterMessage {
  act?: string;
  seq?: number;
  ack?: number;
}

type Send = (message: ClusterMessage, handle?: { close(): void }, ...rest: unknown[]) => boolean;

/**
 * Ends connections that were handed to a worker which died before it took them. node:cluster keeps them open and forgets them (Node.js
 * 26.10): their callers would wait for ever. A worker may have begun with one, so it is no other's to answer.
 */
export function endWhatIsNotTaken(child: ChildProcess): void {
  const handed = new Map<number, { close(): void }>();
  const send = child.send.bind(child) as Send;
  child.send = ((message, handle, ...rest) => {
    if (handle && message.act === 'newconn' && message.seq !== undefined) handed.set(message.seq, handle);
    return send(message, handle, ...rest);
  }) satisfies Send as ChildProcess['send'];
  child.on('internalMessage', ({ ack }: ClusterMessage) => {
    if (ack !== undefined) handed.delete(ack);
  });
  // And not `exit`: what it said last may come after that.
  child.once('close', () => {
    for (const handle of handed.values()) handle.close();
  });
}
