/**
 * The guest runtime: the only code of ours inside an isolate. It leaves three globals: `turn` and `drain`, which the lane
 * takes away, and `__gatehouse_define`, which removes itself when the bundle calls it. See contract/turns.ts.
 */
import type { StartList, TurnHead } from '../contract/turns.ts';
import { answer } from './answer.ts';
import { showStartupLines } from './console.ts';
import { installGlobals } from './globals.ts';
import { type Input, readInput } from './input.ts';
import {
  endTurn,
  fail,
  failThrown,
  forgetInvocation,
  type Invocation,
  settleCall,
  startInvocation,
} from './invocation.ts';
import { installParts } from './load-parts.ts';
import { callFor, dropDefinition, missingHandler, takeDefinition } from './plugin.ts';
import { defineGlobal, deleteProperty, global, isArray, jsonParse } from './primordials.ts';
import { takeRecords } from './records.ts';
import { Response } from './response.ts';

function turn(head: string, first: string, ...more: string[]): void {
  let body = first;
  for (let at = 0; at < more.length; at += 1) body += more[at]!;
  const entry = jsonParse(head) as TurnHead | StartList;
  if (isStart(entry)) {
    void run(startInvocation(entry), readInput(body));
    return;
  }
  switch (entry.op) {
    case 'result':
      settleCall(entry, body);
      return;
    case 'forget':
      forgetInvocation(entry.id);
  }
}

const isStart = (entry: TurnHead | StartList): entry is StartList => isArray(entry);

function drain(): string {
  endTurn();
  return takeRecords();
}

/** `await` alone is used: it needs no method of Promise that a plugin could have replaced. */
async function run(invocation: Invocation, input: Input): Promise<void> {
  try {
    if (input.kind === 'describe') showStartupLines(invocation);
    const call = callFor(invocation, input);
    if (call === null) {
      return fail(invocation, {
        code: 'plugin-start-failed',
        message: 'The bundle defined no plugin. Build it with the CLI, or call definePlugin in its entry file.',
      });
    }
    if (call === undefined) return fail(invocation, { code: 'handler-missing', message: missingHandler(input) });
    const drained = answer(invocation, input, await call());
    if (drained !== undefined) await drained;
  } catch (thrown) {
    failThrown(invocation, thrown);
  }
}

const REHEARSED = {
  head: '["rehearsal","00",0,1024,0,0,0,0]',
  input: '["rehearsal",{},"GET","http://localhost/",null,"utf8",false]\n{"grants":[]}\n[["accept","*/*"]]',
};

/**
 * Answers a request of nobody before the bundle comes. V8 compiles functions when they are first called: what every first answer
 * needs is compiled now, while nobody waits for it. What is said here, the lane drains.
 */
function rehearse(): void {
  takeDefinition({ routes: { rehearsal: () => new Response('') } });
  turn(REHEARSED.head, REHEARSED.input);
  dropDefinition();
}

installParts();
installGlobals();
rehearse();
defineGlobal('turn', turn);
defineGlobal('drain', drain);
defineGlobal('__gatehouse_define', (definition: unknown) => {
  deleteProperty(global, '__gatehouse_define');
  takeDefinition(definition);
});
