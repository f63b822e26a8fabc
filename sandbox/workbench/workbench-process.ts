import { Session } from 'node:inspector/promises';
import { createContextEngine } from './context-engine.ts';
import type { BenchEngine, BenchReply, BenchRequest, RawProfile, TurnReply, WorkbenchMode } from './messages.ts';

/**
 * The process of a workbench: `node workbench-process.ts <profile|inspect>`, started by open-workbench.ts with a channel.
 * It answers one request after another, and ends with its parent.
 */
const mode = process.argv[2] as WorkbenchMode;
const engines = new Map<string, BenchEngine>();
let guest = '';

/** Finer than the engine's own millisecond: most turns are shorter than that. */
const SAMPLING_US = 100;
const profiler = new Session();

/** DevTools shows the author's files where the script says how to find them. */
const withSources = (code: string, sourceMap: string | null): string =>
  sourceMap !== null && mode === 'inspect'
    ? `${code}\n//# sourceMappingURL=data:application/json;base64,${Buffer.from(sourceMap).toString('base64')}`
    : code;

async function answer(request: BenchRequest): Promise<unknown> {
  switch (request.op) {
    case 'guest':
      guest = request.code;
      return null;
    case 'start': {
      const engine = createContextEngine(guest);
      engines.set(request.key, engine);
      return engine.start(withSources(request.code, request.sourceMap));
    }
    case 'turn': {
      const engine = engines.get(request.key)!;
      const before = process.threadCpuUsage();
      const entry = engine.turn(request.head, request.body);
      const { user, system } = process.threadCpuUsage(before);
      return { ...entry, cpuMs: (user + system) / 1_000, usedMiB: engine.memory().usedMiB } satisfies TurnReply;
    }
    case 'drop':
      engines.delete(request.key);
      return null;
    case 'start-profile':
      profiler.connect();
      await profiler.post('Profiler.enable');
      await profiler.post('Profiler.setSamplingInterval', { interval: SAMPLING_US });
      await profiler.post('Profiler.start');
      return null;
    case 'stop-profile':
      return ((await profiler.post('Profiler.stop')) as { profile: RawProfile }).profile;
  }
}

let queue: Promise<void> = Promise.resolve();
process.on('message', ({ n, ...request }: BenchRequest & { n: number }) => {
  queue = queue.then(async () => {
    const reply: BenchReply = await answer(request as BenchRequest).then(
      (value) => ({ n, value }),
      (error: Error) => ({ n, error: error.message }),
    );
    process.send!(reply);
  });
});
process.on('disconnect', () => process.exit(0));
// A terminal's Ctrl-C reaches the whole group; the parent decides.
process.on('SIGINT', () => {});
