import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';

/** What a program of the soak is asked to do, and what it says unasked. */
interface Question {
  id: number;
  order: unknown;
}
interface Reply {
  id: number;
  reply?: unknown;
  error?: string;
}
interface News {
  news: unknown;
}

/** One program of the soak in a process of its own, so that none of them slows down another's thread. */
export interface Program<Order, Event> {
  pid: number;
  ask<Answer>(order: Order): Promise<Answer>;
  onEvent(listener: (event: Event) => void): void;
  /** Resolves with how the process ended, whoever ended it. */
  gone: Promise<string>;
  /** Ends it at once; for the case that it does not end by itself. */
  kill(): void;
}

/** Starts `<name>.ts` of this folder. */
export function startProgram<Order, Event>(name: string, execArgv: string[] = []): Program<Order, Event> {
  const child: ChildProcess = fork(path.join(import.meta.dirname, `${name}.ts`), {
    serialization: 'advanced',
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    execArgv,
  });
  const waiting = new Map<number, { resolve(answer: unknown): void; reject(error: Error): void }>();
  let asked = 0;
  let listener: (event: Event) => void = () => {};
  child.on('message', (message: Reply | News) => {
    if ('news' in message) {
      listener(message.news as Event);
      return;
    }
    const { resolve, reject } = waiting.get(message.id)!;
    waiting.delete(message.id);
    if (message.error === undefined) resolve(message.reply);
    else reject(new Error(`${name}: ${message.error}`));
  });
  const gone = once(child, 'exit').then(([code, signal]) => {
    const end = `${name} ended with ${signal ?? code}`;
    for (const { reject } of waiting.values()) reject(new Error(end));
    waiting.clear();
    return end;
  });
  return {
    pid: child.pid ?? 0,
    gone,
    kill: () => void child.kill('SIGKILL'),
    onEvent: (listen) => {
      listener = listen;
    },
    ask: <Answer>(order: Order) =>
      new Promise<Answer>((resolve, reject) => {
        if (!child.connected) {
          reject(new Error(`${name} is gone`));
          return;
        }
        const question: Question = { id: ++asked, order };
        waiting.set(question.id, { resolve: resolve as (answer: unknown) => void, reject });
        child.send(question, (error) => {
          if (error && waiting.delete(question.id)) reject(error);
        });
      }),
  };
}

/** The other end: answers every order with what `carryOut` resolves with, and ends when the soak is gone. */
export function serveOrders<Order>(carryOut: (order: Order) => Promise<unknown>): (event: unknown) => void {
  const say = (message: Reply | News) => void (process.connected && process.send!(message));
  process.on('message', ({ id, order }: Question) => {
    carryOut(order as Order).then(
      (reply) => say({ id, reply }),
      (error: unknown) => say({ id, error: error instanceof Error ? String(error.stack) : String(error) }),
    );
  });
  return (news) => say({ news });
}
