import { createContext, runInContext, Script } from 'node:vm';
import { PARTS_GLOBAL, splitGuest } from '../../plugins-sdk/contract/guest-text.ts';
import type { StartUp } from '../isolate/plugin-isolate.ts';
import type { BenchEngine } from './messages.ts';

const ENTER = 'Symbol.for("gatehouse.enter")';

/**
 * The guest and a bundle in a context of this process, where debugger and profiler of Node.js find it. The same runtime and
 * the same V8, and no sandbox: nothing limits it, and what runs here is the code of whoever sits at this machine. Those of an
 * isolate cannot be used: with isolated-vm 7.0.1 on Node.js 26 the debugger ends the process, and the profiler takes some 80 ms
 * for each entry.
 */
export function createContextEngine(guest: string): BenchEngine {
  const { core, parts } = splitGuest(guest);
  const context = createContext({ [PARTS_GLOBAL]: parts }, { microtaskMode: 'afterEvaluate', name: 'plugin' });
  runInContext(core, context, { filename: 'gatehouse:guest' });
  const { turn, drain } = context as { turn(head: string, body: string): void; drain(): string };
  // What it said while it rehearsed.
  drain();
  delete context.turn;
  delete context.drain;
  let next: [head: string, body: string] = ['', ''];
  Object.defineProperty(context, Symbol.for('gatehouse.enter'), { value: () => turn(...next) });
  // Only what is evaluated runs its microtasks before it returns.
  const enter = new Script(`this[${ENTER}]()`, { filename: 'gatehouse:enter' });
  return {
    start: (code): StartUp => {
      try {
        runInContext(code, context, { filename: 'bundle.js' });
        return { ended: 'started' };
      } catch (error) {
        const { name = 'Error', message = String(error), stack = '' } = (error ?? {}) as Partial<Error>;
        return {
          ended: 'threw',
          name,
          message,
          stack: stack
            .split('\n')
            .filter((line) => /bundle\.js:/.test(line))
            .join('\n'),
        };
      }
    },
    turn: (head, body) => {
      next = [head, body];
      try {
        enter.runInContext(context);
      } catch {
        // A promise that was left to reject unheard, as in an isolate: no reason to lose the answer.
      }
      return { ended: 'returned', records: drain() };
    },
    memory: () => ({ usedMiB: process.memoryUsage().heapUsed / 1024 / 1024 }),
  };
}
