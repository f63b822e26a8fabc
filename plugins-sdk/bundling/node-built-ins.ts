import { builtinModules } from 'node:module';
import type { Plugin } from 'esbuild';

const BUILT_INS = new Set(builtinModules.filter((name) => !name.startsWith('_')));
const SEEN = Symbol('resolved by node-built-ins');

/** `fs` for `node:fs`, `fs` and `fs/`; null for what does not belong to Node.js. */
export function builtInName(specifier: string): string | null {
  const name = specifier.replace(/^node:/, '').replace(/\/$/, '');
  return specifier.startsWith('node:') || BUILT_INS.has(name) ? name : null;
}

/**
 * Leaves built-ins outside the bundle, so that tree shaking decides whether anything wants them; those in `resolved` are
 * looked for instead, and so become an error unless a `try` around their `require` makes them optional. A package of the
 * same name, such as `events`, is preferred where the plugin depends on one.
 */
export const leaveBuiltIns = (resolved: ReadonlySet<string>): Plugin => ({
  name: 'leave-built-ins',
  setup(esbuild) {
    esbuild.onResolve({ filter: /^[a-z@]/ }, async ({ path, importer, resolveDir, kind, pluginData }) => {
      if (pluginData === SEEN) return undefined;
      const name = builtInName(path);
      if (name === null) return undefined;
      if (!path.startsWith('node:')) {
        const found = await esbuild.resolve(path, { importer, resolveDir, kind, pluginData: SEEN });
        // `"browser": {"crypto": false}`: the package says itself that it can do without.
        if (found.errors.length === 0) return found.path.startsWith('/') ? found : { path: name, namespace: NOTHING };
      }
      return resolved.has(name) ? undefined : { path: `node:${name}`, external: true, sideEffects: false };
    });
    esbuild.onLoad({ filter: /.*/, namespace: NOTHING }, () => ({ contents: '' }));
  },
});

const NOTHING = 'gatehouse-nothing';

/** What a plugin uses instead. */
export function adviceFor(name: string): string {
  return ADVICE[name.split('/')[0]!] ?? '';
}

const INSTALL = (name: string, alternative = '') =>
  `The npm package "${name}" does the same in JavaScript: npm install ${name}${alternative}.`;

const ADVICE: Record<string, string> = {
  fs: 'A plugin has no files; keep what must last in ctx.kv, and import text files into the bundle.',
  http: 'Use the global fetch.',
  https: 'Use the global fetch.',
  http2: 'Use the global fetch.',
  net: 'Use the global fetch.',
  tls: 'Use the global fetch.',
  dns: 'Use the global fetch.',
  crypto: 'Use the global crypto (randomUUID, getRandomValues, subtle).',
  webcrypto: 'Use the global crypto.',
  url: 'Use the globals URL and URLSearchParams.',
  timers: 'Use the globals setTimeout and setInterval.',
  perf_hooks: 'Use the global performance.',
  buffer: INSTALL('buffer', ', or use Uint8Array, TextEncoder and atob'),
  events: INSTALL('events', ', or use EventTarget'),
  util: INSTALL('util'),
  assert: INSTALL('assert'),
  querystring: 'Use the global URLSearchParams.',
  string_decoder: 'Use the global TextDecoder.',
  punycode: INSTALL('punycode'),
  path: 'A plugin has no files; join text, or use the npm package "path-browserify".',
  stream: 'Use the globals ReadableStream, WritableStream and TransformStream.',
  zlib: 'Use the globals CompressionStream and DecompressionStream.',
  process: 'Settings of an operator arrive as ctx.config.',
  os: 'A plugin sees no machine.',
  child_process: 'A plugin starts no programs.',
  worker_threads: 'A plugin has one thread.',
  cluster: 'A plugin has one thread.',
};
