import inspector from 'node:inspector';
import module from 'node:module';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import v8 from 'node:v8';
import { type Attempt, attempt, BY_KERNEL, BY_NODE, Refusal } from './attempt.ts';

/** SQLite opens files itself, and Node.js 26.10 lets it, whatever the permissions: this one is the kernel's. */
const SQLITE = { shipped: [...BY_NODE, 'ERR_SQLITE_ERROR'], native: ['ERR_SQLITE_ERROR'] };

/** Doors of Node.js itself to the system, other than fs and net. */
export const ENGINE: Attempt[] = [
  attempt(
    'opens an inspector',
    () => {
      inspector.open(0, '127.0.0.1');
      if (!inspector.url()) throw new Refusal('NO_INSPECTOR');
      return inspector.url();
    },
    { shipped: [...BY_NODE, 'NO_INSPECTOR'], native: ['NO_INSPECTOR'] },
  ),
  attempt('inspects itself', () => new inspector.Session().connect(), { native: null }),
  attempt(
    'writes a report',
    ({ openFolder }) => {
      const name = join(openFolder, 'report.json');
      process.report.writeReport(name);
      throw new Refusal('SILENT');
    },
    { shipped: [...BY_NODE, 'SILENT'], native: ['SILENT'] },
  ),
  // In a thread of an unconfined process it ends Node.js 26.10 by SIGSEGV.
  {
    ...attempt('writes a heap snapshot', ({ openFolder }) => v8.writeHeapSnapshot(join(openFolder, 'x.heapsnapshot'))),
    reckless: true,
  },
  attempt(
    'keeps a compile cache',
    ({ openFolder }) => {
      const { status, directory } = module.enableCompileCache(join(openFolder, 'cache'));
      if (!directory) throw new Refusal(`STATUS_${status}`);
      return directory;
    },
    { shipped: ['STATUS_0', 'STATUS_3', ...BY_NODE], native: ['STATUS_0', 'STATUS_3'] },
  ),
  attempt('reads an environment file', ({ openFile }) => process.loadEnvFile(openFile)),
  attempt('opens a database file', ({ openFolder }) => new DatabaseSync(join(openFolder, 'x.db')), {
    ...SQLITE,
  }),
  attempt('reads a database file', ({ openFile }) => new DatabaseSync(openFile, { readOnly: true }).exec('select 1'), {
    ...SQLITE,
  }),
  attempt(
    'mounts the root into WebAssembly',
    async () => new (await import('node:wasi')).WASI({ version: 'preview1', preopens: { '/': '/' } }),
    {
      native: null,
    },
  ),
  attempt(
    'traces to a file',
    async () => {
      const { createTracing } = await import('node:trace_events');
      createTracing({ categories: ['node'] }).enable();
      throw new Refusal('NO_FILE');
    },
    {
      shipped: [...BY_NODE, 'NO_FILE', 'ERR_TRACE_EVENTS_UNAVAILABLE'],
      native: null,
    },
  ),
  attempt('registers a loader', ({ openScript }) => module.register(openScript, 'file:///'), {
    shipped: [...BY_NODE, 'ERR_MODULE_NOT_FOUND'],
    native: [...BY_KERNEL, 'ERR_MODULE_NOT_FOUND'],
  }),
  attempt('calls native functions', async () => (await import('node:ffi' as string)).dlopen(null, {}), {
    native: null,
  }),
];
